"""The files of results: lines of the same run are replaced, all others stay."""

import pytest
import record


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path / "results")
    return tmp_path / "results"


def test_a_run_replaces_its_own_lines_and_leaves_the_others(results):
    record.replace("a.csv", [{"cell": "lstm", "lag": 50, "error": 0.1}], ("cell", "lag"))
    record.replace("a.csv", [{"cell": "lstm", "lag": 100, "error": 0.2}], ("cell", "lag"))
    record.replace("a.csv", [{"cell": "lstm", "lag": 50, "error": 0.3}], ("cell", "lag"))
    assert (results / "a.csv").read_text() == "cell,lag,error\nlstm,100,0.2\nlstm,50,0.3\n"


def test_a_file_that_is_not_there_has_no_lines(results):
    assert record.read("a.csv") == []
