"""The cases in tests/bad_tables as records; its README says how they are written."""

import json
import re
import shlex
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.commands.made_tables import MADE, REMADE

FOLDER = Path(__file__).resolve().parent.parent / "bad_tables"
FILES = FOLDER / "files"  # more than one case may need them
FLAG = re.compile(r"(?<![\w'\"-])--?[a-zA-Z][\w-]*")

Words = tuple[str, ...]  # of a command line, without the name of the program


@dataclass(frozen=True)
class Mend:
    """One way to do what a message advises."""

    words: Words
    lines: dict[int, str | None]  # what a line of the table, counted from 1, should be; None: gone
    file: str | None  # of FILES, which takes the place of the table
    remake: bool  # by REMADE
    reads: tuple[list[Any], ...]


@dataclass(frozen=True)
class Case:
    """A command line, what it must say, and what can be done about it."""

    name: str
    rows: tuple[int, ...]  # of the list of tables, see the README
    train: Words  # the model that is there; none: ()
    words: Words
    said: tuple[str, ...]
    code: int
    writes: tuple[str, ...]
    reads: tuple[list[Any], ...]
    mends: tuple[Mend, ...]

    @property
    def table(self) -> str | None:
        """The file of the case, None where there is none or it is made."""
        found = [path.name for path in FOLDER.glob(f"{self.name}.*") if path.suffix not in (".expect", ".mend")]
        return found[0] if found else None

    def lay_out(self, folder: Path) -> None:
        """Put into a folder what the command lines of the case read."""
        if self.table is not None:
            shutil.copy(FOLDER / self.table, folder)
        if self.name in MADE:
            MADE[self.name](folder)
        for word in {*self.train, *self.words, *(word for mend in self.mends for word in mend.words)}:
            if word not in (".", "..") and (FILES / word).is_file():
                shutil.copy(FILES / word, folder)

    def mend(self, mend: Mend, folder: Path) -> None:
        """Change the table as a mend says."""
        if mend.remake:
            REMADE[self.name](folder)
        if self.table is None:
            return
        place = folder / self.table
        if mend.file is not None:
            shutil.copy(FILES / mend.file, place)
        if mend.lines:
            lines = place.read_bytes().split(b"\n")
            for number, text in mend.lines.items():
                lines[number - 1] = b"" if text is None else text.encode() + b"\n"
            gone = {number for number, text in mend.lines.items() if text is None}
            kept = [line.rstrip(b"\n") for number, line in enumerate(lines, 1) if number not in gone]
            place.write_bytes(b"\n".join(kept).rstrip(b"\n") + b"\n")


def read_cases() -> tuple[Case, ...]:
    """Return all cases, by name."""
    return tuple(_case(path) for path in sorted(FOLDER.glob("*.expect")))


def flags_in(text: str) -> set[str]:
    """Return the options that a text names."""
    return set(FLAG.findall(text))


def _case(path: Path) -> Case:
    """Read NAME.expect, and NAME.mend where there is one."""
    first, *lines = path.read_text(encoding="utf-8").splitlines()
    commands = [_words(line) for line in lines if line.startswith("$ ")]
    end = next(number for number, line in enumerate(lines) if line.startswith("exit "))
    after = lines[end + 1 :]
    case = Case(
        name=path.stem,
        rows=tuple(int(word) for word in first.removeprefix("row").split()),
        train=commands[0] if len(commands) > 1 else (),
        words=commands[-1],
        said=tuple(lines[len(commands) : end]),
        code=int(lines[end].removeprefix("exit ")),
        writes=tuple(line.removeprefix("writes ") for line in after if line.startswith("writes ")),
        reads=_reads(after),
        mends=(),
    )
    mends = path.with_suffix(".mend")
    if not mends.exists():
        return case
    ways = re.split(r"^or\n", mends.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return replace(case, mends=tuple(_mend(way.splitlines(), case.words) for way in ways))


def _mend(lines: list[str], words: Words) -> Mend:
    """Read one way of a NAME.mend."""
    edits: dict[int, str | None] = {}
    file = None
    for line in lines:
        if match := re.fullmatch(r"(\d+)(?: (.*))?", line):
            edits[int(match[1])] = match[2]
        elif line.startswith("file "):
            file = line.removeprefix("file ")
        elif line.startswith("$ "):
            words = _words(line)
        elif line.startswith("-"):
            words = (*words, *shlex.split(line))
    return Mend(words, edits, file, "remake" in lines, _reads(lines))


def _words(line: str) -> Words:
    """Return the words behind `$ forecast`."""
    return tuple(shlex.split(line.removeprefix("$ ").removeprefix("forecast ")))


def _reads(lines: list[str]) -> tuple[list[Any], ...]:
    """Return what `reads` lines say: id, first time and values of each series."""
    return tuple(json.loads(line.removeprefix("reads ")) for line in lines if line.startswith("reads "))
