"""A time limit is shared out and kept, on a clock that the tests move."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from forecast.errors import TimeLimitError
from forecast.forecasters.fitted import Fitted, Kind
from forecast.forecasters.lstm.network import shapes
from forecast.options import Forecaster
from forecast.pacing import LEAST, Pace
from forecast.plan import Plan
from forecast.surroundings import Clock

PLAN = Plan(
    horizon=6, window=12, segment=6, seasons=(6,), base=6, lookback=40, steps=1000, epoch=50,
    transforms=("log", "standard"),
)  # fmt: skip
PARTS: Any = SimpleNamespace(validation=SimpleNamespace(series=[0] * 10), held=SimpleNamespace(series=[0] * 10))


class World:
    """A machine of a known speed: seconds until a member's first step, seconds per epoch."""

    def __init__(
        self, limit: float, start: float = 6.0, setup: float = 2.0, epoch: float = 1.0, crowding: float = 1.0
    ) -> None:
        self.time, self.setup, self.epoch = start, setup, epoch
        self.clock = Clock(limit, 0.0, lambda: self.time, lambda: self.time / crowding, 0.0)
        self.heard: list[Any] = []

    def pace(self, plan: Plan = PLAN) -> Pace:
        return Pace(self.clock, PARTS, plan)

    def listen(self, *look: Any) -> None:
        self.heard.append(look)

    def learn(self, look: Any, plan: Plan = PLAN, until: tuple[int, ...] | None = None) -> tuple[int, ...]:
        """Do what network.fit does with a listener; return the steps of each member that was begun."""
        done = []
        for member, last in enumerate(until or (plan.steps,) * plan.members):
            if look(member * plan.steps, plan.members * plan.steps, None, None):
                break
            self.time += self.setup
            for step in range(plan.epoch, last + 1, plan.epoch):
                self.time += self.epoch
                if look(member * plan.steps + step, plan.members * plan.steps, 0.1, 0.2):
                    break
            done.append(step)
        return tuple(done)


def fitted(plan: Plan = PLAN) -> list[Fitted]:
    arrays = {name: np.zeros(shape) for name, shape in shapes(plan, 1).items()}
    return [Fitted(Kind.NETWORK, arrays), Fitted(Kind.THETA)]


def whole_run(world: World, plan: Plan = PLAN, checks: float = 1.0) -> tuple[Pace, tuple[int, ...], tuple[int, ...]]:
    """Train twice as the pipeline does; return the steps of both trainings."""
    pace = world.pace(plan)
    first = world.learn(pace.choosing(world.listen), plan)
    kept, small = pace.keep(fitted(plan), len(first))
    world.time += checks
    if Kind.NETWORK not in {one.kind for one in kept}:
        return pace, first, ()
    steps = first[: small.members]
    second = world.learn(pace.final(steps, world.listen), small, steps)
    pace.trained(kept, len(second))
    return pace, first, second


def test_without_a_limit_nobody_is_stopped() -> None:
    world = World(float("inf"), epoch=1e6)
    pace, *steps = whole_run(world)
    assert steps == [(1000, 1000), (1000, 1000)]
    assert pace.cut() == ()


def test_a_limit_that_is_long_enough_cuts_nothing() -> None:
    pace, *steps = whole_run(World(200))
    assert steps == [(1000, 1000), (1000, 1000)]
    assert pace.cut() == ()


@pytest.mark.parametrize("limit", [25, 30, 40, 60, 90])
@pytest.mark.parametrize("epoch", [0.1, 0.5, 1.0, 2.0])
def test_both_trainings_and_the_files_fit_into_the_limit(limit: int, epoch: float) -> None:
    world = World(limit, epoch=epoch)
    pace, *_ = whole_run(world)
    assert world.time + pace.files <= limit + epoch  # what has begun cannot be stopped within an epoch


def test_more_time_is_kept_for_the_files_where_other_programs_have_the_processor() -> None:
    plan, world = replace(PLAN, steps=20_000), World(60, epoch=0.1, crowding=3.0)
    files = World(60).pace().files
    pace, *_ = whole_run(world, plan)
    assert pace.files == pytest.approx(3 * files)
    assert world.time + 3 * files <= 60


def test_the_members_share_the_time_of_the_first_training() -> None:
    _, first, _ = whole_run(World(60))
    assert len(first) == 2
    assert abs(first[0] - first[1]) <= PLAN.epoch


def test_the_second_training_can_follow_the_first_step_by_step() -> None:
    _, first, second = whole_run(World(60))
    assert 0 < first[0] < PLAN.steps
    assert second == first


def test_there_are_fewer_members_before_there_are_very_few_steps() -> None:
    pace, first, second = whole_run(World(30))
    assert len(first) == len(second) == 1
    assert first[0] >= LEAST * PLAN.epoch
    assert pace.plan.transforms == ("log",)


def test_a_network_that_is_cut_to_fewer_members_has_the_arrays_of_its_plan() -> None:
    world = World(30)
    pace = world.pace()
    kept, plan = pace.keep(fitted(), len(world.learn(pace.choosing(world.listen))))
    assert {name: array.shape for name, array in kept[0].arrays.items()} == shapes(plan, 1)


def test_time_that_a_member_leaves_goes_to_the_next() -> None:
    world = World(60)
    pace = world.pace()
    steps = world.learn(pace.choosing(world.listen), until=(100, 1000))
    assert steps[1] > whole_run(World(60))[1][1]


def test_what_was_cut_is_said_in_words() -> None:
    pace, first, second = whole_run(World(26), checks=4.0)
    assert len(first) == 1
    assert second[0] < first[0]
    assert pace.cut() == (
        "1 of 2 networks",
        f"learning on the first part stopped at step {first[0]}",
        f"learning on all rows stopped at step {second[0]}",
    )


def test_the_looks_are_passed_on() -> None:
    world = World(200)
    world.learn(world.pace().choosing(world.listen))
    assert world.heard[:2] == [(0, 2000, None, None), (50, 2000, 0.1, 0.2)]


def test_without_time_for_two_trainings_there_is_no_network() -> None:
    world = World(12)
    pace, first, second = whole_run(world)
    assert (first, second) == ((), ())
    assert pace.cut() == ("no network: there was no time for its two trainings",)


def test_a_first_look_that_took_too_long_leaves_no_network() -> None:
    world = World(20, setup=8)
    pace, first, second = whole_run(world)
    assert (len(first), second) == (1, ())
    assert pace.cut() == ("no network: there was no time for its two trainings",)


def test_a_limit_that_is_over_before_the_network_begins_publishes_nothing() -> None:
    world = World(5)
    with pytest.raises(TimeLimitError) as refused:
        world.learn(world.pace().choosing(world.listen))
    assert str(refused.value) == (
        "the time limit of 5 s leaves, after 6 s, no time to train a network and to check it; nothing was published.\n"
        "Give it more, such as --time-limit 30s."
    )
    assert refused.value.exit_code == 124


def test_where_the_network_alone_may_be_published_there_is_nothing_without_it() -> None:
    world = World(12)
    with pytest.raises(TimeLimitError):
        world.learn(world.pace(replace(PLAN, forecaster=Forecaster.NETWORK)).choosing(world.listen))


def test_the_limit_that_is_proposed_is_enough() -> None:
    with pytest.raises(TimeLimitError) as refused:
        whole_run(World(5))
    proposed = float(refused.value.hint.split()[-1].removesuffix("s."))
    _, _, second = whole_run(World(proposed))
    assert second[0] >= LEAST * PLAN.epoch
