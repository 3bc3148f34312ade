"""The crontab of docs/cron.md in Debian's own cron: three firings a minute apart, each with another table.

Needs root, cron and curl: `make test-system`. It waits for the clock, three to four minutes, and hardly computes. The
daemon runs in a mount namespace of its own, with its own crontabs and its own sendmail: nothing of the machine's is
touched, however the test ends.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from pyarrow import parquet

from forecast.store import locked

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs" / "cron.md").read_text(encoding="utf-8")
HEAD, *ROWS = (REPOSITORY / "data" / "us_employment.csv").read_text(encoding="utf-8").splitlines()
SPOOL = Path("/var/spool/cron/crontabs")
PROGRAM = f"{sys.executable} -B {REPOSITORY / 'cli.py'}"
MODEL = ("--models", str(REPOSITORY / "models"), "-m", "reference-1")
LONGEST = 150  # seconds from one firing to the end of the next
DAEMON = """
set -e
mount --bind "$0/crontabs" /var/spool/cron/crontabs
mount --bind "$0/none" /etc/cron.d
mount --bind "$0/empty" /etc/crontab
mount --bind "$0/run" /run
mount --bind "$0/sbin" /usr/sbin
crontab "$0/crontab"
exec /usr/sbin/cron -f
"""
SENDMAIL = """#!/bin/sh
cat > {folder}/mail/new && mv {folder}/mail/new {folder}/mail/$(date +%s%N).eml
"""
FORECAST = """#!/bin/sh
env > {folder}/environment
echo >> {folder}/started
{program} "$@"
code=$?
echo $code >> {folder}/codes
exit $code
"""


@dataclass(frozen=True)
class Nights:
    """What three firings left."""

    folder: Path
    codes: list[int]
    pings: list[str]
    outputs: list[dict[str, bytes]]  # after each firing, by name
    rows: list[int]  # of the log, after each firing
    waited: bool  # whether the second firing was still there while its log was locked

    @property
    def mails(self) -> list[str]:
        """What was mailed."""
        return [path.read_text() for path in sorted((self.folder / "mail").iterdir())]


def block(language: str) -> str:
    """Return the first block of a language on the page."""
    found = re.search(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def replaced(text: str, words: dict[str, str]) -> str:
    """Return a text with every one of these words, which must be there, replaced."""
    for old, new in words.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def wait_until(reached: Callable[[], bool], what: str) -> None:
    """Wait for something to happen."""
    end = time.monotonic() + LONGEST
    while not reached():
        assert time.monotonic() < end, f"waited {LONGEST} s for {what}"
        time.sleep(0.5)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


@contextmanager
def monitor() -> Iterator[tuple[str, list[str]]]:
    """Listen for pings; yield the URL and the list that they come into."""
    pings: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pings.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", pings
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def daemon(folder: Path) -> Iterator[None]:
    """Run cron with the crontab of the folder, and nothing else to do."""
    assert shutil.which("cron"), "cron is missing: `apt-get install cron`, or run `make test-system` as root"
    for name in ("crontabs", "none", "run", "sbin", "mail"):
        (folder / name).mkdir()
    (folder / "empty").touch()
    shutil.copy(shutil.which("cron") or "", folder / "sbin" / "cron")
    (folder / "sbin" / "sendmail").write_text(SENDMAIL.format(folder=folder))
    (folder / "sbin" / "sendmail").chmod(0o755)
    with (folder / "said").open("wb") as said:
        command = ["unshare", "--mount", "/bin/sh", "-c", DAEMON, str(folder)]
        process = subprocess.Popen(command, stdout=said, stderr=said, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        time.sleep(1)
        assert process.poll() is None, (folder / "said").read_text()
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def bring(folder: Path, until: str, *more: str) -> None:
    """Bring in a new table, with the rows up to a month, as the page says: written beside it, then renamed."""
    rows = [row for row in ROWS if row.split(",")[1] <= until]
    (folder / "sales.csv.new").write_text("\n".join([HEAD, *rows, *more]) + "\n")
    (folder / "sales.csv.new").rename(folder / "sales.csv")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def logged(folder: Path) -> int:
    return sum(parquet.read_metadata(path).num_rows for path in folder.glob("part-*.parquet"))


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """Let cron run the job three times."""
    folder = tmp_path_factory.mktemp("cron")
    sales = folder / "sales"
    (sales / "out").mkdir(parents=True)
    own = {'"models"': json.dumps(str(REPOSITORY / "models")), '"sales"': '"reference-1"', "error:36h": "error:40000d"}
    (sales / "forecast.toml").write_text(replaced(block("toml"), own))
    (folder / "bin").mkdir()
    (folder / "bin" / "forecast").write_text(FORECAST.format(folder=folder, program=PROGRAM))
    (folder / "bin" / "forecast").chmod(0o755)
    outputs, rows = [], []
    with monitor() as (url, pings):
        there = {
            "/opt/forecast/bin": str(folder / "bin"),
            "/srv/sales": str(sales),
            "15 3 * * *": "* * * * *",
            "https://ping.example.org": url,
        }
        (folder / "crontab").write_text(replaced(block("crontab"), there))
        bring(sales, "2015-09-01")
        with daemon(folder):
            wait_until(lambda: len(pings) == 1, "the first firing")
            outputs.append(contents(sales / "out"))
            rows.append(logged(sales / "log"))
            bring(sales, "2015-10-01")
            with locked(sales / "log", "a test"):
                wait_until(lambda: len(lines(folder / "started")) == 2, "the second firing")
                time.sleep(3)
                waited = len(lines(folder / "codes")) == 1
            wait_until(lambda: len(pings) == 2, "the end of the second firing")
            outputs.append(contents(sales / "out"))
            rows.append(logged(sales / "log"))
            bring(sales, "2015-10-01", "construction,2015-11-01,closed")
            wait_until(lambda: len(contents(folder / "mail")) == 1, "a mail")
            outputs.append(contents(sales / "out"))
            rows.append(logged(sales / "log"))
    codes = [int(line) for line in lines(folder / "codes")]
    return Nights(folder, codes, pings, outputs, rows, waited)


def test_two_nights_go_well_and_a_broken_table_leaves_with_12(nights: Nights) -> None:
    assert nights.codes == [0, 0, 12]


@pytest.mark.parametrize(("night", "until"), [(0, "2015-09-01"), (1, "2015-10-01")])
def test_each_night_leaves_what_the_command_line_forecasts(
    nights: Nights, tmp_path: Path, night: int, until: str
) -> None:
    bring(tmp_path, until)
    command = [
        *PROGRAM.split(),
        "predict",
        str(tmp_path / "sales.csv"),
        *MODEL,
        "-o",
        str(tmp_path / "by_hand.csv"),
        "-q",
    ]
    subprocess.run(command, check=True)
    name = f"{until.replace('-', '')}T0000.csv"
    assert nights.outputs[night][name] == (tmp_path / "by_hand.csv").read_bytes()
    assert sorted(nights.outputs[night]) == ["20150901T0000.csv", "20151001T0000.csv"][: night + 1]


def test_after_the_broken_table_the_old_forecasts_are_as_they_were(nights: Nights) -> None:
    assert nights.outputs[2] == nights.outputs[1]


def test_the_log_holds_each_forecast_once(nights: Nights) -> None:
    assert nights.rows == [90, 180, 180]


def test_the_job_has_scored_what_has_met_its_truth(nights: Nights) -> None:
    sales = nights.folder / "sales"
    bring(sales, "2015-10-01")
    command = [*PROGRAM.split(), "score", str(sales / "log"), "--actuals", str(sales / "sales.csv"), *MODEL, "--json"]
    record = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert '"scored": 15' in json.dumps(record)


def test_a_night_waits_for_a_log_that_is_locked(nights: Nights) -> None:
    assert nights.waited
    holder = json.loads((nights.folder / "sales" / "log" / ".lock").read_text())
    assert holder["command"] == "predict --log"
    with locked(nights.folder / "sales" / "log", "a test"):
        pass  # nobody has kept it


def test_the_only_mail_is_that_of_the_broken_table_and_it_is_one_message(nights: Nights) -> None:
    (mail,) = nights.mails
    headers, _, body = mail.partition("\n\n")
    assert "To: ops@example.org" in headers
    last = len([row for row in ROWS if row.split(",")[1] <= "2015-10-01"]) + 2
    assert body.splitlines() == [
        f"Error: sales.csv:{last}: column 'employees' should be a number, but is 'closed'.",
        "Correct the cell, leave it empty to mark a missing value, or name it with --null-value.",
        "The job 'nightly' stopped at 'predict'; not run: 'score'.",
    ]


def test_the_monitor_hears_of_the_good_nights_alone(nights: Nights) -> None:
    assert nights.pings == ["/sales", "/sales"]


def test_the_environment_was_that_of_cron(nights: Nights) -> None:
    found = dict(line.split("=", 1) for line in lines(nights.folder / "environment"))
    assert found["SHELL"] == "/bin/sh"
    assert found["PATH"] == f"{nights.folder}/bin:/usr/bin:/bin"
    assert sorted(found.keys() - {"LANG", "OLDPWD", "PWD", "_"}) == ["HOME", "LOGNAME", "MAILTO", "PATH", "SHELL"]


def test_nothing_else_is_left(nights: Nights) -> None:
    sales = nights.folder / "sales"
    assert sorted(path.name for path in sales.iterdir()) == ["forecast.toml", "log", "out", "sales.csv"]
    assert not [path for path in SPOOL.iterdir() if str(nights.folder) in path.read_text()]
