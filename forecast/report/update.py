"""What came of an update, in one sentence of numbers that were measured."""

from dataclasses import dataclass

from forecast.evaluation.comparison import Comparison
from forecast.report.verdict import MOST, luck


@dataclass(frozen=True)
class Race:
    """A candidate and the current model at the same origins, whose truth neither has seen."""

    measure: str  # of the errors: MASE or MAE
    error: float  # of the candidate
    before: float  # of the current model
    comparison: Comparison
    first: str  # cutoff, as the table writes times
    last: str
    origins: int
    horizon: str  # with its unit, such as 48 hours
    series: int

    @property
    def change(self) -> float | None:
        """Error of the candidate / error of the current model - 1: below 0 it is better; None where that made none."""
        return self.error / self.before - 1 if self.before else 0.0 if not self.error else None


def race_text(race: Race) -> str:
    """Return by how much the candidate is better or worse, on what, and whether that may be chance."""
    origins = f"the origin {race.first}"
    if race.origins > 1:
        origins = f"{race.origins} origins from {race.first} to {race.last}"
    series = f" of {race.series:,} series" if race.series > 1 else ""
    digits = ".3f" if race.measure == "MASE" else ".4g"
    errors = f"{race.measure} {race.error:{digits}} against {race.before:{digits}}"
    each = ", each " if race.origins > 1 else ", "
    where = f"{origins}{series}{each}{race.horizon} ahead"
    return f"{_amount(race.change)} ({errors}) on {where}, that neither had seen{luck(race.comparison)}"


def _amount(change: float | None) -> str:
    if change == 0:
        return "as good"
    percent = MOST + 1 if change is None else 100 * abs(change)
    amount = f"over {MOST} %" if percent > MOST else f"{percent:.1f} %"
    return f"{amount} {'worse' if change is None or change > 0 else 'better'}"


def missing_text(new: int, horizon: int, word: str) -> str:
    """Return why nothing can be compared: how many new steps there are, and how many are missing, in these words."""
    if new == 0:
        return "there are no new rows"
    if new >= horizon:
        return f"none of the {new:,} new {word} has values before it and in the {horizon} after it"
    missing = horizon - new
    return (
        f"{new:,} new {word} {'is' if new == 1 else 'are'} too few to compare on: a forecast reaches {horizon}, so "
        f"{missing:,} more {'is' if missing == 1 else 'are'} needed"
    )
