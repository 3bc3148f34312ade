"""One picture: history, forecast and bands of a few series."""

import io
import os
import tempfile
from textwrap import fill
from typing import Any

import numpy as np

from forecast.evaluation.calibration import at
from forecast.panels.calendar import Calendar
from forecast.panels.frequencies import parse_frequency
from forecast.panels.panel import Integers, Panel
from forecast.plan import Plan
from forecast.trained import Forecasts

MOST = 4  # series in one picture: more could not be read
INK, BLUE, PALE = "#2b2f36", "#1f5fbf", "#8a9099"
WIDE, NARROW = "#d3e2f7", "#9dc0ee"  # the 95 % and the 80 % band


def forecast_plot(panel: Panel, forecasts: Forecasts, plan: Plan, title: str, verdict: str) -> bytes:
    """Return a PNG of the first series that have a forecast: the end of the history, the median and two bands."""
    chosen = [row for row, status in enumerate(forecasts.status) if status != "skipped"][:MOST]
    with tempfile.TemporaryDirectory() as folder:
        # Matplotlib keeps a cache of fonts where nobody asked for one; here it goes with the folder.
        before = os.environ.get("MPLCONFIGDIR")
        os.environ["MPLCONFIGDIR"] = folder
        try:
            return _draw(panel, forecasts, chosen, plan, (title, verdict))
        finally:
            os.environ.pop("MPLCONFIGDIR")
            if before is not None:
                os.environ["MPLCONFIGDIR"] = before


def _draw(panel: Panel, forecasts: Forecasts, chosen: list[int], plan: Plan, texts: tuple[str, str]) -> bytes:
    """Draw one set of axes per series and return the PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    columns = 1 if len(chosen) < 3 else 2
    rows = max(1, -(-len(chosen) // columns))
    layout = ConstrainedLayoutEngine(h_pad=0.12, w_pad=0.1)
    figure = Figure(figsize=(11, 1.6 + (3.4 if rows == 1 else 2.7) * rows), dpi=110, layout=layout)
    FigureCanvasAgg(figure)
    heading = fill((texts[1][:1].upper() + texts[1][1:]).replace(" %", "\u00a0%"), 130)
    figure.suptitle(f"{texts[0]}\n{heading}", fontsize=10.5, color=INK, x=0.01, ha="left", linespacing=1.4)
    handles: list[Any] = []
    for place, row in enumerate(chosen):
        axes = figure.add_subplot(rows, columns, place + 1)
        handles = _draw_series(axes, panel, forecasts, row, max(3 * plan.horizon, 2 * plan.season))
        if len(panel) > 1:
            axes.set_title(_short(_title(forecasts, row)), fontsize=10, loc="left", color=INK)
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False, fontsize=9)
    sink = io.BytesIO()
    figure.savefig(sink, format="png", metadata={"Software": None})
    return sink.getvalue()


def _draw_series(axes: Any, panel: Panel, forecasts: Forecasts, row: int, steps: int) -> list[Any]:
    """Draw one series on its axes; return what the legend shows."""
    horizon, cutoff = forecasts.quantiles.shape[1], int(forecasts.cutoffs[row])
    history = panel.values(row)[-steps:]
    past = _axis(panel.calendar, np.arange(cutoff - len(history) + 1, cutoff + 1))
    ahead = _axis(panel.calendar, np.arange(cutoff + 1, cutoff + horizon + 1))
    levels = at(forecasts.quantiles[row : row + 1], forecasts.probabilities, (0.025, 0.1, 0.5, 0.9, 0.975))[0]
    dots = "o" if len(history) + horizon <= 80 or horizon == 1 else None  # a lone point has no line to be seen by
    wide = axes.fill_between(ahead, levels[:, 0], levels[:, 4], color=WIDE, lw=0, label="95 % band")
    narrow = axes.fill_between(ahead, levels[:, 1], levels[:, 3], color=NARROW, lw=0, label="80 % band")
    (seen,) = axes.plot(past, history, color=INK, lw=1.2, marker=dots, ms=2.2, label="history")
    (median,) = axes.plot(ahead, levels[:, 2], color=BLUE, lw=1.7, marker=dots, ms=2.4, label="forecast")
    line = axes.axvline(past[-1], color=PALE, lw=1, ls=(0, (3, 3)), label="last observed time")
    axes.grid(axis="y", color="#e8eaee", lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(PALE)
    axes.tick_params(colors="#555b66", labelsize=8.5, length=3)
    axes.margins(x=0.01)
    if np.issubdtype(past.dtype, np.datetime64):
        _date_ticks(axes)
    return [seen, median, narrow, wide, line]


def _date_ticks(axes: Any) -> None:
    """Label a time axis with short dates."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    # Three at least, not five as it comes: for four days, say, no interval between labels would give five to eight.
    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def _axis(calendar: Calendar, ordinals: Integers) -> Any:
    """Return what the time axis of a picture shows: times, or integers where the table has no times."""
    if parse_frequency(calendar.freq).unit == "step":
        return np.array([int(text) for text in calendar.render(ordinals)], dtype=np.int64)
    return calendar.times(ordinals)


def _title(forecasts: Forecasts, row: int) -> str:
    """Return what a series is called: its id, its target, or both."""
    if not forecasts.targets:
        return forecasts.ids[row]
    return forecasts.targets[row] if len(set(forecasts.ids)) == 1 else f"{forecasts.ids[row]}: {forecasts.targets[row]}"


def _short(name: str) -> str:
    """Return an id as it fits over a picture; a dollar sign must not start a formula."""
    text = " ".join(name.split())
    return (text if len(text) <= 60 else text[:59] + "…").replace("$", r"\$")
