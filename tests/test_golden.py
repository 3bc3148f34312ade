"""The golden forecast: replayed it agrees, and what differs is named."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from forecast import golden, store
from forecast.errors import BundleError

MODELS = Path(__file__).resolve().parent.parent / "models"
Published = Callable[..., store.Loaded]


@pytest.fixture
def published(tmp_path: Path) -> Published:
    """Return what publishes the reference model with another golden forecast, and loads it."""
    loaded = store.load(MODELS, "reference-1")

    def publish(change: Callable[[dict[str, Any]], Any] = lambda _: None, context: bool = True) -> store.Loaded:
        document = json.loads(store.read_file(loaded, "golden.json"))
        change(document)
        trained = loaded.trained if context else replace(loaded.trained, context=None)
        store.publish(tmp_path, "m", trained, lambda _: {"golden.json": json.dumps(document).encode()})
        return store.load(tmp_path, "m")

    return publish


def test_a_model_as_it_was_made_is_whole(published: Published) -> None:
    assert golden.verify(published()) == 3


@pytest.mark.parametrize(("factor", "whole"), [(0.9, True), (1.1, False)])
def test_a_difference_counts_beyond_a_hundred_thousandth_of_the_scale(
    published: Published, factor: float, whole: bool
) -> None:
    unit = float(store.load(MODELS, "reference-1").trained.units[0])

    def change(document: dict[str, Any]) -> None:
        document["quantiles"][0][1][2] += factor * 1e-5 * unit

    loaded = published(change)
    if whole:
        assert golden.verify(loaded) == 3
        return
    with pytest.raises(BundleError):
        golden.verify(loaded)


def test_another_forecast_is_named_with_both_numbers(published: Published) -> None:
    loaded = published(lambda document: document["quantiles"][1][0].__setitem__(6, 5000.5))
    with pytest.raises(BundleError) as caught:
        golden.verify(loaded)
    now = loaded.trained.ids[1]
    message, hint = str(caught.value).splitlines()
    assert message.startswith(f"{loaded.path / 'golden.json'}: the model forecasts ")
    assert message.endswith(f" for {now!r}, step 1, quantile 0.5, and forecast 5000.5 when it was made.")
    assert hint == (
        "Its files are whole, so this machine computes otherwise: use the packages that it was made with "
        f"(numpy {loaded.manifest.tools['numpy']}), or train again."
    )


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda it: it.update(ids=["mining_and_logging", "nobody", "construction"]), "is the forecast of series that"),
        (lambda it: it.update(targets=["y"]), "is the forecast of series that the model does not have"),
        (lambda it: it.update(probabilities=[0.5]), "has other quantiles than the plan"),
        (lambda it: it["quantiles"].pop(), "should hold 3 x 6 x 13 quantiles"),
        (lambda it: it["quantiles"][2].pop(), "should hold 3 x 6 x 13 quantiles"),
        (lambda it: it["quantiles"][2][5].pop(), "should hold 3 x 6 x 13 quantiles"),
        (lambda it: it.update(quantiles=1), "quantiles should be a list"),
        (lambda it: it.update(more=1), 'the document has an unknown key "more"'),
        (lambda it: it.pop("ids"), "the document lacks the key 'ids'"),
    ],
)
def test_a_golden_forecast_that_is_none_is_refused(
    published: Published, change: Callable[[dict[str, Any]], Any], what: str
) -> None:
    loaded = published(change)
    with pytest.raises(BundleError, match=f"^{loaded.path / 'golden.json'} {what}"):
        golden.verify(loaded)


def test_a_model_without_stored_rows_has_nothing_to_replay(published: Published) -> None:
    assert golden.verify(published(context=False)) == 0


def test_every_file_is_checked_before(published: Published) -> None:
    loaded = published()
    (loaded.path / "golden.json").write_bytes(b"{}")
    with pytest.raises(BundleError, match=r"golden\.json has 2 bytes, not the \d+ of the manifest"):
        golden.verify(loaded)
