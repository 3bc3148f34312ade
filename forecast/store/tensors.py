"""Arrays as safetensors: https://huggingface.co/docs/safetensors, little-endian F32, F64 and I64 only.

    8 bytes: length of the header | header: JSON {name: {dtype, shape, data_offsets}} | the arrays, one after the other

The header is judged by hand before an array is made: which names, types and shapes there are, and that the arrays fill
the file to its last byte. An array is then a view of the bytes that were read: no number in it allocates memory.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.store import records

FLOAT32, FLOAT64, INT64 = "F32", "F64", "I64"
TYPES: dict[str, np.dtype[Any]] = {FLOAT32: np.dtype("<f4"), FLOAT64: np.dtype("<f8"), INT64: np.dtype("<i8")}
LARGEST_HEADER = 1 << 20  # bytes

Array = NDArray[Any]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Entry:
    """Where one array lies in a file, and what it is."""

    dtype: str  # a key of TYPES
    shape: Shape
    begin: int  # bytes from the start of the file
    end: int


def encode(arrays: Mapping[str, Array]) -> bytes:
    """Return float32, float64 and int64 arrays as one file; equal arrays give equal bytes."""
    names = {dtype: name for name, dtype in TYPES.items()}
    # The widest types first, so that every array starts at a multiple of its own size.
    order = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))
    header, place = {}, 0
    for name in order:
        array = arrays[name]
        end = place + array.nbytes
        dtype = names[array.dtype.newbyteorder("<")]
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [place, end]}
        place = end
    text = records.as_json(header)
    text += b" " * (-len(text) % 8)
    parts = [arrays[name].astype(arrays[name].dtype.newbyteorder("<")).tobytes() for name in order]
    return b"".join([len(text).to_bytes(8, "little"), text, *parts])


def entries(data: bytes) -> dict[str, Entry]:
    """Return what a file holds, by name; ValueError where its header is not what the file is."""
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > min(len(data) - 8, LARGEST_HEADER):
        raise ValueError("has a header longer than the file or than 1 MiB")
    if size % 8:
        raise ValueError("has a header whose length is no multiple of 8")
    header = records.parse(data[8 : 8 + size])
    if not isinstance(header, dict):
        raise ValueError("has a header that is no object")
    found = {name: _entry(name, value, 8 + size) for name, value in header.items()}
    place = 8 + size
    for name, entry in sorted(found.items(), key=lambda item: (item[1].begin, item[1].end)):
        if entry.begin != place:
            raise ValueError(f"has a gap or an overlap before the array {name!r}")
        place = entry.end
    if place != len(data):
        raise ValueError(f"should end after {place} bytes, but has {len(data)}")
    return found


def decode(
    data: bytes, wanted: Mapping[str, Shape], dtypes: tuple[str, ...], whole: tuple[str, ...] = ()
) -> dict[str, Array]:
    """Return the arrays of a file as float64 or int64, not writable; ValueError unless they are the wanted ones.

    wanted: the shape of every array; dtypes: the types that may occur; whole: the arrays that must be I64.
    """
    found = entries(data)
    for name in (*found, *wanted):
        if name not in wanted or name not in found:
            raise ValueError(f"{'lacks the' if name in wanted else 'has an unknown'} array {name!r}")
    for name, entry in found.items():
        allowed = (INT64,) if name in whole else dtypes
        if entry.dtype not in allowed:
            raise ValueError(f"holds {name!r} as {entry.dtype}, not as {' or '.join(allowed)}")
        if entry.shape != tuple(wanted[name]):
            raise ValueError(f"holds {name!r} with shape {entry.shape}; the plan asks for {tuple(wanted[name])}")
    return {name: _array(data, entry) for name, entry in found.items()}


def size_limit(wanted: Mapping[str, Shape]) -> int:
    """Return how many bytes a file with these arrays has at most."""
    return 8 + LARGEST_HEADER + sum(8 * math.prod(shape) for shape in wanted.values())


def _entry(name: str, value: Any, start: int) -> Entry:
    """Return one entry of a header, checked by itself."""
    fields = records.take(value, ("dtype", "shape", "data_offsets"), f"the array {name!r}")
    shape = records.typed(tuple[int, ...], fields["shape"], f"the shape of {name!r}")
    offsets = records.typed(tuple[int, ...], fields["data_offsets"], f"the place of {name!r}")
    dtype = records.typed(str, fields["dtype"], f"the type of {name!r}")
    if dtype not in TYPES:
        raise ValueError(f"holds {name!r} as {dtype[:20]!r}, none of {', '.join(TYPES)}")
    if min(shape, default=0) < 0 or len(shape) > 8:
        raise ValueError(f"holds {name!r} with an impossible shape")
    # Python's whole numbers have no largest: a product of large sizes cannot wrap round to a small one.
    if len(offsets) != 2 or offsets[1] - offsets[0] != math.prod(shape) * TYPES[dtype].itemsize:
        raise ValueError(f"holds {name!r} in another number of bytes than its shape takes")
    return Entry(dtype, shape, start + offsets[0], start + offsets[1])


def _array(data: bytes, entry: Entry) -> Array:
    """Return one array: a view of the file where its type and place allow it."""
    count = math.prod(entry.shape)
    raw = np.frombuffer(data, TYPES[entry.dtype], count, entry.begin).reshape(entry.shape)
    native = np.int64 if entry.dtype == INT64 else np.float64
    array: Array = np.require(raw.astype(native, copy=False), requirements="A")
    array.flags.writeable = False
    return array
