"""What train says about --min and --max: how much of the history lies outside, and whether 0 is worth asking for."""

from forecast.options import TrainOptions
from forecast.panels.bounds import Bounds, never_negative
from forecast.panels.panel import Panel
from forecast.trained import Forecasts


def outside_bounds(panel: Panel, options: TrainOptions) -> list[str]:
    """Return one line with the number of values that the forecast could not repeat; none where there is no such."""
    bounds = Bounds(options.min, options.max)
    count = bounds.outside(panel)
    if not count:
        return []
    values = "1 value" if count == 1 else f"{count:,} values"
    return [f"{values} of the history outside {bounds.asked}: learned from as they are, never forecast."]


def suggested_bounds(panel: Panel, forecasts: Forecasts) -> list[str]:
    """Return one line that suggests --min 0 where the history is never below 0 and a band is; else none."""
    if forecasts.bounds.minimum is not None or not (forecasts.quantiles < 0).any() or not never_negative(panel):
        return []
    return ["No value of the history is below 0, but a band of the forecast is: --min 0 keeps it from that."]
