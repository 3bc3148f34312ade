"""What can happen to a trained model on disk, at random: accidents, and forgeries whose checksums were made to fit."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from forecast.store.manifest import manifest_of

ARRAYS = ("weights.safetensors", "scaling.safetensors", "context.safetensors")
DOCUMENTS = ("plan.json", "ids.json", "golden.json")
# A path must lead nowhere: predict reads the table that a plan names as its source, where it is there.
VALUES = (None, True, False, 0, 1, -1, 2**31, 2**63, 10**19, 1e308, 0.5, "", "x", "../../etc/nothing", "Europe/Berlin")
VALUES = (*VALUES, "os.system", "\x1b[31m", [], {}, [[]], {"a": 1}, [0] * 100)


@dataclass(frozen=True)
class Damage:
    """What was done to a bundle."""

    what: str
    forged: bool = False  # the checksums fit again


@contextlib.contextmanager
def damaged(home: Path, random: Random, skip: int = 0) -> Iterator[Damage]:
    """Damage the only version of a model, and put it right again.

    skip: numbers to draw before, which the caller has drawn where it chose what to run.
    """
    for _ in range(skip):
        random.random()
    (folder,) = (home / "versions").iterdir()
    whole = {path: path.read_bytes() for path in (home / "CURRENT", *folder.iterdir())}
    damage = random.choice(ACCIDENTS) if random.random() < 0.6 else random.choice(FORGERIES)
    try:
        yield damage(folder, random)
    finally:
        for path in (home / "CURRENT", *folder.iterdir()):
            if path.is_symlink() or not path.is_file() or path not in whole:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
        for path, content in whole.items():
            if not path.exists() or path.stat().st_size != len(content) or path.read_bytes() != content:
                path.write_bytes(content)


def flip(folder: Path, random: Random) -> Damage:
    """Flip some bits of a file."""
    path = any_file(folder, random)
    path.write_bytes(flipped(path.read_bytes(), random))
    return Damage(f"bits of {path.name} flipped")


def cut(folder: Path, random: Random) -> Damage:
    """Cut off the end of a file, or all of it."""
    path = any_file(folder, random)
    os.truncate(path, random.randrange(path.stat().st_size))
    return Damage(f"{path.name} cut")


def grow(folder: Path, random: Random) -> Damage:
    """Let a file grow: by a byte, or to a size that no memory holds (sparse)."""
    path = any_file(folder, random)
    size = path.stat().st_size
    os.truncate(path, random.choice([size + 1, 2 * size, 1 << 32, 1 << 42]))
    return Damage(f"{path.name} grown")


def swap(folder: Path, random: Random) -> Damage:
    """Swap the contents of two files, or give one the content of the other."""
    one, other = random.sample(sorted(folder.iterdir()), 2)
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    if random.random() < 0.5:
        other.write_bytes(first)
    return Damage(f"{one.name} and {other.name} swapped")


def lose(folder: Path, random: Random) -> Damage:
    """Remove a file."""
    path = any_file(folder, random)
    path.unlink()
    return Damage(f"{path.name} lost")


def link(folder: Path, random: Random) -> Damage:
    """Put a link in the place of a file: to its own content, to a file of the system, to itself, to nothing."""
    path = any_file(folder, random)
    copy = folder.parent.parent.parent.parent / f"copy-{path.name}"
    copy.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(random.choice([copy, Path("/etc/passwd"), Path("/dev/zero"), path, folder, Path("nothing")]))
    return Damage(f"{path.name} a link")


def replace(folder: Path, random: Random) -> Damage:
    """Put a pipe or a folder in the place of a file."""
    path = any_file(folder, random)
    path.unlink()
    random.choice([os.mkfifo, os.mkdir])(path)
    return Damage(f"{path.name} no file")


def add(folder: Path, random: Random) -> Damage:
    """Put something into the folder that does not belong there."""
    names = ["model.pkl", "x.json", ".hidden", "weights.safetensors~", "__init__.py", "sitecustomize.py", "x\x1b[31m"]
    path = folder / random.choice(names)
    random.choice([lambda: path.write_bytes(b"raise SystemExit"), path.mkdir, lambda: os.mkfifo(path)])()
    return Damage(f"{path.name!r} added")


def misdirect(folder: Path, random: Random) -> Damage:
    """Let CURRENT hold anything but the version."""
    texts = [b"", b"\n", b"../..\n", b"20200101T000000Z-00000000\n", b"\xff\xfe", b"x" * 100, f"{folder}\n".encode()]
    (folder.parent.parent / "CURRENT").write_bytes(random.choice(texts))
    return Damage("CURRENT misdirected")


def forge_bits(folder: Path, random: Random) -> Damage:
    """Flip bits of a file that is no manifest, and seal the version again."""
    name = random.choice((*ARRAYS, *DOCUMENTS))
    return forged(folder, name, flipped((folder / name).read_bytes(), random), "bits flipped")


def forge_value(folder: Path, random: Random) -> Damage:
    """Replace or remove a value of a document."""
    name = random.choice(("plan.json", "plan.json", *DOCUMENTS))
    document = json.loads((folder / name).read_bytes())
    changed(document, random)
    return forged(folder, name, json.dumps(document).encode(), "a value changed")


def forge_nesting(folder: Path, random: Random) -> Damage:
    """Nest a document deeper than any reader can follow."""
    name, depth = random.choice(DOCUMENTS), random.choice([20, 1_000, 200_000])
    mark = random.choice([b"[", b'{"a":'])
    return forged(folder, name, mark * depth, f"nested {depth} deep")


def forge_header(folder: Path, random: Random) -> Damage:
    """Change the header of a file of arrays: shapes, types, places, names."""
    name = random.choice(ARRAYS)
    data = (folder / name).read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    changed(header, random)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    length = random.choice([len(text)] * 4 + [0, 2**63, len(data), len(text) + 8])
    return forged(folder, name, length.to_bytes(8, "little") + text + data[8 + size :], "header changed")


def forge_manifest(folder: Path, random: Random) -> Damage:
    """Change a value of the manifest, and seal that."""
    document = json.loads((folder / "manifest.json").read_bytes())
    changed(document, random)
    text = json.dumps(document).encode()
    (folder / "manifest.json").write_bytes(text)
    (folder / "manifest.sha256").write_bytes(hashlib.sha256(text).hexdigest().encode() + b"\n")
    return Damage("manifest.json: a value changed", forged=True)


ACCIDENTS: tuple[Callable[[Path, Random], Damage], ...] = (
    *(flip, flip, flip, cut, grow, swap, lose, link, replace, add, misdirect),
)
FORGERIES: tuple[Callable[[Path, Random], Damage], ...] = (
    *(forge_bits, forge_bits, forge_value, forge_value, forge_value, forge_nesting, forge_header, forge_manifest),
)


def any_file(folder: Path, random: Random) -> Path:
    """Return a file of the version, each kind of file alike often."""
    return random.choice(sorted(folder.iterdir()))


def flipped(data: bytes, random: Random) -> bytes:
    """Return bytes with 1 to 8 bits flipped, each in a byte of its own."""
    changed = bytearray(data)
    for place in random.sample(range(len(data)), min(len(data), random.choice([1, 1, 2, 8]))):
        changed[place] ^= 1 << random.randrange(8)
    return bytes(changed)


def changed(document: Any, random: Random) -> None:
    """Change one value somewhere in nested lists and objects: replaced, removed, doubled or put under another key."""
    while True:
        keys = list(document) if isinstance(document, dict) else list(range(len(document)))
        if not keys:
            return
        key = random.choice(keys)
        if isinstance(document[key], dict | list) and random.random() < 0.8:
            document = document[key]
            continue
        how = random.random()
        if how < 0.15:
            del document[key]
        elif how < 0.25 and isinstance(document, dict):
            document[random.choice(["more", "", "__class__", "module"])] = document.pop(key)
        elif how < 0.45 and type(document[key]) in (int, float):
            document[key] = document[key] * random.choice([-1, 2, 1000, 10**6, 10**9])
        else:
            document[key] = random.choice(VALUES)
        return


def forged(folder: Path, name: str, data: bytes, what: str) -> Damage:
    """Write a file of a version and seal the version again."""
    files = {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith("manifest.")}
    files[name] = data
    (folder / name).write_bytes(data)
    for seal, content in manifest_of(folder.name, files, None).items():
        (folder / seal).write_bytes(content)
    return Damage(f"{name}: {what}", forged=True)
