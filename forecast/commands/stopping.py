"""Ctrl-C and SIGTERM: stop cleanly at the first signal, at once at the second."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stopped(BaseException):
    """A signal asked this process to stop; `exit_code` is what the shell expects: 128 + signal."""

    def __init__(self, number: int) -> None:
        """Keep the signal's name as the message."""
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


@contextmanager
def signals_as_exceptions() -> Iterator[None]:
    """Raise `Stopped` where the work stands when SIGINT or SIGTERM arrives, so that every `finally` runs.

    A signal that the parent set to be ignored stays ignored; threads other than the main one are left alone.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, _stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, _: FrameType | None) -> None:
    """Stop at the first signal, and make the second one final."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _leave)
    raise Stopped(number)


def _leave(number: int, _: FrameType | None) -> None:
    """Exit without another word."""
    os._exit(128 + number)
