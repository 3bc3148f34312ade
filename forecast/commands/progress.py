"""What is seen while training runs: a bar on a terminal, a plain line now and then anywhere else, nothing with -q."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from forecast.progress import Listener, Progress, silent

EVERY = 5.0  # seconds between two plain lines
STAGES = {
    "choosing": "Learning on the first part",
    "mixed": "Learning from the other targets",
    "candidate": "Learning on the rows to compare after",
    "final": "Learning on all rows",
    "baselines": "Baselines",
}


@contextmanager
def shown(quiet: bool) -> Iterator[Listener]:
    """Yield who listens to a run: a bar where stderr is a terminal, else lines; nobody when quiet."""
    if quiet:
        yield silent
    elif sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        with _bar() as listen:
            yield listen
    else:
        yield lines(lambda text: print(text, file=sys.stderr, flush=True))


def lines(say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> Listener:
    """Return a listener that says one line when a stage begins, and then at most one every few seconds.

    The time left is counted from the first look at a stage's work: most of the compiling comes before it.
    """
    stage, last, first = "", 0.0, (0.0, 0)

    def listen(progress: Progress) -> None:
        nonlocal stage, last, first
        now, fresh = clock(), progress.stage != stage
        if fresh or not first[1]:
            first = now, progress.done
        stage = progress.stage
        if fresh or now - last >= EVERY:
            last, done = now, progress.done - first[1]
            say(describe(progress, (now - first[0]) / done if first[1] and done else 0.0))

    return listen


def describe(progress: Progress, pace: float) -> str:
    """Return where a run is, in one line. pace: seconds that a unit of its work takes; 0: nobody knows."""
    share = progress.done / progress.total if progress.total else 0.0
    parts = [f"{STAGES.get(progress.stage, progress.stage)}: {100 * share:.0f} %", *_figures(progress)]
    if pace > 0 and share < 1:
        parts.append(f"at most {_duration(pace * (progress.total - progress.done))} left")
    return ", ".join(parts)


def _figures(progress: Progress) -> list[str]:
    """Return loss and gain, as far as they are known."""
    figures = []
    if progress.loss is not None:
        figures.append(f"loss {progress.loss:.4g}")
    if progress.gain is not None:
        figures.append(f"error {100 * (1 - progress.gain):.0f} % of that at the start")
    return figures


def _duration(seconds: float) -> str:
    """Return a time span as minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


@contextmanager
def _bar() -> Iterator[Listener]:
    """Yield a listener that draws a bar per stage, with loss, gain and the time left."""
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(compact=True),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def listen(progress: Progress) -> None:
            if progress.stage not in tasks:
                for done in tasks.values():
                    bars.remove_task(done)
                title = STAGES.get(progress.stage, progress.stage)
                tasks.clear()
                tasks[progress.stage] = bars.add_task(title, total=progress.total, figures="")
            figures = ", ".join(_figures(progress))
            bars.update(tasks[progress.stage], completed=progress.done, total=progress.total, figures=figures)

        yield listen
