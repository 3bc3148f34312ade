"""Loading: a model comes back as it was, and nothing that is not that model comes back at all."""

import errno
import hashlib
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecast import store
from forecast.errors import BundleError, ModelNotFoundError
from forecast.forecasters.fitted import Kind
from forecast.panels import channels
from forecast.plan import Plan
from forecast.store import tensors
from forecast.store.manifest import MEND, manifest_of
from forecast.trained import Trained

Reseal = Callable[[Path, Mapping[str, bytes]], None]
Change = Callable[[Any], None]
BIAS = "network/member_0.head.bias"
MIX = "needs forecasters of different kinds, with weights that sum to 1"
LISTED = {"bytes": 1, "sha256": ""}
MANY = dict.fromkeys(["plan.json", "ids.json", "weights.safetensors", "scaling.safetensors"], LISTED)
MANY |= {f"{number}.csv": LISTED for number in range(64)}
CHECKED = ["plan.json", "ids.json", "weights.safetensors", "scaling.safetensors", "context.safetensors"]


def refusal(shelf: Any, name: str | None = "sales") -> str:
    """Return the message with which loading fails."""
    with pytest.raises(BundleError) as caught:
        shelf.load(name)
    return str(caught.value)


def same(one: Any, other: Any) -> bool:
    """Tell whether two records are equal in every field, type and bit."""
    if is_dataclass(one):
        return type(one) is type(other) and all(
            same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one)
        )
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


def put(*path_and_value: Any) -> Change:
    """Return what sets a value in nested objects: put("plan", "units", 1) sets plan.units to 1."""
    *path, last, value = path_and_value

    def change(document: Any) -> None:
        for key in path:
            document = document[key]
        document[last] = value

    return change


def drop(*path: Any) -> Change:
    """Return what removes a value from nested objects."""
    *outer, last = path

    def change(document: Any) -> None:
        for key in outer:
            document = document[key]
        del document[last]

    return change


def edited(folder: Path, name: str, change: Change) -> dict[str, bytes]:
    """Return a JSON file of a version, changed."""
    document = json.loads((folder / name).read_bytes())
    change(document)
    return {name: json.dumps(document).encode()}


def test_a_model_comes_back_as_it_was(shelf: Any, trained: Trained) -> None:
    shelf.publish()
    assert same(shelf.load().trained, trained)


def test_a_model_without_context_comes_back_without_one(shelf: Any, trained: Trained) -> None:
    shelf.publish(trained=replace(trained, context=None))
    assert shelf.load().trained.context is None


def test_the_context_can_be_left_out(shelf: Any) -> None:
    published = shelf.publish()
    (published.path / "context.safetensors").write_bytes(b"x" * 10)
    assert shelf.load(context=False).trained.context is None


def test_a_panel_without_covariates_comes_back_without_them(shelf: Any, trained: Trained) -> None:
    assert trained.context is not None
    none = np.empty((0, 0))
    plain = replace(
        trained,
        plan=replace(trained.plan, past=(), future=(), static=()),
        context=replace(trained.context, past=none, future=none, static=none, encodings=()),
        encodings=(),
    )
    shelf.publish(trained=plain)
    assert same(shelf.load().trained, plain)


def test_a_file_name_that_is_no_text_comes_back(shelf: Any, trained: Trained) -> None:
    path = os.fsdecode(b"caf\xe9.csv")
    shelf.publish(trained=replace(trained, source={"path": path}))
    assert shelf.load().trained.source == {"path": path}


def test_what_is_loaded_cannot_be_changed_by_accident(shelf: Any) -> None:
    shelf.publish()
    trained = shelf.load().trained
    arrays = [trained.units, *(array for one in trained.fitted for array in one.arrays.values())]
    assert [array.flags.writeable for array in arrays] == [False] * len(arrays)


def test_loading_says_which_version_it_was(shelf: Any) -> None:
    published = shelf.publish()
    loaded = shelf.load()
    assert (loaded.name, loaded.version, loaded.path, loaded.sha256, loaded.model) == (
        "sales",
        published.version,
        published.path,
        published.sha256,
        f"sales@{published.version}",
    )


def test_a_bundle_written_before_a_plan_had_a_field_takes_its_default(shelf: Any, reseal: Reseal) -> None:
    folder = shelf.publish().path
    reseal(folder, edited(folder, "plan.json", lambda document: document["plan"].pop("clip")))
    assert shelf.load().trained.plan.clip == Plan.clip


def test_a_bundle_from_before_there_were_encodings_ranges_and_last_steps_has_none(
    shelf: Any, trained: Trained, reseal: Reseal
) -> None:
    context = replace(trained.context, encodings=())
    folder = shelf.publish(trained=replace(trained, encodings=(), ranges=None, last=None, context=context)).path
    for key in ("encodings", "ranges", "last"):
        reseal(folder, edited(folder, "plan.json", drop(key)))
    loaded = shelf.load().trained
    assert (loaded.encodings, loaded.ranges, loaded.last) == ((), None, None)


def test_a_model_of_a_zone_with_holidays_comes_back_as_it_was(shelf: Any, trained: Trained) -> None:
    calendar = replace(trained.calendar, zone="%:z", tz="Europe/Berlin", elapsed=True)
    plan = replace(trained.plan, calendar=("day_sin", "holiday"), holidays=("2026-12-25", "2027-01-01"))
    read = replace(trained.read, tz="Europe/Berlin", holidays="DE")
    assert trained.context is not None
    context = replace(trained.context, calendar=calendar)
    changed = replace(trained, calendar=calendar, plan=plan, read=read, context=context)
    shelf.publish(trained=changed)
    found = shelf.load().trained
    assert (found.calendar, found.plan, found.read) == (calendar, plan, read)
    assert found.context.calendar == calendar


def test_a_copied_version_loads_from_anywhere(shelf: Any, tmp_path: Path) -> None:
    published = shelf.publish()
    published.path.rename(tmp_path / "backup")
    loaded = shelf.load(str(tmp_path / "backup"))
    assert (loaded.name, loaded.version) == ("backup", published.version)


def test_other_files_are_read_checked(shelf: Any) -> None:
    shelf.publish()
    assert store.read_file(shelf.load(), "golden.json") == b"{}\n"


def test_a_file_that_is_not_there_is_named_with_those_that_are(shelf: Any) -> None:
    shelf.publish()
    loaded = shelf.load()
    with pytest.raises(ModelNotFoundError) as caught:
        store.read_file(loaded, "../golden.json")
    assert str(caught.value) == (
        f"{loaded.model} holds no '../golden.json'; it holds context.safetensors, golden.json, ids.json, plan.json, "
        "predictions.csv, scaling.safetensors, weights.safetensors.\nName one of these."
    )


def test_another_file_that_was_changed_is_refused_when_it_is_read(shelf: Any) -> None:
    path = shelf.publish().path / "golden.json"
    path.write_bytes(b"[]\n")
    loaded = shelf.load()
    with pytest.raises(BundleError) as caught:
        store.read_file(loaded, "golden.json")
    assert str(caught.value) == f"{path} does not have the sha256 of the manifest.\n{MEND}"


def test_verify_finds_the_change_that_loading_does_not_look_for(shelf: Any) -> None:
    path = shelf.publish().path / "predictions.csv"
    path.write_bytes(path.read_bytes().replace(b"forecast", b"forecats"))
    with pytest.raises(BundleError) as caught:
        store.verify(shelf.load())
    assert str(caught.value) == f"{path} does not have the sha256 of the manifest.\n{MEND}"


@pytest.mark.parametrize("name", CHECKED)
def test_any_flipped_bit_is_found(shelf: Any, name: str) -> None:
    path = shelf.publish().path / name
    whole = path.read_bytes()
    for place in (0, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert refusal(shelf) == f"{path} does not have the sha256 of the manifest.\n{MEND}"


@pytest.mark.parametrize("place", [0, 100, -1])
def test_any_flipped_bit_of_the_manifest_is_found(shelf: Any, place: int) -> None:
    path = shelf.publish().path / "manifest.json"
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    assert refusal(shelf) == f"{path} is not the file that manifest.sha256 stands for.\n{MEND}"


@pytest.mark.parametrize("change", [bytes.strip, lambda seal: seal[::-1], lambda seal: b""])
def test_a_seal_that_is_not_byte_for_byte_is_refused(shelf: Any, change: Callable[[bytes], bytes]) -> None:
    folder = shelf.publish().path
    seal = folder / "manifest.sha256"
    seal.write_bytes(change(seal.read_bytes()))
    assert refusal(shelf) == f"{folder / 'manifest.json'} is not the file that manifest.sha256 stands for.\n{MEND}"


@pytest.mark.parametrize("name", CHECKED)
def test_a_truncated_file_is_refused(shelf: Any, name: str) -> None:
    path = shelf.publish().path / name
    size = path.stat().st_size
    os.truncate(path, size - 1)
    assert refusal(shelf) == f"{path} has {size - 1} bytes, not the {size} of the manifest.\n{MEND}"


@pytest.mark.parametrize("name", CHECKED)
def test_a_file_that_grew_is_refused_unread(shelf: Any, name: str) -> None:
    path = shelf.publish().path / name
    size = path.stat().st_size
    os.truncate(path, 1 << 40)  # a sparse file: reading it would take all memory
    assert refusal(shelf) == f"{path} has {1 << 40} bytes, more than the {size} allowed.\n{MEND}"


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sha256", *CHECKED, "golden.json"])
def test_a_missing_file_is_named(shelf: Any, name: str) -> None:
    path = shelf.publish().path / name
    path.unlink()
    assert refusal(shelf) == f"{path} is missing.\n{MEND}"


@pytest.mark.parametrize("name", ["weights.safetensors", "plan.json"])
def test_a_file_of_another_version_is_refused(shelf: Any, trained: Trained, name: str) -> None:
    other = shelf.publish(trained=replace(trained, plan=replace(trained.plan, seed=2), weights=(0.6, 0.3, 0.1)))
    array = trained.fitted[0].arrays["member_0.head.bias"]
    array[0] = 1.0
    path = shelf.publish(trained=trained).path / name
    path.write_bytes((other.path / name).read_bytes())
    assert refusal(shelf) == f"{path} does not have the sha256 of the manifest.\n{MEND}"


def test_the_manifest_of_another_version_is_refused(shelf: Any, at: Any) -> None:
    first, second = shelf.publish(now=at(2026, 1, 1)), shelf.publish(now=at(2026, 1, 2))
    for name in ("manifest.json", "manifest.sha256"):
        (second.path / name).write_bytes((first.path / name).read_bytes())
    assert refusal(shelf) == f"{second.path / 'manifest.json'} is that of the version {first.version}.\n{MEND}"


@pytest.mark.parametrize("name", ["extra.json", "weights.pkl", ".hidden", "weights.safetensors~"])
def test_a_file_that_does_not_belong_is_refused(shelf: Any, name: str) -> None:
    path = shelf.publish().path / name
    path.write_bytes(b"")
    assert refusal(shelf) == f"{path} does not belong to the model.\nMove it out of the version folder."


@pytest.mark.parametrize("name", CHECKED)
def test_a_link_is_refused_even_to_the_right_content(shelf: Any, tmp_path: Path, name: str) -> None:
    path = shelf.publish().path / name
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert refusal(shelf) == f"{path} is no regular file.\n{MEND}"


def test_a_manifest_that_is_a_link_is_refused(shelf: Any, tmp_path: Path) -> None:
    path = shelf.publish().path / "manifest.json"
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert refusal(shelf) == f"{path} is a link.\n{MEND}"


def test_a_pipe_is_refused_without_waiting_for_it(shelf: Any) -> None:
    path = shelf.publish().path / "manifest.json"
    path.unlink()
    os.mkfifo(path)
    assert refusal(shelf) == f"{path} is no regular file.\n{MEND}"


def test_a_version_that_is_a_link_is_refused(shelf: Any, tmp_path: Path) -> None:
    path = shelf.publish().path
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert refusal(shelf) == f"{path} is no folder.\n{MEND}"


def test_a_newer_format_is_told_from_damage(shelf: Any) -> None:
    path = shelf.publish().path / "manifest.json"
    reseal_manifest(path, lambda document: document.update(format=2, what="ever"))
    assert refusal(shelf) == (
        f"{path}: the format is 2; this forecast reads format 1.\nInstall a newer forecast, or train again."
    )


def test_a_manifest_that_promises_more_than_any_memory_costs_none(shelf: Any) -> None:
    path = shelf.publish().path / "manifest.json"
    reseal_manifest(path, put("files", "ids.json", "bytes", 8192 << 20))
    size = path.with_name("ids.json").stat().st_size
    tracemalloc.start()
    try:
        message = refusal(shelf)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert message == f"{path.with_name('ids.json')} has {size} bytes, not the {8192 << 20} of the manifest.\n{MEND}"
    assert peak < 10 << 20


def reseal_manifest(path: Path, change: Change) -> None:
    """Change a manifest and seal it again."""
    document = json.loads(path.read_bytes())
    change(document)
    path.write_bytes(json.dumps(document).encode())
    path.with_name("manifest.sha256").write_text(hashlib.sha256(path.read_bytes()).hexdigest() + "\n")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (put("more", 1), 'the manifest has an unknown key "more"'),
        (drop("tools"), "the manifest lacks the key 'tools'"),
        (put("version", "../x"), "names the version '../x', which is no name of a version"),
        (drop("files", "ids.json"), "does not list ids.json"),
        (put("files", "plan.json", "mode", 1), 'files.plan.json has an unknown key "mode"'),
        (put("files", "plan.json", "bytes", True), "files.plan.json.bytes should be a whole number, but is true"),
        (put("files", "../x.json", LISTED), "lists '../x.json', which no version holds"),
        (put("files", "x.pkl", LISTED), "lists 'x.pkl', which no version holds"),
        (put("files", []), "should have objects as 'tools' and 'files'"),
        (put("files", MANY), "lists 68 files, more than 64"),
        (put("format", 1.0), "format should be a whole number, but is 1.0"),
    ],
)
def test_a_manifest_that_says_what_none_says_is_refused(shelf: Any, change: Change, what: str) -> None:
    path = shelf.publish().path / "manifest.json"
    reseal_manifest(path, change)
    assert refusal(shelf) == f"{path} {what}.\n{MEND}"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (put("more", 1), 'the document has an unknown key "more"'),
        (drop("read"), "the document lacks the key 'read'"),
        (put("format", True), "format should be a whole number, but is true"),
        (put("format", 2), "has the format 2, not 1"),
        (put("plan", "module", "os"), 'plan has an unknown key "module"'),
        (drop("plan", "horizon"), "plan lacks the key 'horizon'"),
        (put("plan", "cell", "os.system"), 'plan.cell is "os.system", none of lstm, gru, rnn'),
        (put("plan", "units", "64"), 'plan.units should be a whole number, but is "64"'),
        (put("plan", "units", 1.0), "plan.units should be a whole number, but is 1.0"),
        (put("plan", "memory", 1), "plan.memory should be true or false, but is 1"),
        (put("plan", "past", "rain"), "plan.past should be a list"),
        (put("plan", "past", [1]), "plan.past[0] should be text, but is 1"),
        (put("plan", "horizon", 10**12), "has a number of steps outside 1 to 10000000"),
        (put("plan", "seasons", []), "is contradictory: a base is 0, 1 or a season"),
        (put("plan", "layers", 10**9), "has layers or units outside 1 to 16 and 1 to 65536"),
        (
            put("plan", "transforms", []),
            "is contradictory: windows, bases, smoothings and shares name one value for each member, or none",
        ),
        (put("plan", "quantiles", []), "has members or quantiles outside 1 to 1000"),
        (put("plan", "quantiles", [0.5, 0.1]), "has quantiles that do not rise from 0 to 1"),
        (put("plan", "window", 7), "is contradictory: window 7 is no multiple of segment 4"),
        (put("plan", "maximum", -2), "is contradictory: --min -1.5 is above --max -2"),
        (put("plan", "decimals", 10**9), "is contradictory: --round 1000000000 is no number of decimals"),
        (put("plan", "holidays", ["2026-12-25", "2026-01-01"]), "has holidays that are no rising days"),
        (put("plan", "holidays", ["20261225"]), "has holidays that are no rising days"),
        (
            put("calendar", "tz", "../etc/passwd"),
            "is contradictory: --tz '../etc/passwd' is no time zone that this machine knows",
        ),
        (put("calendar", "elapsed", True), "elapsed time needs a zone, and steps of equal duration"),
        (put("calendar", "freq", "fortnight"), "is contradictory: --freq 'fortnight' is no frequency"),
        (put("forecasters", 2, "kind", "forest"), f'forecasters[2].kind is "forest", none of {", ".join(Kind)}'),
        (put("forecasters", 2, "kind", "theta"), MIX),
        (put("forecasters", 2, "weight", 0.2), MIX),
        (put("forecasters", 2, "weight", -0.1), MIX),
        (put("forecasters", 2, "sparse_weight", 0.5), MIX),
        (put("forecasters", 2, "sparse_weight", None), MIX),
        (
            put("plan", "shares", [0.5, 0.6]),
            "is contradictory: the shares of the members are at least 0, and together 1",
        ),
        (put("forecasters", []), MIX),
        (put("forecasters", {}), "should have a list as 'forecasters'"),
        (put("source", []), "should have an object as 'source'"),
        (put("source", {"path": 7}), "source.path should be text, but is 7"),
        (put("plan", "calendar", ["9ear_sin"]), "has '9ear_sin', which is no calendar feature"),
        (
            lambda it: (it["plan"].update(calendar=["year_sin"]), it["calendar"].update(freq="step")),
            "has calendar features of integer steps, which have no times",
        ),
        (put("source", {"a": float("nan")}), "holds NaN, which is no number"),
        (put("ranges", 1), "ranges should be true or false, but is 1"),
        (put("calibration", "scale", 0.0), "calibration.scale should lie between 0 and 1e+06, but is 0.0"),
        (put("last", "yes"), 'last should be true or false, but is "yes"'),
        (put("encodings", {}), "should have a list as 'encodings'"),
        (put("encodings", 0, "role", "target"), 'encodings[0].role is "target", none of past, future, static'),
        (put("encodings", 0, "code", "os"), 'encodings[0] has an unknown key "code"'),
        (put("encodings", 0, "place", 1), "has an encoding of past covariate 1, which the table is not read with"),
        (put("encodings", 0, "place", -1), "has an encoding of past covariate -1, which the table is not read with"),
        (put("encodings", 1, "shares", [1.0]), "has an encoding of future covariate 0 that contradicts itself"),
        (put("encodings", 1, "role", "past"), "has two encodings of one covariate"),
        (put("encodings", 1, "boolean", True), "has encodings that do not make the 2 future columns of the plan"),
    ],
)
def test_a_plan_that_says_what_none_says_is_refused(shelf: Any, reseal: Reseal, change: Change, what: str) -> None:
    folder = shelf.publish().path
    reseal(folder, edited(folder, "plan.json", change))
    assert refusal(shelf) == f"{folder / 'plan.json'} {what}.\n{MEND}"


@pytest.mark.parametrize(
    ("ids", "what"),
    [
        (["a", "b"], "should hold 3 different ids, but holds 2"),
        (["a", "b", "b"], "should hold 3 different ids, but holds 2"),
        (["a", "b", 3], "the document[2] should be text, but is 3"),
        ({"a": 1}, "the document should be a list"),
    ],
)
def test_ids_that_are_not_those_of_the_plan_are_refused(shelf: Any, reseal: Reseal, ids: Any, what: str) -> None:
    folder = shelf.publish().path
    reseal(folder, {"ids.json": json.dumps(ids).encode()})
    assert refusal(shelf) == f"{folder / 'ids.json'} {what}.\n{MEND}"


@pytest.mark.parametrize(
    ("file", "change", "what"),
    [
        ("weights", put("extra", np.zeros(1, np.float32)), "has an unknown array 'extra'"),
        ("weights", drop(BIAS), f"lacks the array {BIAS!r}"),
        ("weights", put(BIAS, np.zeros(4, np.float32)), f"holds {BIAS!r} with shape (4,); the plan asks for (3,)"),
        ("weights", put(BIAS, np.zeros(3)), f"holds {BIAS!r} as F64, not as F32 or I64"),
        ("weights", put(BIAS, np.full(3, np.inf, np.float32)), f"holds a weight in {BIAS!r} that is no finite number"),
        ("scaling", put("units", np.zeros(3, np.float32)), "holds 'units' as F32, not as F64 or I64"),
        ("scaling", put("last", np.zeros(3)), "holds 'last' as F64, not as I64"),
        ("scaling", put("units", np.zeros((3, 1))), "holds 'units' with shape (3, 1); the plan asks for (3,)"),
        ("scaling", put("units", np.array([1, 1, np.inf])), "holds an infinite number in 'units'"),
        (
            "scaling",
            put("calibration/shift", np.full((3, 3), np.nan)),
            "holds a number in 'calibration/shift' that is none",
        ),
        (
            "scaling",
            put("calibration/sparse_pooled", np.ones(3)),
            "holds 'calibration/sparse_pooled' as F64, not as I64",
        ),
        (
            "scaling",
            put("calibration/sparse_shift", np.full((3, 3), np.nan)),
            "holds a number in 'calibration/sparse_shift' that is none",
        ),
        ("scaling", put("calibration/pooled", np.ones(3)), "holds 'calibration/pooled' as F64, not as I64"),
        ("context", put("target", np.zeros(35)), "holds 'future' with shape (2, 36); the plan asks for (2, 35)"),
        ("context", put("lengths", np.full(3, 2**62)), "holds lengths outside its 36 steps"),
        ("context", put("begins", np.array([0, -1, 0])), "holds begins outside its 36 steps"),
        ("context", put("starts", np.array([0, 2**42, 0])), f"holds series that start at steps 0 to {2**42}"),
        ("context", put("starts", np.full(3, 2**62)), f"holds series that start at steps {2**62} to {2**62}"),
        ("context", put("lengths", np.array([0, 1, 1])), "every series of a panel needs 1 <= length <= limit - begin"),
        ("context", put("target", np.full(36, np.inf)), "holds an infinite number in 'target'"),
        ("context", put("starts", np.zeros(3)), "holds 'starts' as F64, not as I64"),
        ("context", put("target", np.zeros(36, np.int64)), "holds 'target' as I64, not as F64"),
    ],
)
def test_arrays_that_are_not_those_of_the_plan_are_refused(
    shelf: Any, reseal: Reseal, file: str, change: Change, what: str
) -> None:
    path = shelf.publish().path / f"{file}.safetensors"
    data = path.read_bytes()
    arrays = {
        name: np.frombuffer(data[entry.begin : entry.end], tensors.TYPES[entry.dtype]).reshape(entry.shape)
        for name, entry in tensors.entries(data).items()
    }
    change(arrays)
    reseal(path.parent, {path.name: tensors.encode(arrays)})
    assert refusal(shelf) == f"{path} {what}.\n{MEND}"


def test_a_file_of_arrays_larger_than_the_plan_can_need_is_not_read(shelf: Any, reseal: Reseal) -> None:
    path = shelf.publish().path / "weights.safetensors"
    reseal(path.parent, {path.name: bytes(2 << 20)})
    limit = 8 + (1 << 20) + 8 * (15 + 3 + 2)
    assert refusal(shelf) == f"{path} has {2 << 20} bytes, more than the {limit} that the plan asks for.\n{MEND}"


def test_a_file_that_may_not_be_read_says_so(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path, allowed = shelf.publish().path / "plan.json", os.open  # a mode would not keep root out

    def refuse(place: Any, *rest: Any) -> int:
        if place == path:
            raise PermissionError(errno.EACCES, "Permission denied")
        return allowed(place, *rest)

    monkeypatch.setattr(os, "open", refuse)
    assert refusal(shelf) == (
        f"{path} cannot be read: permission denied.\nLet this user read the file, or {MEND[0].lower()}{MEND[1:]}"
    )


def test_a_manifest_that_was_made_by_hand_needs_all_of_the_core(shelf: Any, tmp_path: Path) -> None:
    folder = tmp_path / "forged"
    folder.mkdir()
    for name, data in manifest_of("20260101T000000Z-00000000", {}, None).items():
        (folder / name).write_bytes(data)
    assert refusal(shelf, str(folder)) == f"{folder / 'manifest.json'} does not list plan.json.\n{MEND}"


def test_loading_imports_no_training_package_and_no_pandas() -> None:
    code = (
        "import sys, forecast.store, forecast.forecasters.registry\n"
        "slow = {'pandas', 'safetensors', 'tensorflow', 'keras', 'sklearn', 'scipy'}\n"
        "print(sorted(slow & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def of_two_targets(trained: Trained) -> Trained:
    """Return a model of two targets of two ids, with a network that sees both of them."""
    assert trained.context is not None
    plan = channels.with_mixed_targets(replace(trained.plan, targets=("sales", "visits")))
    network, *others = trained.fitted
    doubled = {name: np.tile(array, (4, 1))[:4] for name, array in others[0].arrays.items() if array.ndim == 2}
    arrays = network.arrays | {"series.standard.centre": np.arange(4.0)}
    theta = replace(others[0], arrays=doubled | {"series.length": np.arange(4)})
    ids, channel = ("007", "007", "NA", "NA"), np.array([0, 1, 0, 1])
    context = replace(
        trained.context.select([0, 0, 1, 1]), ids=ids, targets=plan.targets, channel=channel, static=np.zeros((4, 1))
    )
    fitted = (replace(network, arrays=arrays), theta, others[1])
    numbers = {"units": np.arange(4.0), "ranges": np.arange(8.0).reshape(4, 2), "last": np.arange(4)}
    return replace(trained, plan=plan, ids=ids, fitted=fitted, context=context, **numbers)


def test_a_model_of_several_targets_comes_back_as_it_was(shelf: Any, trained: Trained) -> None:
    several = of_two_targets(trained)
    folder = shelf.publish(trained=several).path
    assert same(shelf.load().trained, several)
    assert json.loads((folder / "ids.json").read_bytes()) == ["007", "NA"]


def test_a_model_that_lacks_a_target_of_an_id_is_not_written(shelf: Any, trained: Trained) -> None:
    several = of_two_targets(trained)
    with pytest.raises(ValueError, match="needs all of them for each id, one after the other"):
        shelf.publish(trained=replace(several, ids=("007", "NA", "007", "NA")))


@pytest.mark.parametrize(("target", "names"), [(None, ()), ("sales", ("sales",))])
def test_a_bundle_of_before_several_targets_names_one_or_none(
    shelf: Any, reseal: Reseal, target: Any, names: tuple[str, ...]
) -> None:
    folder = shelf.publish().path
    reseal(folder, edited(folder, "plan.json", put("read", "target", target)))
    assert shelf.load().trained.read.target == names


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (put("plan", "targets", ["sales"]), "is contradictory: several targets need different names, and one is not"),
        (put("plan", "targets", ["a", "a"]), "is contradictory: several targets need different names, and one is not"),
        (put("plan", "targets", []), "is contradictory: several targets need different names, and one is not"),
        (put("plan", "past", []), "is contradictory: the covariates that stand for the targets are missing"),
        (put("series", 3), "ids.json should hold 1 different ids, but holds 2"),
        (put("forecasters", 0, "kind", "drift"), "mixes targets without a network, which alone has their scaling"),
        (put("read", "target", 3), "read.target[0] should be text, but is 3"),
    ],
)
def test_a_plan_of_several_targets_that_says_what_none_says_is_refused(
    shelf: Any, trained: Trained, reseal: Reseal, change: Change, what: str
) -> None:
    folder = shelf.publish(trained=of_two_targets(trained)).path
    reseal(folder, edited(folder, "plan.json", change))
    assert what in refusal(shelf)
