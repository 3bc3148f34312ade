"""Working files lie beside the versions of a model, and are no part of any."""

import stat
from pathlib import Path

import pytest

from forecast.errors import BundleError, OutputError
from forecast.store import models_in, trials_file


def test_what_was_written_is_read(tmp_path: Path) -> None:
    trials_file(tmp_path, "sales").write(b"one")
    trials_file(tmp_path, "sales").write(b"two")
    assert trials_file(tmp_path, "sales").read() == b"two"


def test_nothing_is_read_where_nothing_was_written(tmp_path: Path) -> None:
    assert trials_file(tmp_path, "sales").read() is None


def test_a_folder_with_a_working_file_alone_is_no_model(tmp_path: Path) -> None:
    trials_file(tmp_path, "sales").write(b"{}")
    assert models_in(tmp_path) == ()


def test_nobody_else_reads_a_working_file(tmp_path: Path) -> None:
    trials_file(tmp_path, "sales").write(b"{}")
    assert stat.S_IMODE((tmp_path / "sales" / "trials.json").stat().st_mode) & 0o007 == 0


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "sales").mkdir()
    (tmp_path / "sales" / "trials.json").symlink_to("/etc/hostname")
    with pytest.raises(BundleError):
        trials_file(tmp_path, "sales").read()


def test_a_store_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "sales").write_text("a file")
    with pytest.raises(OutputError) as refused:
        trials_file(tmp_path, "sales").write(b"{}")
    assert refused.value.message == (
        f"{tmp_path / 'sales' / 'trials.json'}: the file cannot be written: a part of the path is no folder."
    )
