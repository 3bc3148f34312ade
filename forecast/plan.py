"""The plan: what to train, settled. Everything the network's shape and a bundle's loading depend on is in here."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from forecast.errors import UsageError
from forecast.options import Cell, Forecaster, check_bounds

QUANTILES = (0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975)  # the grid every forecaster fills
MEDIAN = QUANTILES.index(0.5)
LINEAR = 0  # the base of a member that starts from a linear forecast of its window


@dataclass(frozen=True)
class Plan:
    """What is trained: sizes in steps of the panel, all settled; equal plans on equal data give equal weights."""

    horizon: int  # output steps
    window: int  # input steps the network sees, a multiple of segment
    segment: int  # steps fed to the cell at once
    seasons: tuple[int, ...]  # steps in one period, rising; (1,) where there is none
    base: int  # the forecast the network starts from: the value `base` steps before (1 = the last value)
    lookback: int  # steps before the origin that any forecaster may read
    past: tuple[str, ...] = ()  # names of covariates, in the order of the panel's columns
    future: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()  # names of the targets, where there are several
    mixed_targets: bool = False  # whether forecasters see the other targets of an id; `past` ends with one for each
    calendar: tuple[str, ...] = ()  # names of the calendar features, see panels/features.py
    holidays: tuple[str, ...] = ()  # the days behind the feature `holiday`, such as 2026-12-25, rising
    transforms: tuple[str, ...] = ("standard",)  # the scaling of each member, so also their number
    windows: tuple[int, ...] = ()  # the input steps of each member; none: `window` for all
    bases: tuple[int, ...] = ()  # the base of each member, or LINEAR; none: `base` for all
    smoothing: bool = False  # whether a network is shown the forecast of exponential smoothing, too
    smoothings: tuple[bool, ...] = ()  # the same for each member; none: `smoothing` for all
    shares: tuple[float, ...] = ()  # the weight of each member in the ensemble; none: equal
    cell: Cell = Cell.LSTM
    units: int = 64
    layers: int = 1
    dropout: float = 0.1  # share of the decoder's outputs left out in training, never inside the recurrence
    whole_spread: bool = False  # a window is divided by its standard deviation; False: by that of its last season
    chrono: bool = True  # spread the memory of an LSTM's units over the window when training starts
    memory: bool = True  # False cuts the recurrence: for measuring what it is worth
    forecaster: Forecaster = Forecaster.AUTO
    origins: int = 20  # rolling origins that are held back
    validation: int = 0  # steps in the validation tail, at least as many as are held back
    seed: int = 1
    steps: int = 1500  # training steps, at most
    batch: int = 256
    learning_rate: float = 4e-3
    clip: float = 1.0  # largest norm of the gradient; 0 does not clip
    epoch: int = 50  # training steps between two looks at the validation rows
    patience: int = 12  # epochs
    quantiles: tuple[float, ...] = field(default=QUANTILES)
    minimum: float | None = None  # no forecast and no band goes below it
    maximum: float | None = None
    decimals: int | None = None  # that forecast and bands are rounded to

    def __post_init__(self) -> None:
        """Check what the network takes for granted."""
        if min(self.horizon, self.window, self.segment, *self.seasons) < 1:
            raise UsageError("horizon, window, segment and seasons must be at least 1.\nCorrect the option.")
        if self.window % self.segment:
            raise UsageError(
                f"window {self.window} is no multiple of segment {self.segment}.\nChange --window or --segment."
            )
        each = (self.windows, self.bases, self.smoothings, self.shares)
        if any(len(some) not in (0, self.members) for some in each):
            raise UsageError(
                "windows, bases, smoothings and shares name one value for each member, or none.\nCorrect the plan."
            )
        if not {self.base, *self.bases} <= {LINEAR, 1, *self.seasons}:
            raise UsageError("a base is 0, 1 or a season.\nCorrect the plan.")
        if any(not 1 <= window <= self.window or window % self.segment for window in self.windows):
            raise UsageError(
                "a member's window is a multiple of the segment, and none is longer than `window`.\nCorrect the plan."
            )
        if self.shares and not (min(self.shares) >= 0 and abs(sum(self.shares) - 1) < 1e-6):
            raise UsageError("the shares of the members are at least 0, and together 1.\nCorrect the plan.")
        check_bounds(self.minimum, self.maximum, self.decimals)
        count = len(self.targets)
        if count == 1 or len(set(self.targets)) < count or (self.mixed_targets and not count):
            raise UsageError("several targets need different names, and one is not several.\nCorrect --target.")
        if self.mixed_targets and len(self.past) < count:
            raise UsageError("the covariates that stand for the targets are missing.\nLet training settle them.")

    @property
    def given(self) -> dict[str, tuple[str, ...]]:
        """The covariates that the table gives, by role: those that stand for the other targets are made."""
        made = len(self.targets) if self.mixed_targets else 0
        return {"past": self.past[: len(self.past) - made], "future": self.future, "static": self.static}

    @property
    def held_back(self) -> int:
        """Steps in the tail that is held back for calibration and report."""
        return self.horizon + self.origins - 1

    @property
    def validated(self) -> int:
        """Steps in the tail that validation looks at."""
        return max(self.validation, self.held_back)

    @property
    def season(self) -> int:
        """The shortest season: the step of MASE and of the first seasonal naive."""
        return self.seasons[0]

    @property
    def seasonal_lag(self) -> int:
        """Steps back that the seasonal naive looks: the base, or one season where the base is the last value."""
        return self.base if self.base > 1 else self.season

    @property
    def members(self) -> int:
        """Number of networks in the ensemble."""
        return len(self.transforms)

    def member(self, number: int) -> "Plan":
        """Return the plan of one member: its own window, base and transform, nothing of the others."""
        window = self.windows[number] if self.windows else self.window
        base = self.bases[number] if self.bases else self.base
        smoothing = self.smoothings[number] if self.smoothings else self.smoothing
        own = replace(self, windows=(), bases=(), smoothings=(), shares=(), transforms=(self.transforms[number],))
        return replace(own, window=window, base=base, smoothing=smoothing)

    def with_shares(self, shares: Sequence[float]) -> "Plan":
        """Return the plan of the members that have a share, with their shares, which are above 0 in sum."""
        kept = [number for number, share in enumerate(shares) if share > 0]
        total = sum(shares)
        return replace(
            self,
            transforms=tuple(self.transforms[number] for number in kept),
            windows=tuple(self.windows[number] for number in kept) if self.windows else (),
            bases=tuple(self.bases[number] for number in kept) if self.bases else (),
            smoothings=tuple(self.smoothings[number] for number in kept) if self.smoothings else (),
            shares=tuple(shares[number] / total for number in kept),
        )

    @property
    def smoothed(self) -> bool:
        """Whether any member is shown the forecast of exponential smoothing."""
        return any(self.smoothings) if self.smoothings else self.smoothing

    @property
    def input_segments(self) -> int:
        """Number of segments in the window."""
        return self.window // self.segment

    @property
    def output_segments(self) -> int:
        """Number of segments that cover the horizon."""
        return -(-self.horizon // self.segment)
