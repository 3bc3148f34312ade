import os
import sys
from pathlib import Path

import pytest

from forecast.errors import DataError
from forecast.tables import files
from forecast.tables.source import open_source


def refusal(path: Path | str) -> str:
    with pytest.raises(DataError) as caught:
        open_source(str(path))
    return str(caught.value)


def test_a_missing_file_suggests_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text("x")
    path = tmp_path / "sale.csv"
    assert refusal(path) == f"{path}: there is no such file.\nDid you mean '{tmp_path}/sales.csv'?"


def test_a_file_that_shares_only_the_ending_is_not_suggested(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("x")
    path = tmp_path / "hotel.csv"
    assert refusal(path) == f"{path}: there is no such file.\nCheck the path."


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "no" / "sales.csv"
    assert (
        refusal(path) == f"{path}: there is no such file.\nThere is no folder '{tmp_path}/no' either: check the path."
    )


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path}: this is a folder.\nName one table in it."


def test_a_pipe_without_a_writer_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    assert refusal(path) == f"{path}: this is a pipe, not a file.\nUse - and redirect it to standard input."


def test_a_device_is_no_table() -> None:
    assert refusal("/dev/null") == "/dev/null: this is a device, not a file.\nName a file."


def test_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "loop.csv"
    path.symlink_to(path)
    assert refusal(path) == (
        f"{path}: it cannot be opened: Too many levels of symbolic links.\nName a file that can be read."
    )


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x")
    (tmp_path / "b.csv").symlink_to("a.csv")
    assert bytes(open_source(str(tmp_path / "b.csv")).data) == b"x"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x")
    path.chmod(0)
    assert refusal(path) == f"{path}: permission to read it is denied.\nGive the user of this command read access."


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real = tmp_path / "a.csv", os.fstat
    path.write_text("x")

    def grow(descriptor: int) -> os.stat_result:
        found = real(descriptor)
        path.write_text("xxx" * 10)
        return found

    monkeypatch.setattr(files.os, "fstat", grow)
    assert refusal(path) == (
        f"{path}: the file changed while it was read.\nWait until it is complete, or write it elsewhere and rename it."
    )


def test_a_file_of_more_bytes_than_allowed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x" * 1001)
    with pytest.raises(DataError) as caught:
        open_source(str(path), limit=1000)
    assert str(caught.value) == (
        f"{path}: it holds more than 1,000 bytes.\nSplit the table, or raise --max-input-bytes."
    )
    assert open_source(str(path), limit=1001).size == 1001


def test_a_closed_standard_input_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert refusal("-") == "standard input: it is closed.\nPipe a table into the command, or name a file."


def test_standard_input_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/zero", encoding="utf-8") as endless:
        monkeypatch.setattr(sys, "stdin", endless)
        with pytest.raises(DataError, match=r"^standard input: it holds more than 5,000,000 bytes\."):
            open_source("-", limit=5_000_000)
