"""Ctrl-C and SIGTERM: stop cleanly at the first signal, at once at the second.

A signal raises an exception where the work stands. That can be lost: Python drops what is raised in the callback of a
weak reference, and a compiled package that is just being imported makes an error of its own of it. So the signal is
also remembered: `check` raises again where nothing can be lost, and whatever error comes out at the top is `cause_of` a
stop.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn


class Stopped(BaseException):
    """A signal asked this process to stop; `exit_code` is what the shell expects: 128 + signal."""

    def __init__(self, number: int) -> None:
        """Keep the signal's name as the message."""
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


# Seconds in which a second signal is the first one again: a terminal and systemd send it to every process of a group,
# and `forecast run` passes on to its step what it gets itself.
ECHO = 0.5

_arrived: list[int] = []  # the signals of this run


def check() -> None:
    """Raise `Stopped` where a signal has arrived and its exception did not."""
    if _arrived:
        raise Stopped(_arrived[0])


def cause_of(error: BaseException) -> BaseException:
    """Return the stop that an error comes from, with its notes; the error itself where no signal has arrived."""
    if not _arrived:
        return error
    stop = Stopped(_arrived[0])
    for note in getattr(error, "__notes__", ()):
        stop.add_note(note)
    return stop


def leave(code: int) -> NoReturn:
    """Leave with an exit code; after a signal at once, since taking TensorFlow down computes for a second."""
    if not _arrived:
        sys.exit(code)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # its reader may have left
            stream.flush()
    os._exit(code)


@contextmanager
def signals_as_exceptions() -> Iterator[None]:
    """Raise `Stopped` where the work stands when SIGINT or SIGTERM arrives, so that every `finally` runs.

    A signal that the parent set to be ignored stays ignored; threads other than the main one are left alone. After a
    signal the handlers stay, until the next run: its echo must not end the process before that has said why it stops.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _arrived.clear()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, _stop)
    try:
        yield
    finally:
        if not _arrived:
            for number, handler in before.items():
                signal.signal(number, handler)


def _stop(number: int, _: FrameType | None) -> None:
    """Stop at the first signal, and make the second one final."""
    first = time.monotonic()

    def leave(number: int, _: FrameType | None) -> None:
        """Exit without another word."""
        if time.monotonic() - first > ECHO:
            os._exit(128 + number)

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, leave)
    _arrived.append(number)
    raise Stopped(number)
