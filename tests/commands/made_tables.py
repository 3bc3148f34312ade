"""Tables of tests/bad_tables that are too large to be checked in, or that git cannot hold."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

DAYS = [f"{year}-{month:02d}-{day:02d}" for year in (2024, 2025) for month in range(1, 13) for day in range(1, 29)]
GOOD = "date,y\n" + "".join(f"{day},{10 + step % 7}\n" for step, day in enumerate(DAYS[:12]))


def _late_text(folder: Path) -> None:
    rows = [f"shop {row // 9_000},{1 + row % 9_000},{row % 7}\n" for row in range(70_000)]
    rows[60_000] = "shop 6,6001,n.a.\n"
    (folder / "late_text.csv").write_text("id,ds,y\n" + "".join(rows))


def _late_text_mended(folder: Path) -> None:
    place = folder / "late_text.csv"
    place.write_text(place.read_text().replace("n.a.", "5"))


def _large_archive(folder: Path) -> None:
    rows = (f"{step},{step % 7}\n" for step in range(1, 9_000))
    (folder / "large_archive.csv.gz").write_bytes(gzip.compress(("ds,y\n" + "".join(rows)).encode(), mtime=0))


def _larger_than_memory(folder: Path) -> None:
    place = folder / "larger_than_memory.csv"
    place.write_text(GOOD)
    os.truncate(place, 8 << 40)  # zeros that take no room on the disk


def _larger_than_memory_mended(folder: Path) -> None:
    (folder / "larger_than_memory.csv").write_text(GOOD)


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe.csv")
    (folder / "good.csv").write_text(GOOD)


def _loop(folder: Path) -> None:
    (folder / "loop_of_links.csv").symlink_to("loop_of_links.csv")


def _loop_mended(folder: Path) -> None:
    (folder / "loop_of_links.csv").unlink()
    (folder / "loop_of_links.csv").write_text(GOOD)


def _link(folder: Path) -> None:
    (folder / "real.csv").write_text(GOOD)
    (folder / "link.csv").symlink_to("real.csv")


def _folder(folder: Path) -> None:
    (folder / "folder").mkdir()
    (folder / "folder" / "sales.csv").write_text(GOOD)


def _neighbour(folder: Path) -> None:
    (folder / "sales.csv").write_text(GOOD)


def _long_id(folder: Path) -> None:
    rows = "".join(f"{name},{day},{step}\n" for name in ("x" * 10_000, "y") for step, day in enumerate(DAYS[:12]))
    (folder / "long_id.csv").write_text("id,date,y\n" + rows)


def _many_columns(folder: Path) -> None:
    names = [f"c{number}" for number in range(5_000)]
    rows = [",".join([day, *(str(step + number) for number in range(5_000))]) for step, day in enumerate(DAYS[:12])]
    (folder / "many_columns.csv").write_text("\n".join([",".join(["date", *names]), *rows, ""]))


def _output_folder(folder: Path) -> None:
    (folder / "results").mkdir()
    (folder / "good.csv").write_text(GOOD)


# By name of the case, the folder in which it is run -> the table in it.
MADE: dict[str, Callable[[Path], None]] = {
    "folder": _folder,
    "large_archive": _large_archive,
    "larger_than_memory": _larger_than_memory,
    "late_text": _late_text,
    "link": _link,
    "long_id": _long_id,
    "loop_of_links": _loop,
    "many_columns": _many_columns,
    "missing_file": _neighbour,
    "missing_folder": _neighbour,
    "no_match": _folder,
    "output_is_a_folder": _output_folder,
    "pipe": _pipe,
}
REMADE: dict[str, Callable[[Path], None]] = {
    "larger_than_memory": _larger_than_memory_mended,
    "late_text": _late_text_mended,
    "loop_of_links": _loop_mended,
}
