"""Arrays as bytes: what others read, and headers that lie."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from safetensors.numpy import load, save

from forecast.store import tensors

SOME = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3),
    "b/c": np.array([1.5, np.nan]),
    "d": np.array([[2**53 + 1]]),
    "empty": np.zeros((0, 3)),
    "scalar": np.array(3.0),
}
SHAPES = {name: array.shape for name, array in SOME.items()}
BYTES = "holds 'a' in another number of bytes than its shape takes"
BITS = "a whole number of more than 64 bits"
GAP = "has a gap or an overlap before the array "
EVERY = tuple(tensors.TYPES)


def file_of(header: Any, payload: bytes = b"") -> bytes:
    """Return a file with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + payload


def entry(dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def refusal(data: bytes) -> str:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        tensors.entries(data)
    return str(caught.value)


def test_the_library_of_the_format_reads_what_is_written() -> None:
    read = load(tensors.encode(SOME))
    assert read.keys() == SOME.keys()
    assert all(read[name].dtype == SOME[name].dtype for name in SOME)
    assert all(np.array_equal(read[name], SOME[name], equal_nan=True) for name in SOME)


def test_what_the_library_of_the_format_writes_is_read() -> None:
    read = tensors.decode(save(SOME), SHAPES, EVERY)
    assert all(np.array_equal(read[name], SOME[name], equal_nan=True) for name in SOME)


@given(
    st.dictionaries(
        st.text(max_size=8).filter(lambda name: name != "__metadata__"),
        st.sampled_from([np.float32, np.float64, np.int64]).flatmap(
            lambda dtype: arrays_of.arrays(
                dtype, arrays_of.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
            )
        ),
        max_size=5,
    )
)
def test_any_arrays_come_back(arrays: dict[str, Any]) -> None:
    read = tensors.decode(tensors.encode(arrays), {name: array.shape for name, array in arrays.items()}, EVERY)
    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        kept = array if array.dtype == np.int64 else array.astype(np.float64)
        assert read[name].dtype == kept.dtype
        assert read[name].shape == kept.shape
        assert np.array_equal(read[name], kept, equal_nan=kept.dtype != np.int64)


def test_arrays_are_aligned_for_the_processor() -> None:
    read = tensors.decode(tensors.encode(SOME), SHAPES, EVERY)
    assert [array.flags.aligned for array in read.values()] == [True] * len(SOME)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "has a header longer than the file or than 1 MiB"),
        (b"\0" * 7, "has a header longer than the file or than 1 MiB"),
        (b"\xff" * 8, "has a header longer than the file or than 1 MiB"),
        ((2 << 20).to_bytes(8, "little") + b" " * (3 << 20), "has a header longer than the file or than 1 MiB"),
        (b"\x02" + b"\0" * 7 + b"{}", "has a header whose length is no multiple of 8"),
        (file_of(b"[1, 2]"), "has a header that is no object"),
        (file_of(b"[" * 400), "is no JSON (line 1, column 401)"),
        (file_of(b"[" * 100 + b"]" * 100), "is nested deeper than 16"),
        (file_of(b"[" * 100_000 + b"]" * 100_000), "is nested deeper than 16"),
        (file_of(b'{"a": 1, "a": 2}'), 'has the key "a" twice in one object'),
        (file_of({"a": entry() | {"class": "os"}}, bytes(8)), "the array 'a' has an unknown key \"class\""),
        (file_of({"a": {"dtype": "F32"}}), "the array 'a' lacks the key 'shape'"),
        (file_of({"a": entry("F16")}, bytes(8)), "holds 'a' as 'F16', none of F32, F64, I64"),
        (file_of({"a": entry(shape=[2.0])}, bytes(8)), "the shape of 'a'[0] should be a whole number, but is 2.0"),
        (file_of({"a": entry(shape=[-1, -2])}, bytes(8)), "holds 'a' with an impossible shape"),
        (file_of({"a": entry(shape=[1] * 9)}, bytes(8)), "holds 'a' with an impossible shape"),
        (file_of({"a": entry(shape=[2**62, 4])}, bytes(8)), BYTES),
        (file_of({"a": entry(shape=[2**63])}, bytes(8)), "holds 9223372036854775808..., " + BITS),
        (file_of({"a": entry(offsets=[0, 4])}, bytes(8)), BYTES),
        (file_of({"a": entry(offsets=[8, 0])}, bytes(8)), BYTES),
        (file_of({"a": entry(offsets=[4, 12])}, bytes(12)), "has a gap or an overlap before the array 'a'"),
        (file_of({"a": entry(), "b": entry(offsets=[4, 12])}, bytes(12)), GAP + "'b'"),
        (file_of({"a": entry(), "b": entry()}, bytes(8)), GAP + "'b'"),
        (file_of({"a": entry()}, bytes(7)), "should end after 80 bytes, but has 79"),
        (file_of({"a": entry()}, bytes(9)), "should end after 80 bytes, but has 81"),
        (file_of({"a": entry(shape=[2**40], offsets=[0, 2**42])}), f"should end after {96 + 2**42} bytes, but has 96"),
    ],
)  # fmt: skip
def test_a_header_that_lies_is_refused(data: bytes, what: str) -> None:
    assert refusal(data) == what
