"""Public holidays: the days from the package `holidays`, which training alone needs, and what steps they fall into."""

from typing import Any

import numpy as np

from forecast.errors import MismatchError, UsageError
from forecast.panels.calendar import Calendar
from forecast.panels.panel import Floats, Integers
from forecast.plan import Plan

YEARS_AHEAD = 20  # after the end of the data: as long as a model can forecast without being trained again


def holiday_days(code: str, first: int, last: int) -> tuple[str, ...]:
    """Return the public holidays of a country, or of a part of it (AU, AU-VIC), from one year to another: ISO dates.

    Raises UsageError where the package is not installed or does not know the code.
    """
    country, _, part = code.strip().partition("-")
    package = _package()
    known: dict[str, list[str]] = package.list_supported_countries()
    parts = {name.upper(): name for name in known.get(country.upper(), ())}
    if country.upper() not in known:
        raise UsageError(
            f"--holidays {code!r}: the package holidays does not know the country {country!r}.\n"
            "Use a code of ISO 3166, such as DE or US, with a part of the country behind it where you like: DE-BY."
        )
    if part and part.upper() not in parts:
        some = f"the parts of {country.upper()} are {', '.join(parts.values())}" if parts else "it has no parts"
        raise UsageError(
            f"--holidays {code!r}: the package holidays does not know {part!r}; {some}.\n"
            f"Name one of them, or --holidays {country.upper()} for the days of the whole country."
        )
    years = range(first, last + 1)
    days = package.country_holidays(country.upper(), subdiv=parts[part.upper()] if part else None, years=years)
    return tuple(sorted(day.isoformat() for day in days))


def holidays_in(calendar: Calendar, ordinals: Integers, days: tuple[str, ...]) -> Floats:
    """Return how many of the days belong to each step: (ordinals,); of steps within a day, 1 where it is one."""
    known = np.array(days, dtype="M8[D]").astype(np.int64)
    first, last = calendar.days(ordinals)
    counts = np.searchsorted(known, last, side="right") - np.searchsorted(known, first, side="left")
    return counts.astype(np.float64)


def refuse_unknown_days(plan: Plan, calendar: Calendar, ends: Integers) -> None:
    """Refuse a forecast that ends, at one of these ordinals, after the years whose holidays a model knows."""
    if not plan.holidays or not len(ends):
        return
    known = int(plan.holidays[-1][:4])
    last = calendar.times(ends.max(keepdims=True)).astype("M8[Y]").astype(np.int64)[0] + 1970
    if last > known:
        raise MismatchError(
            f"the forecast ends in {last}, and the model knows the holidays up to {known}.\nTrain again."
        )


def _package() -> Any:
    """Return the package `holidays`; UsageError where it is not installed."""
    try:
        import holidays
    except ImportError:
        raise UsageError(
            "--holidays needs the package holidays, which is not installed.\n"
            "Install it with: pip install 'forecast-lstm[holidays]'"
        ) from None
    return holidays
