"""docs/cron.md, as far as that goes without a scheduler: the job, lines for a shell, the CronJob, the exit codes."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from forecast.commands import run
from forecast.errors import ForecastError

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = (REPOSITORY / "docs" / "cron.md").read_text(encoding="utf-8")
NOT_AN_ERROR = {0, 1, 130, 143}  # the codes that no ForecastError has


def blocks(language: str) -> list[str]:
    """Return the blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


def line_with(word: str) -> str:
    """Return the one line for a shell or a crontab that has a word in it, without its schedule."""
    (line,) = [line for text in (*blocks("sh"), *blocks("crontab")) for line in text.splitlines() if word in line]
    return re.sub(r"^[\d*]+ [\d*]+ [\d*]+ [\d*]+ [\d*]+  ", "", line)


def table() -> dict[int, str]:
    """Return what the page says to do for each exit code."""
    rows = re.findall(r"^\| ([\d, ]+) \| .+ \| (.+) \|$", PAGE, flags=re.MULTILINE)
    return {int(code): action for codes, action in rows for code in codes.split(",")}


def codes_of(error: type[ForecastError]) -> set[int]:
    """Return the exit codes of an error and of all its children."""
    return {error.exit_code}.union(*(codes_of(child) for child in error.__subclasses__()))


def beyond_retrying() -> list[int]:
    """Return the codes of trouble that the page gives no retry."""
    return [code for code, action in table().items() if "retry" not in action and not action.startswith("ignore")]


def cron_job() -> Any:
    (text,) = blocks("yaml")
    return yaml.safe_load(text)


def test_every_exit_code_has_a_line_that_says_what_to_do() -> None:
    assert set(table()) == codes_of(ForecastError) | NOT_AN_ERROR
    assert all(
        action.split(":")[0].split(" ")[0].strip(";,") in ("retry", "page", "ignore") for action in table().values()
    )


def test_systemd_and_kubernetes_retry_what_the_table_says() -> None:
    (prevented,) = re.findall(r"^RestartPreventExitStatus=(.+)$", PAGE, flags=re.MULTILINE)
    assert [int(code) for code in prevented.split()] == beyond_retrying()
    (rule,) = cron_job()["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
    assert rule["action"] == "FailJob"
    assert rule["onExitCodes"] == {"containerName": "forecast", "operator": "In", "values": beyond_retrying()}


def test_the_cron_job_never_runs_twice_at_a_time_nor_as_root_nor_for_ever() -> None:
    document = cron_job()
    assert (document["apiVersion"], document["kind"]) == ("batch/v1", "CronJob")
    spec = document["spec"]
    assert (spec["concurrencyPolicy"], spec["schedule"].split()) == ("Forbid", ["15", "3", "*", "*", "*"])
    job = spec["jobTemplate"]["spec"]
    assert job["activeDeadlineSeconds"] > 0
    pod = job["template"]["spec"]
    assert pod["restartPolicy"] == "Never"  # what podFailurePolicy asks for
    assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"]) == (True, 10001)
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    mounted = [mount["name"] for mount in container["volumeMounts"]]
    assert mounted == [volume["name"] for volume in pod["volumes"]]


def test_all_schedulers_run_the_same_job() -> None:
    lines = [line for text in blocks("crontab") for line in text.splitlines() if "forecast run" in line]
    lines += re.findall(r"^ExecStart=(/opt.+)$", PAGE, flags=re.MULTILINE)
    lines += [
        f"forecast {' '.join(cron_job()['spec']['jobTemplate']['spec']['template']['spec']['containers'][0]['args'])}"
    ]
    assert len(lines) == 4
    assert all("forecast run nightly -q --config /srv/sales/forecast.toml" in line for line in lines)


def test_the_job_is_one_that_forecast_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "forecast.toml").write_text(blocks("toml")[0])
    assert run(["run", "--config", str(tmp_path / "forecast.toml"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"jobs": {"nightly": ["predict", "score"]}}
    for command in ("predict", "score"):
        assert run(["config", "show", command, "--config", str(tmp_path / "forecast.toml")]) == 0


@pytest.mark.parametrize(("code", "loaded"), [(0, True), (3, True), (11, False), (12, False)])
def test_what_comes_next_runs_after_0_and_3_alone(tmp_path: Path, code: int, loaded: bool) -> None:
    for name, text in (("forecast", f"exit {code}"), ("load-into-warehouse", f"touch {tmp_path}/loaded")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(["/bin/sh", "-c", line_with("load-into-warehouse")], env=environment, check=False)
    assert (done.returncode == 0, (tmp_path / "loaded").exists()) == (loaded, loaded)


def test_old_forecasts_are_removed_and_young_ones_stay(tmp_path: Path) -> None:
    for name, days in (("old.csv", 92), (".forecast-1.tmp", 92), ("young.csv", 89), ("other.txt", 92)):
        (tmp_path / name).touch()
        then = (tmp_path / name).stat().st_mtime - days * 86_400
        os.utime(tmp_path / name, (then, then))
    command = line_with("find ").replace("/srv/sales/out", str(tmp_path))
    subprocess.run(["/bin/sh", "-c", command], check=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.txt", "young.csv"]


def test_docker_is_sent_what_the_dockerfile_copies_and_no_more() -> None:
    steps = (REPOSITORY / "Dockerfile").read_text().splitlines()
    copied = [name for step in steps if step.startswith("COPY ") for name in step.split()[1:-1]]
    let_through = [line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert sorted(let_through) == sorted(copied)
    assert all((REPOSITORY / name).exists() for name in copied)
