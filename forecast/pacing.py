"""How a time limit is shared out: learning on the first part, the checks, learning on all rows, the files.

What the network takes is measured while it learns; what comes after it is estimated, and more where other programs
have the processor, as they had it so far. The first
training gets half of what is left, so that the second one, which needs no looks at validation rows, can follow it
step by step. Without a limit nobody is stopped.
"""

import math

from forecast.errors import TimeLimitError
from forecast.evaluation.backtest import Split
from forecast.forecasters.fitted import Fitted, Kind
from forecast.forecasters.lstm.network import keep
from forecast.options import Forecaster
from forecast.plan import Plan
from forecast.progress import Look
from forecast.surroundings import Clock

# Seconds on two cores: estimates of what nobody can stop halfway.
CHECKS, PER_CHOICE, MOST_CHOICES, PER_ROW = 1.0, 40e-6, 200_000, 200e-6  # per cell of the mix; per forecast of a series
FILES, PER_CELL = 2.0, 30e-6  # forecast, plot, publishing; and per cell of backtest.csv
NETWORK = 3.0  # until a network has been compiled and has taken its first steps
GROWTH = 1.5  # by which the other forecasters take longer on all rows than on the first part
LEAST = 4  # epochs below which one network fewer is better than fewer steps for each


class Watch:
    """Listens to the training of an ensemble, and answers whether it has had its time; each member has a share."""

    def __init__(self, clock: Clock, plan: Plan, steps: tuple[int, ...], listen: Look) -> None:
        """steps: (members,) at most."""
        self.clock, self.plan, self.steps, self.listen = clock, plan, steps, listen
        self.end = math.inf  # seconds of the clock at which the training should be over
        self.member = -1  # the one that learns
        self.begun = self.before = 0.0  # when it began; when it was looked at last
        self.first = self.epoch = 0.0  # seconds to a member's first look, compiling included, and between two
        self.stopped: dict[int, int] = {}  # member -> step at which it was stopped; 0 where it was not begun

    @property
    def least(self) -> float:
        """Seconds that a member must have to be worth beginning."""
        return max(self.first + (LEAST - 1) * self.epoch, 1e-3)

    def __call__(self, done: int, total: int, loss: float | None, gain: float | None) -> bool:
        """Pass a look on; answer whether this member, or the ensemble where a member begins, has had its time."""
        self.listen(done, total, loss, gain)
        now = self.clock.spent
        if loss is None:
            self.member, self.begun, self.before = self.member + 1, now, now
            return self.member > 0 and self._stop(now + self.least > self.end, 0)
        if self.before == self.begun:
            self.first = now - self.begun
        else:
            self.epoch = now - self.before
        self.before = now
        step = done - self.member * self.plan.steps
        return self._stop(now + self.epoch > self._until() and step < self.steps[self.member], step)

    def _stop(self, enough: bool, step: int) -> bool:
        """Note where a member was stopped; return whether it was."""
        if enough:
            self.stopped[self.member] = step
        return enough

    def _until(self) -> float:
        """Return when the member that learns should be done: after its share among those that can be given enough."""
        room, waiting = self.end - self.begun, self.steps[self.member :]
        if math.isfinite(room):
            waiting = waiting[: max(1, int(room / self.least))]
        return self.begun + room * waiting[0] / sum(waiting)


class Pace:
    """Decides, training by training, what still fits into the limit."""

    def __init__(self, clock: Clock, parts: Split, plan: Plan) -> None:
        """Estimate what cannot be stopped halfway: the checks after the first training, the files after the second."""
        self.clock, self.plan, self.begun = clock, plan, clock.spent
        validation, held = len(parts.validation.series), len(parts.held.series)
        choices = min(validation * plan.horizon, MOST_CHOICES) * (plan.forecaster is Forecaster.AUTO)
        self._checks = CHECKS + PER_CHOICE * choices + PER_ROW * (validation + held)
        self._files = FILES + PER_CELL * held * plan.horizon
        self.others = 0.0  # seconds that the other forecasters take on all rows
        self.watches: list[Watch] = []
        self.members = plan.members
        self.left_out = 0  # networks that there was no time for
        self.given_up = False  # whether there is no time for a network

    @property
    def checks(self) -> float:
        """Seconds for choosing the mix and forecasting the origins."""
        return self._checks * self.clock.crowding

    @property
    def files(self) -> float:
        """Seconds for what follows the second training."""
        return self._files * self.clock.crowding

    def choosing(self, listen: Look) -> Look:
        """Return who listens to the first training; raises TimeLimitError where not even the checks fit any more."""
        watch = Watch(self.clock, self.plan, (self.plan.steps,) * self.plan.members, listen)
        self.watches = [watch]

        def look(done: int, total: int, loss: float | None, gain: float | None) -> bool:
            if watch.member < 0:  # the other forecasters have been fitted, the network begins
                self.others = GROWTH * (self.clock.spent - self.begun)
                watch.end = self.clock.spent + self._room() / 2
                if self._room() < 2 * NETWORK * self.clock.crowding:
                    self._give_up()
                    return True
            return watch(done, total, loss, gain)

        return look

    def keep(self, fitted: list[Fitted], trained: int) -> tuple[list[Fitted], Plan]:
        """Return the forecasters, the network with as many members as can be trained again, and the plan of these.

        trained: members of the first training. Raises TimeLimitError where there is time for none, and no other
        forecaster may be published.
        """
        watch, room = self.watches[0], self._room()
        if not self.given_up and room < watch.first:
            self._give_up()
        if self.given_up:
            return [one for one in fitted if one.kind is not Kind.NETWORK], self.plan
        most = max(1, int(room / watch.least)) if math.isfinite(room) else trained
        return self.trained(fitted, min(trained, most))

    def trained(self, fitted: list[Fitted], count: int) -> tuple[list[Fitted], Plan]:
        """Return the forecasters with the first members of the network alone, and the plan that describes them."""
        if count < self.plan.members:
            self.left_out += self.plan.members - count
            shares = (self.plan.shares or (1.0,) * self.plan.members)[:count] + (0.0,) * (self.plan.members - count)
            fitted = [keep(one, self.plan, shares) if one.kind is Kind.NETWORK else one for one in fitted]
            self.plan = self.plan.with_shares(shares)
        return fitted, self.plan

    def final(self, steps: tuple[int, ...], listen: Look) -> Look:
        """Return who listens to the second training, which gets all that the files leave."""
        watch = Watch(self.clock, self.plan, steps[: self.plan.members], listen)
        watch.end = self.clock.limit - self.files - self.others
        self.watches.append(watch)
        return watch

    def cut(self) -> tuple[str, ...]:
        """Return in words what the limit has cut; nothing where that is nothing."""
        if self.given_up:
            return ("no network: there was no time for its two trainings",)
        found = [f"{self.members - self.left_out} of {self.members} networks"] if self.left_out else []
        for watch, rows in zip(self.watches, ("the first part", "all rows"), strict=False):
            steps = [str(step) for step in watch.stopped.values() if step > 0]
            if steps:
                found.append(f"learning on {rows} stopped at step {' and '.join(steps)}")
        return tuple(found)

    def _room(self) -> float:
        """Return the seconds that are left for networks."""
        return self.clock.left - self.others - self.checks - self.files

    def _give_up(self) -> None:
        """Give up the network; TimeLimitError unless the others may be published, and fit into what is promised."""
        fits = self.clock.left + self.clock.overrun > self.others + self.checks + self.files
        if self.clock.left > 0 and fits and self.plan.forecaster is Forecaster.AUTO:
            self.given_up = True
            return
        needed = self.clock.limit - self._room() + 4 * NETWORK * self.clock.crowding
        raise TimeLimitError(
            f"the time limit of {self.clock.limit:g} s leaves, after {self.clock.spent:.0f} s, no time to train a "
            "network and to check it; nothing was published.\n"
            f"Give it more, such as --time-limit {10 * math.ceil(needed / 10)}s."
        )
