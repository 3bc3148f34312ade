import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from forecast.errors import DataError, ResourceError
from forecast.options import ReadOptions
from forecast.tables import read_panel
from forecast.tables.memory import free_memory, refuse_beyond, within_memory

MB = 10**6
RUN = """
import resource, sys
which, megabytes, *words = sys.argv[1:]
resource.setrlimit(getattr(resource, which), (int(megabytes) * 10**6,) * 2)
sys.argv = ["forecast", *words]
from forecast.commands import main
main()
"""
linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not say what is free")


def system(folder: Path, groups: str = "") -> Path:
    """Lay out the files in which Linux says what there is: 8 GB free, and what stands in the groups."""
    files = {
        "proc/meminfo": "MemTotal: 9000000 kB\nMemAvailable: 8000000 kB\n",
        "proc/self/status": "Name: python\nVmSize: 300000 kB\nVmData: 100000 kB\n",
        "proc/self/cgroup": groups,
    }
    write(folder, files)
    return folder


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def run_under(limit: str, megabytes: int, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", RUN, limit, str(megabytes), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@pytest.fixture
def sparse(tmp_path: Path) -> Path:
    """Return a table of 4 GB that take no room on the disk."""
    table = tmp_path / "sales.csv"
    table.write_text("ds,y\n2024-01-01,1\n")
    with table.open("r+b") as file:
        file.truncate(4_000 * MB)
    return table


@linux
@pytest.mark.parametrize("limit", ["RLIMIT_AS", "RLIMIT_DATA"])
@pytest.mark.parametrize("command", ["check", "train", "predict"])
def test_a_table_beyond_a_limit_is_refused_before_it_is_read(
    limit: str, command: str, sparse: Path, samples: Path
) -> None:
    models = ["--models", str(samples.parent / "models"), "-m", "reference-1"] if command == "predict" else []
    done = run_under(limit, 1_500, command, str(sparse), *models)
    said = re.sub(r"[\d,]+ MB are free", "N MB are free", done.stderr)
    assert said == (
        f"Error: {sparse}: reading it takes about 12,000 MB of memory, three times its size, and N MB are free.\n"
        "Give the command more memory, or the table fewer rows or columns.\n"
    )
    assert done.returncode == 18
    assert [entry.name for entry in sparse.parent.iterdir()] == ["sales.csv"]


@linux
@pytest.mark.parametrize("door", ["file", "standard input"])
def test_a_table_that_turns_out_to_be_too_large_is_refused_as_well(door: str, tmp_path: Path) -> None:
    table = tmp_path / "sales.csv"
    table.write_text("id,ds,y\n" + "shop 17,2024-01-01 00:00:00,17.5\n" * 1_000_000)
    with table.open() as stream:
        command = [sys.executable, "-c", RUN, "RLIMIT_DATA", "160", "check", "-" if door != "file" else str(table)]
        done = subprocess.run(command, stdin=stream, capture_output=True, text=True, check=False)
    assert done.returncode == 18
    name = re.escape(str(table) if door == "file" else door)
    assert re.match(rf"Error: {name}: reading it takes [^.]* memory[^.]* [\d,]+ MB are free\.\nGive ", done.stderr)


def test_the_limits_are_those_of_before_when_a_table_is_read(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(DataError):
        read_panel(str(tmp_path / "missing.csv"), ReadOptions())
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


@linux
def test_what_is_free_is_a_limit_while_a_table_is_read() -> None:
    free = free_memory()
    assert free is not None
    with (
        pytest.raises(
            ResourceError, match=r"^a\.csv: reading it takes more memory than there is: [\d,]+ MB are free\."
        ),
        within_memory("a.csv", 0),
    ):
        refuse_beyond(free + 100 * MB)


def test_without_limits_all_memory_that_the_system_gives_is_free(tmp_path: Path) -> None:
    assert free_memory(system(tmp_path)) == 8_000_000 * 1024


def test_a_system_that_does_not_say_what_is_free_sets_no_limit(tmp_path: Path) -> None:
    assert free_memory(tmp_path) is None


@pytest.mark.parametrize("path", ["/jobs/night", "/jobs", "/"])
def test_a_control_group_is_a_limit_also_for_those_within(path: str, tmp_path: Path) -> None:
    root, group = system(tmp_path, f"0::{path}\n"), "sys/fs/cgroup" + ("" if path == "/" else "/jobs")
    stat = f"anon {300 * MB}\ninactive_file {150 * MB}\nactive_file {50 * MB}\n"
    write(root, {f"{group}/memory.max": "1000000000", f"{group}/memory.current": "600000000"})
    write(root, {f"{group}/memory.stat": stat, "sys/fs/cgroup/jobs/night/memory.max": "max"})
    assert free_memory(root) == 600 * MB


def test_a_control_group_of_the_first_version_is_a_limit(tmp_path: Path) -> None:
    # In a container the path is that of the host, and the group its own.
    root, group = system(tmp_path, "3:cpu,cpuacct:/a\n4:memory:/docker/1234\n0::/\n"), "sys/fs/cgroup/memory"
    write(root, {f"{group}/memory.limit_in_bytes": "1000000000", f"{group}/memory.usage_in_bytes": "600000000"})
    write(root, {f"{group}/memory.stat": "total_inactive_file 1000000\ntotal_active_file 0\n"})
    assert free_memory(root) == 401 * MB
