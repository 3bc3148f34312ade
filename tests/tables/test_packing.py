import gzip
import tracemalloc

import pyarrow as pa
import pytest

from forecast.errors import DataError
from forecast.tables.packing import unpack

ROWS = "".join(f"2024-01-{day:02d},{day * 37 % 11}\n" for day in range(1, 32)).encode()
PACKED = {"gzip": gzip.compress(ROWS), "zstd archive": bytes(pa.compress(ROWS, "zstd", asbytes=True))}
KINDS = pytest.mark.parametrize("kind", PACKED)


def refusal(packed: bytes, limit: int = 1 << 30) -> str:
    with pytest.raises(DataError) as caught:
        unpack("a.csv", packed, limit)
    return str(caught.value)


@KINDS
def test_what_was_packed_comes_out_again(kind: str) -> None:
    assert unpack("a.csv", PACKED[kind], 1 << 30) == ROWS


@KINDS
def test_archives_one_behind_the_other_are_one_table(kind: str) -> None:
    assert unpack("a.csv", PACKED[kind] * 2, 1 << 30) == ROWS * 2


def test_what_is_not_packed_stays_as_it_is() -> None:
    assert unpack("a.csv.gz", ROWS, 1) == ROWS


@KINDS
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_an_archive_without_its_end_is_incomplete(kind: str, kept: float) -> None:
    packed = PACKED[kind]
    assert refusal(packed[: int(kept * len(packed))]) == (
        f"a.csv: the {kind} is incomplete: its end is missing.\nCopy or download the file again."
    )


@KINDS
def test_a_second_archive_without_its_end_is_incomplete(kind: str) -> None:
    assert "is incomplete" in refusal(PACKED[kind] + PACKED[kind][:12])


@KINDS
def test_an_archive_with_rubbish_behind_it_is_damaged(kind: str) -> None:
    message = f"a.csv: the {kind} is damaged.\nCopy or download the file again."
    assert refusal(PACKED[kind] + b"rubbish and more of it") == message


@KINDS
def test_damaged_archives_keep_no_memory(kind: str) -> None:
    tracemalloc.start()
    try:
        for _ in range(20):
            refusal(PACKED[kind] + b"rubbish and more of it")
        assert tracemalloc.get_traced_memory()[0] < 2_000_000  # bytes
    finally:
        tracemalloc.stop()


@KINDS
def test_a_small_archive_that_unpacks_to_more_than_allowed_is_refused(kind: str) -> None:
    assert refusal(PACKED[kind], limit=len(ROWS) - 1) == (
        f"a.csv: unpacked it holds more than {len(ROWS) - 1:,} bytes.\nSplit the table, or raise --max-input-bytes."
    )
    assert unpack("a.csv", PACKED[kind], len(ROWS)) == ROWS
