"""What docs/cron.md shows beside the crontab: units checked by systemd, the file of logrotate by it, the CronJob
by the schemas of Kubernetes, and every RUN line of the Dockerfile in a fresh environment.

Needs root, systemd-analyze and logrotate: `make test-system`.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs" / "cron.md").read_text(encoding="utf-8")
UNITS = dict(re.findall(r"^`/etc/systemd/system/(.+?)`:\n\n```ini\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL))
STEPS = [
    line.split(maxsplit=1)
    for line in (REPOSITORY / "Dockerfile").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
COMMAND = "/opt/forecast/bin/forecast"
# As `docker run --read-only --user 10001` with one volume for out/ and log/. To read everything is allowed, as it is in
# an image: the interpreter of the tests may lie in a home that is closed to others.
CONTAINER = """
set -e
for place in "$0" "$0/out" "$0/log"; do mount --bind "$place" "$place"; done
mount -o remount,bind,ro "$0"
mount -o remount,bind,ro /
cd /
exec setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs \
    --inh-caps=-all,+dac_read_search --ambient-caps=-all,+dac_read_search env -i "$@"
"""


def run(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a program; return what it left."""
    assert shutil.which(str(words[0])), f"{words[0]} is missing: run `make test-system` as root, which installs it"
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload, no-any-return]


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """Return a folder with the units, whose program is one that is there."""
    program = tmp_path / "forecast"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for name, text in UNITS.items():
        (tmp_path / name).write_text(text.replace(COMMAND, str(program)))
    return tmp_path


def verified(folder: Path) -> str:
    """Return what systemd has against the units."""
    done = run("systemd-analyze", "verify", "--man=no", *(folder / name for name in UNITS), cwd=folder)
    return done.stderr + str(done.returncode or "")


def test_the_page_shows_a_service_a_timer_and_what_mails() -> None:
    assert sorted(UNITS) == ["forecast-failed@.service", "forecast-sales.service", "forecast-sales.timer"]


def test_systemd_has_nothing_against_the_units(units: Path) -> None:
    assert verified(units) == ""


@pytest.mark.parametrize(("right", "wrong"), [("Restart=", "Restrat="), ("RestartSec=15min", "RestartSec=15mnt")])
def test_systemd_would_find_a_mistake(units: Path, right: str, wrong: str) -> None:
    path = units / "forecast-sales.service"
    path.write_text(path.read_text().replace(right, wrong, 1))
    assert re.search(r"forecast-sales.service:\d+: (Unknown|Failed)", verified(units))


def test_the_timer_starts_at_a_quarter_past_three() -> None:
    calendar = UNITS["forecast-sales.timer"].partition("OnCalendar=")[2].splitlines()[0]
    done = run("systemd-analyze", "calendar", calendar)
    assert done.returncode == 0, done.stderr
    assert "Normalized form: *-*-* 03:15:00 Europe/Berlin" in done.stdout
    assert "Next elapse: " in done.stdout


def test_logrotate_rotates_the_log(tmp_path: Path) -> None:
    block = PAGE.partition("```logrotate\n")[2].partition("```")[0]
    (tmp_path / "forecast").write_text(block.replace("/var/log/forecast", str(tmp_path)))
    (tmp_path / "sales.log").write_text("Error: ...\n")
    done = run("logrotate", "--force", "--state", tmp_path / "state", tmp_path / "forecast")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "sales.log.1.gz").exists()


@pytest.mark.parametrize("mistake", [False, True])
def test_the_cron_job_is_one_that_kubernetes_knows(schemas: Path, tmp_path: Path, mistake: bool) -> None:
    block = PAGE.partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "job.yaml").write_text(block.replace("backoffLimit", "backofLimit") if mistake else block)
    words = ("-m", "kubernetes_validate", "--strict", "-k", "1.31", tmp_path / "job.yaml")
    done = run(sys.executable, *words, env=os.environ | {"PYTHONPATH": str(schemas)})
    assert (done.returncode != 0) == mistake, done.stdout + done.stderr


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the schemas of Kubernetes, which nothing else here needs; return their folder."""
    folder = tmp_path_factory.mktemp("schemas")
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    done = run(*pip, "--target", folder, "kubernetes-validate")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """Do what the Dockerfile says, its RUN lines in an environment of their own; return the folder of the programs."""
    folder = Path(tempfile.mkdtemp(prefix="forecast-image-"))
    folder.chmod(0o755)  # user 10001 must reach it
    source = folder / "src"
    source.mkdir()
    # It has a pip of its own and nothing else, as the image of the FROM line.
    subprocess.run([sys.executable, "-m", "venv", folder / "python"], check=True)
    environment = {"PATH": f"{folder}/python/bin:/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8"}
    environment |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    try:
        for verb, rest in STEPS:
            if verb == "COPY":
                *names, _ = rest.split()
                for name in names:
                    copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copy
                    copy(REPOSITORY / name, source / name)
            elif verb == "RUN":
                done = subprocess.run(
                    ["/bin/sh", "-c", rest], cwd=source, env=environment, capture_output=True, text=True, check=False
                )
                assert done.returncode == 0, f"{rest}\n{done.stderr}"
        yield folder / "python" / "bin"
    finally:
        shutil.rmtree(folder)


def test_the_image_has_what_predict_needs_and_no_more(image: Path) -> None:
    names = {line.split("==")[0].lower() for line in run(image / "pip", "freeze").stdout.splitlines()}
    assert {"numpy", "pandas", "pyarrow", "typer"} < names
    assert not names & {"tensorflow", "keras", "scikit-learn", "scipy", "matplotlib"}


def test_the_image_runs_the_job_as_nobody_on_a_read_only_file_system(image: Path) -> None:
    words = dict(STEPS)
    assert (words["USER"], words["ENTRYPOINT"]) == ("10001:10001", '["forecast"]')
    folder = image.parent.parent / "job"
    folder.mkdir()
    for name in ("out", "log"):
        (folder / name).mkdir()
        os.chown(folder / name, 10001, 10001)
    job = PAGE.partition("```toml\n")[2].partition("```")[0]
    models = REPOSITORY / "models"
    for old, new in {'"models"': f'"{models}"', '"sales"': '"reference-1"', "error:36h": "error:40000d"}.items():
        job = job.replace(old, new)
    (folder / "forecast.toml").write_text(job)
    shutil.copy(REPOSITORY / "data" / "us_employment.csv", folder / "sales.csv")
    command = (image / "forecast", "run", "nightly", "-q", "--config", folder / "forecast.toml")
    done = run("unshare", "--mount", "/bin/sh", "-c", CONTAINER, folder, *command)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [path.name for path in (folder / "out").iterdir()] == ["20151201T0000.csv"]
    probe = run("unshare", "--mount", "/bin/sh", "-c", CONTAINER, folder, "/usr/bin/touch", folder / "probe")
    assert "Read-only file system" in probe.stderr
