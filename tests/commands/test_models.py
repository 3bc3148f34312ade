"""`forecast models` on real stores: what it prints, what it changes, and with which exit code it leaves."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from forecast import store
from forecast.commands import run
from forecast.golden import golden_forecast

REPOSITORY = Path(__file__).resolve().parents[2]
REFERENCE = "reference-1@20261121T070222Z-b6bafe28"
IN_THE_WAY = "--lock-dir models/sales/CURRENT: it cannot be made: file exists."
METRICS = json.dumps({"scores": {"model": {"skill": 0.127}}}).encode()


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Publish the reference model three times as `sales`, each with a golden forecast; return the versions."""
    monkeypatch.chdir(tmp_path)
    trained = store.load(REPOSITORY / "models", "reference-1").trained
    files = {"golden.json": golden_forecast(trained), "metrics.json": METRICS}
    return [
        store.publish("models", "sales", trained, lambda _: files, now=datetime(2026, 1, day, tzinfo=UTC)).version
        for day in (1, 2, 3)
    ]


def path_of(version: str) -> Path:
    return Path("models", "sales", "versions", version)


def damage(path: Path) -> None:
    """Flip a bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def said(words: list[str], capfd: pytest.CaptureFixture[str], code: int = 0) -> Any:
    """Run a command line, which must leave with this code; return what it printed."""
    capfd.readouterr()
    assert run(["models", *words]) == code
    return capfd.readouterr()


def document(words: list[str], capfd: pytest.CaptureFixture[str], code: int = 0) -> Any:
    """Run a command line with --json; return the one document on stdout."""
    found = json.loads(said([*words, "--json"], capfd, code).out)
    assert found["exit_code"] == code
    return found


def test_the_list_has_a_line_for_each_model(versions: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(REPOSITORY / "models" / "reference-1", "models/reference-1")
    lines = said(["list"], capfd).out.splitlines()
    assert [line.split() for line in lines] == [
        ["model", "current", "version", "versions", "series", "horizon", "frequency", "skill", "size"],
        ["reference-1", REFERENCE.partition("@")[2], "1", "15", "6", "MS", "-", "75.3", "kB"],
        ["sales", versions[2], "3", "15", "6", "MS", "+13", "%", *lines[2].split()[-2:]],
    ]


def test_the_list_of_a_model_has_a_line_for_each_version(
    versions: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    found = document(["list", "sales"], capfd)
    assert [(one["version"], one["role"]) for one in found["listed"]] == [
        (versions[0], None),
        (versions[1], "previous"),
        (versions[2], "current"),
    ]
    _, *lines = said(["list", "sales"], capfd).out.splitlines()
    assert [line.split()[0] for line in lines] == versions
    assert lines[2].split()[1] == "current"
    assert lines[2].endswith("2015-12-01")


def test_a_candidate_is_called_one_until_it_is_promoted(versions: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    trained = store.load("models", "sales").trained
    candidate = store.publish("models", "sales", trained, lambda _: {}, candidate=True).version
    roles = [one["role"] for one in document(["list", "sales"], capfd)["listed"]]
    assert roles == [None, "previous", "current", "candidate"]
    assert said(["show", f"sales@{candidate}"], capfd).out.startswith(f"sales@{candidate} (candidate)\n")
    said(["promote", f"sales@{candidate}"], capfd)
    roles = [one["role"] for one in document(["list", "sales"], capfd)["listed"]]
    assert roles == [None, None, "previous", "current"]


def test_damage_is_a_line_of_the_list(versions: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    damage(path_of(versions[2]) / "plan.json")
    *_, empty, line = said(["list"], capfd).out.splitlines()
    assert (empty, line) == (
        "",
        f"sales: {path_of(versions[2])}/plan.json does not have the sha256 of the manifest.",
    )
    Path("models/sales/CURRENT").write_text("nonsense")
    assert said(["list"], capfd).out.splitlines()[-1] == (
        "sales: models/sales/CURRENT holds 'nonsense', which is no name of a version."
    )


def test_an_empty_store_is_an_empty_list(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert document(["list", "--models", str(tmp_path)], capfd)["models"] == []
    assert "there is no store" in said(["list", "--models", str(tmp_path / "none")], capfd, 10).err


def test_show_says_what_a_version_is(versions: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    lines = said(["show"], capfd).out.splitlines()
    assert lines[:3] == [f"sales@{versions[2]} (current)", "", f"folder      {path_of(versions[2])}"]
    told = dict(line.split("  ", 1) for line in lines[2:])
    assert told["series"].strip() == "15, frequency MS, season of 12"
    assert told["mix"].strip() == "LSTM 100 %"
    assert told["skill"].strip() == "+13 % against seasonal naive, on rows that training never saw"
    found = document(["show", "sales@previous"], capfd)
    assert (found["model"], found["role"], found["plan"]["horizon"]) == (f"sales@{versions[1]}", "previous", 6)


def test_what_a_terminal_would_obey_is_shown_as_text(versions: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    loaded = store.load("models", "sales")
    loaded.trained.source["path"] = "\x1b[31mred.csv"
    store.publish("models", "red", loaded.trained, lambda _: {})
    text = said(["show", "red"], capfd).out
    assert "\\x1b[31mred.csv" in text
    assert "\x1b" not in text


def test_verify_checks_every_version_and_forecasts_again(
    versions: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert said(["verify"], capfd).out.splitlines() == [
        f"sales@{version}: whole: 7 files are those of the manifest; it forecasts 3 series as when it was made"
        for version in versions
    ]
    assert said(["verify", "sales@previous", "-q"], capfd).out == ""


@pytest.mark.parametrize("name", ["weights.safetensors", "metrics.json", "golden.json", "context.safetensors"])
def test_verify_names_the_file_that_is_damaged(
    versions: list[str], capfd: pytest.CaptureFixture[str], name: str
) -> None:
    path = path_of(versions[2]) / name
    damage(path)
    found = said(["verify", "sales"], capfd, 14)
    message = f"{path} does not have the sha256 of the manifest."
    assert found.out == f"sales: damaged: {message}\n"
    assert found.err == (
        f"Error: {message}\n"
        "Copy the version folder again from where it was made, choose another version, or train again.\n"
    )


def test_verify_goes_on_after_a_damaged_version(versions: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    damage(path_of(versions[0]) / "ids.json")
    Path("models/sales/CURRENT").write_text("nonsense")
    found = document(["verify"], capfd, 14)
    assert [bool(one["problem"]) for one in found["verified"]] == [True, True, False, False]
    assert said(["verify"], capfd, 14).err.splitlines()[0] == (
        "Error: 2 of 4 versions are damaged; the first: "
        "models/sales/CURRENT holds 'nonsense', which is no name of a version."
    )


def test_promote_and_rollback_say_what_is_current(versions: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    found = said(["rollback", "sales"], capfd)
    assert (found.out, found.err) == ("", f"sales@{versions[1]} is the current version now; it was {versions[2]}.\n")
    assert said(["promote", f"sales@{versions[1]}"], capfd).err == (
        f"sales@{versions[1]} is the current version already.\n"
    )
    assert document(["promote", f"sales@{versions[0]}"], capfd)["before"] == versions[1]
    assert store.load("models", "sales").version == versions[0]
    assert said(["rollback", "sales", "-q"], capfd, 10).err.startswith(
        "Error: the model 'sales' has no version before the current one; it has "
    )


def test_a_version_that_forecasts_otherwise_is_not_promoted(
    versions: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    loaded = store.load("models", "sales")
    text = store.read_file(loaded, "golden.json").decode()
    first = text.partition("[[[")[2].partition(",")[0]
    other = text.replace(first, "1.5", 1).encode()
    old = datetime(2025, 1, 1, tzinfo=UTC)
    worse = store.publish("models", "sales", loaded.trained, lambda _: {"golden.json": other}, now=old).version
    assert run(["models", "promote", f"sales@{versions[2]}", "-q"]) == 0
    assert "and forecast 1.5 when it was made." in said(["promote", f"sales@{worse}"], capfd, 14).err
    assert store.load("models", "sales").version == versions[2]


def test_a_locked_model_is_exit_11(versions: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with store.locked(Path("models/sales"), "publish"):
        for words in (["promote", f"sales@{versions[0]}"], ["rollback", "sales"], ["prune"]):
            assert said(words, capfd, 11).err.startswith("Error: models/sales is locked by process ")
        assert said(["verify", "sales"], capfd).err == ""


def test_a_run_that_waits_for_a_lock_says_so_and_gets_it(
    versions: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    home = Path("models/sales")
    with store.locked(home, "publish"):
        found = said(["rollback", "sales", "--lock-wait", "0.1s"], capfd, 11).err
        assert ": waiting for up to 0s.\nError: models/sales is locked by process " in found
        # A folder for locks is another lock: one for all runs, or none.
        said(["rollback", "sales", "--lock-dir", "locks"], capfd)
    assert store.load("models", "sales").version == versions[1]


def test_prune_removes_what_is_superseded(versions: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert said(["prune"], capfd).err == "Removed nothing: no version is superseded\n"
    oldest = path_of("20250101T000000Z-00000000")
    shutil.copytree(path_of(versions[0]), oldest)
    assert said(["prune", "--dry-run"], capfd).err == f"Would remove sales@{oldest.name}\n"
    assert oldest.exists()
    assert said(["prune", "sales"], capfd).err == f"Removed sales@{oldest.name}\n"
    assert list(store.versions_of(Path("models/sales"))) == versions


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["promote", "sales"], 2, "'sales' names no version."),
        (["promote"], 2, "forecast models promote needs NAME@VERSION."),
        (["rollback"], 2, "forecast models rollback needs NAME."),
        (
            ["promote", "sales@x", "--lock-dir", "no/where"],
            2,
            "--lock-dir no/where: it cannot be made: no such file or directory.",
        ),
        (["rollback", "sales", "--lock-dir", "models/sales/CURRENT"], 2, IN_THE_WAY),
        (["prune", "--lock-wait", "10"], 2, "--lock-wait '10' is no length of time."),
        (["prune", "sales@previous"], 2, "'sales@previous' names a version."),
        (["list", "sales@previous"], 2, "'sales@previous' names one version."),
        (["show", "nobody"], 10, "the store 'models' holds no model 'nobody'; it holds sales."),
        ([], 2, "which command? There are list, show, verify, promote, rollback, prune, export."),
    ],
)
def test_what_cannot_be_meant_is_refused(
    versions: list[str], capfd: pytest.CaptureFixture[str], words: list[str], code: int, message: str
) -> None:
    found = said(words, capfd, code)
    assert found.err.splitlines()[0] == f"Error: {message}"
    assert found.out == ""
