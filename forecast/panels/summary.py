"""A series in a few numbers: how much of it is missing, and between which values it moves."""

from dataclasses import dataclass

import numpy as np

from forecast.panels.anomalies import median
from forecast.panels.blocks import blocks
from forecast.panels.panel import Floats, Integers, Panel


@dataclass(frozen=True, eq=False)
class Summary:
    """Of the visible steps of each series: arrays of shape (series,); the values are NaN where none is observed."""

    missing: Integers  # steps without a value
    gaps: Integers  # runs of such steps
    longest_gap: Integers  # steps
    longest_from: Integers  # step from the beginning of the series; 0 where there is no gap
    lowest: Floats
    middle: Floats  # the median
    highest: Floats


def summarise(panel: Panel) -> Summary:
    """Return the summary of the visible steps of each series."""
    missing, gaps, longest, longest_from = (np.zeros(len(panel), dtype=np.int64) for _ in range(4))
    lowest, middle, highest = (np.empty(len(panel)) for _ in range(3))
    for rows, values in blocks(panel):
        width = values.shape[1]
        gone = np.isnan(values) & (np.arange(width) >= width - panel.lengths[rows, None])
        edges = np.diff(gone.astype(np.int8), axis=1, prepend=0, append=0)
        row, first = np.nonzero(edges == 1)
        _, end = np.nonzero(edges == -1)
        missing[rows], gaps[rows] = gone.sum(axis=1), np.bincount(row, minlength=len(rows))
        order = np.lexsort((first - end, row))  # by series, the longest first
        one, place = np.unique(row[order], return_index=True)
        longest[rows[one]] = (end - first)[order][place]
        longest_from[rows[one]] = first[order][place] - (width - panel.lengths[rows[one]])
        lowest[rows], highest[rows] = np.fmin.reduce(values, axis=1), np.fmax.reduce(values, axis=1)
        middle[rows] = median(values)
    return Summary(missing, gaps, longest, longest_from, lowest, middle, highest)
