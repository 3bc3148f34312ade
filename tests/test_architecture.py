"""The rules of the house as data: who may import whom, what loads when, who touches files, how long code gets."""

import ast
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pyarrow import csv, parquet

from forecast import load
from forecast.forecasters.fitted import Kind

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "forecast"
MODULES = {
    ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}

# Part -> the parts it may import besides itself. A part is a module or a folder; the longest name that fits counts.
MAY_IMPORT = {
    "forecast.errors": set(),
    "forecast.progress": set(),
    "forecast.surroundings": {"fingerprint"},
    "forecast.urls": set(),
    "forecast.durations": {"errors"},
    "forecast.instants": {"errors"},
    "forecast.options": {"errors", "durations", "instants"},
    "forecast.plan": {"errors", "options"},
    "forecast.panels": {"errors", "options", "plan", "instants"},
    "forecast.fingerprint": {"options", "plan", "panels"},
    "forecast.forecasters.fitted": set(),
    "forecast.forecasters": {"errors", "options", "plan", "panels", "progress", "surroundings"},
    "forecast.evaluation": {"errors", "options", "plan", "panels", "progress", "forecasters.fitted"},
    "forecast.trained": {"options", "plan", "panels", "forecasters.fitted", "evaluation.calibration"},
    "forecast.tables": {"errors", "options", "urls", "panels", "trained"},
    "forecast.store": {
        *("errors", "durations", "options", "plan", "panels", "fingerprint", "surroundings"),
        *("forecasters", "evaluation.calibration", "trained"),
    },
    "forecast.report": {"errors", "options", "plan", "panels", "forecasters.fitted", "evaluation", "trained"},
    "forecast.seasons": {"panels", "forecasters"},
    "forecast.planning": {"errors", "options", "plan", "seasons", "panels", "forecasters", "evaluation"},
    "forecast.matching": {"errors", "plan", "panels", "trained"},
    "forecast.adapting": {"plan", "panels"},
    "forecast.freshness": {"errors", "durations", "panels", "matching"},
    "forecast.prediction": {"errors", "plan", "panels", "trained", "matching", "adapting", "forecasters", "evaluation"},
    "forecast.benchmark": {"plan", "panels", "trained", "matching", "forecasters"},
    "forecast.scoring": {"panels", "tables", "evaluation"},
    "forecast.exporting": {"errors", "plan", "panels", "trained", "forecasters"},
    "forecast.golden": {"errors", "panels", "trained", "prediction", "store"},
    "forecast.pacing": {"errors", "options", "plan", "progress", "forecasters", "evaluation", "surroundings"},
    "forecast.tuning": {
        *("errors", "options", "plan", "progress", "surroundings", "panels", "forecasters", "evaluation"),
        *("fingerprint", "store.records"),
    },
    "forecast.choosing": {
        *("options", "plan", "progress", "panels", "forecasters", "evaluation", "pacing", "surroundings"),
    },
    "forecast.pipeline": {
        *("errors", "options", "plan", "progress", "panels", "trained", "planning", "matching", "prediction"),
        *("fingerprint", "surroundings", "pacing", "tuning", "choosing"),
        *("forecasters", "evaluation", "tables", "store", "report"),
    },
    "forecast.checking": {"errors", "options", "plan", "panels", "planning", "freshness", "prediction", "tables"},
    "forecast.backtesting": {
        *("errors", "options", "plan", "progress", "panels", "trained", "planning", "matching", "prediction"),
        *("surroundings", "pipeline"),
        *("forecasters", "evaluation"),
    },
    "forecast.updating": {
        *("errors", "options", "plan", "progress", "panels", "trained", "matching", "adapting", "prediction"),
        *("pipeline", "backtesting"),
        *("forecasters", "evaluation"),
    },
    "forecast.commands": {
        *("errors", "options", "urls", "plan", "progress", "surroundings", "panels", "trained", "forecasters.fitted"),
        *("choosing", "pipeline", "tuning", "matching", "freshness", "prediction", "checking", "backtesting"),
        *("updating", "benchmark", "scoring", "golden", "exporting"),
        *("tables", "store", "report", "evaluation"),
    },
    "forecast": {"errors", "options", "plan", "panels", "trained", "pipeline", "prediction", "tables", "store"},
}

NETWORK = "forecast.forecasters.lstm"
HEAVY = {  # slow to import: the only modules that may do so at their top, so that nobody starts them by accident
    "tensorflow": {f"{NETWORK}.model", f"{NETWORK}.training"},
    "keras": {f"{NETWORK}.model", f"{NETWORK}.training"},
    "sklearn": set(),
    "scipy": set(),
    "matplotlib": set(),
    "optuna": set(),
    "sqlalchemy": set(),
    "fsspec": set(),
    "holidays": set(),
}
LATE = {  # the same inside a function, where the work begins
    "tensorflow": {f"{NETWORK}.device"},
    "keras": set(),
    "sklearn": {"forecast.panels.scaling"},
    "scipy": set(),
    "matplotlib": {"forecast.report.plot"},
    "optuna": {"forecast.tuning"},
    "sqlalchemy": {"forecast.tables.database", "forecast.tables.write_database"},
    "fsspec": {"forecast.tables.remote"},
    "holidays": {"forecast.panels.holidays"},
}

TOUCH_FILES = ("forecast.tables", "forecast.store", "forecast.report", "forecast.commands")
FILE_CALLS = {
    *("open", "read_text", "read_bytes", "write_text", "write_bytes", "unlink", "mkdir", "makedirs", "rmdir"),
    *("iterdir", "glob", "rglob", "scandir", "listdir", "fsync", "symlink_to", "touch", "save_file", "load_file"),
    *("read_csv", "read_parquet", "read_json", "to_csv", "to_parquet", "to_json", "savez", "loadtxt", "savetxt"),
    *("NamedTemporaryFile", "TemporaryDirectory", "mkdtemp", "mkstemp", "rmtree", "copyfile", "copytree"),
}
FILE_CALLS_OF = {
    "os": {"replace", "rename", "remove", "stat", "link"},
    "np": {"load", "save"},
    "numpy": {"load", "save"},
}

LONGEST_MODULE, LONGEST_FUNCTION = 300, 80  # lines: far beyond a full module (200) and a full function (40)
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "tools"}


def part_of(module: str) -> str:
    """Return the key of MAY_IMPORT that a module belongs to."""
    fitting = [part for part in MAY_IMPORT if module == part or (part != "forecast" and module.startswith(f"{part}."))]
    if not fitting:
        pytest.fail(f"{module} stands in no part of MAY_IMPORT: decide what it may import, and add it")
    return max(fitting, key=len)


def imports(tree: ast.AST, module: str) -> Iterator[tuple[int, str]]:
    """Yield line and full name of everything a module imports, `from a import b` as a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                pytest.fail(f"{module}:{node.lineno} imports by a relative name: write the full one")
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def allowed(importer: str, imported: str) -> bool:
    """Tell whether the table lets one module import a name of the package."""
    if imported in ("forecast.__version__", "forecast"):
        return True
    part = part_of(importer)
    own = part != "forecast" and (imported == part or imported.startswith(f"{part}."))
    return own or any(
        imported == f"forecast.{other}" or imported.startswith(f"forecast.{other}.") for other in MAY_IMPORT[part]
    )


def top_level(tree: ast.Module) -> ast.Module:
    """Return the statements that run when a module is imported: no function bodies, nothing for the type checker."""
    kept = [
        node
        for node in tree.body
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not (isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"))
    ]
    return ast.Module(body=kept, type_ignores=[])


def heavy_imports(tree: ast.Module, module: str) -> set[str]:
    """Return which of the slow packages a tree imports."""
    return {name.split(".")[0] for _, name in imports(tree, module)} & set(HEAVY)


def file_calls(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and name of every call that reads or writes files."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        if isinstance(function, ast.Name) and function.id in FILE_CALLS:
            yield node.lineno, function.id
        elif isinstance(function, ast.Attribute):
            owner = function.value.id if isinstance(function.value, ast.Name) else ""
            if function.attr in FILE_CALLS or function.attr in FILE_CALLS_OF.get(owner, ()):
                yield node.lineno, ast.unparse(function)


def loaded_after(arguments: list[str], names: set[str], exit_code: int = 0) -> set[str]:
    """Run the command line in a fresh interpreter and return which of the named packages it has loaded by its end."""
    code = (
        "import sys\n"
        "from forecast.commands import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    sys.stderr.write('\\nloaded: ' + ' '.join(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    said, _, loaded = done.stderr.rpartition("\nloaded: ")
    assert done.returncode == exit_code, said
    return names & set(loaded.split())


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_part_may_import(module: str) -> None:
    wrong = [
        f"{module}:{line} imports {name}"
        for line, name in imports(TREES[module], module)
        if (name == "forecast" or name.startswith("forecast.")) and not allowed(module, name)
    ]
    assert wrong == []


def test_every_part_of_the_table_exists() -> None:
    parts = set(MAY_IMPORT) | {f"forecast.{name}" for names in MAY_IMPORT.values() for name in names}
    assert sorted(parts - set(MODULES)) == []


@pytest.mark.parametrize("module", MODULES)
def test_slow_packages_are_imported_at_the_top_of_the_network_alone(module: str) -> None:
    allowed_here = {package for package, homes in HEAVY.items() if module in homes}
    assert heavy_imports(top_level(TREES[module]), module) <= allowed_here


@pytest.mark.parametrize("module", MODULES)
def test_slow_packages_are_imported_inside_few_functions(module: str) -> None:
    allowed_here = {package for package in HEAVY if module in HEAVY[package] | LATE[package]}
    assert heavy_imports(TREES[module], module) <= allowed_here


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        *([command, "--help"] for command in ("check", "train", "predict", "backtest", "score", "models")),
        ["models", "verify", "--help"],
        ["models", "export", "--help"],
        ["--version"],
    ],
)
def test_help_loads_no_numerical_package(arguments: list[str]) -> None:
    assert loaded_after(arguments, {*HEAVY, "numpy", "pandas", "pyarrow", "safetensors"}) == set()


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_predict_loads_no_training_package(tmp_path: Path, suffix: str) -> None:
    # The whole way: a series that the model does not know, one with gaps, a horizon beyond the trained one, a record.
    table, output = tmp_path / f"table{suffix}", tmp_path / f"predictions{suffix}"
    lines = (REPOSITORY / "data" / "us_employment.csv").read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if not line.startswith("construction,2014")]
    table.write_text("\n".join(lines).replace("\nutilities,", "\nunknown,") + "\n", encoding="utf-8")
    if suffix == ".parquet":
        parquet.write_table(csv.read_csv(table), table)
    if suffix == ".jsonl":
        rows = csv.read_csv(table).to_pylist()
        table.write_text("".join(json.dumps(row, default=str) + "\n" for row in rows), encoding="utf-8")
    arguments = ["predict", str(table), "--models", "models", "-m", "reference-1", "-o", str(output), "-H", "8"]
    arguments += ["--record", str(tmp_path / "record.json")]
    assert loaded_after(arguments, {*HEAVY, "pandas"}) == set()
    assert json.loads((tmp_path / "record.json").read_text())["status"] == {"new": 1, "ok": 14}


def test_a_log_is_added_to_and_scored_without_a_training_package(tmp_path: Path) -> None:
    table, log, model = "data/us_employment.csv", str(tmp_path / "log"), ["--models", "models", "-m", "reference-1"]
    night = ["predict", table, *model, "-o", str(tmp_path / "predictions.csv"), "--log", log]
    assert loaded_after(night, {*HEAVY, "pandas"}) == set()
    assert loaded_after(night, {*HEAVY, "pandas"}) == set()  # now it looks for what is there already
    assert loaded_after(["score", log, *model, "--actuals", table], {*HEAVY, "pandas"}) == set()


@pytest.mark.parametrize("command", ["list", "show", "verify"])
def test_models_loads_no_training_package(command: str) -> None:
    arguments = ["models", command, "reference-1", "--models", "models"]
    assert loaded_after(arguments, {*HEAVY, "pandas", "pyarrow"}) == set()


def test_check_loads_no_training_package(tmp_path: Path) -> None:
    arguments = ["check", "data/us_employment.csv", "--id", "sector", "--target", "employees", "--json"]
    assert loaded_after([*arguments, "-o", str(tmp_path / "profile.json")], {*HEAVY, "pandas"}) == set()


def test_a_database_is_read_and_written_without_a_training_package(tmp_path: Path) -> None:
    table = csv.read_csv(REPOSITORY / "data" / "us_employment.csv")
    with closing(sqlite3.connect(tmp_path / "sales.db")) as connection, connection:
        connection.execute("create table sales (sector, date, employees)")
        columns = [table.column(name).cast("string").to_pylist() for name in table.column_names]
        connection.executemany("insert into sales values (?, ?, ?)", zip(*columns, strict=True))
    place = f"sqlite:///{tmp_path}/sales.db?table="
    arguments = ["predict", f"{place}sales", "--models", "models", "-m", "reference-1", "-o", f"{place}ahead"]
    assert loaded_after(arguments, {*HEAVY, "pandas"}) == {"sqlalchemy"}
    with closing(sqlite3.connect(tmp_path / "sales.db")) as connection:
        assert connection.execute("select count(*) from ahead").fetchone() == (90,)


def test_a_backtest_of_a_trained_model_loads_no_training_package(tmp_path: Path) -> None:
    output = tmp_path / "backtest.parquet"
    arguments = ["backtest", "data/us_employment.csv", "--models", "models", "-m", "reference-1", "-o", str(output)]
    assert loaded_after(arguments, set(HEAVY)) == set()
    assert parquet.read_table(output).num_rows == 15 * 10 * 6


def test_the_reference_model_that_predict_is_tested_with_has_a_network() -> None:
    assert Kind.NETWORK in {one.kind for one in load(REPOSITORY / "models", "reference-1").trained.fitted}


def test_a_broken_table_is_refused_before_a_training_package_is_loaded(tmp_path: Path) -> None:
    table = tmp_path / "broken.csv"
    table.write_text("ds,y\n2024-01-01,1\n2024-01-02,two\n", encoding="utf-8")
    arguments = ["train", str(table), "--models", str(tmp_path / "models")]
    assert loaded_after(arguments, {"tensorflow", "keras"}, exit_code=12) == set()


@pytest.mark.parametrize("module", [name for name in MODULES if not name.startswith(TOUCH_FILES)])
def test_files_are_touched_only_at_the_edges(module: str) -> None:
    assert [f"{module}:{line} calls {name}" for line, name in file_calls(TREES[module])] == []


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_no_longer_than_a_reader_can_hold(module: str) -> None:
    lines = MODULES[module].read_text(encoding="utf-8").count("\n")
    assert lines <= LONGEST_MODULE


@pytest.mark.parametrize("module", MODULES)
def test_a_function_is_no_longer_than_a_reader_can_hold(module: str) -> None:
    functions = (node for node in ast.walk(TREES[module]) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    long = [node.name for node in functions if (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION]
    assert long == []


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_named_after_its_subject(module: str) -> None:
    assert EMPTY_NAMES & set(module.split(".")) == set()


@pytest.mark.parametrize("module", MODULES)
def test_no_module_runs_what_it_reads(module: str) -> None:
    dangerous = {"pickle", "joblib", "dill", "cloudpickle", "marshal", "shelve"}
    assert {name.split(".")[0] for _, name in imports(TREES[module], module)} & dangerous == set()


def test_the_launcher_imports_the_commands_and_nothing_else() -> None:
    launcher = ast.parse((REPOSITORY / "cli.py").read_text(encoding="utf-8"))
    assert [name for _, name in imports(launcher, "cli")] == ["forecast.commands.main"]


def test_the_test_folders_mirror_the_package() -> None:
    folders = {
        path.parent.relative_to(REPOSITORY / "tests").as_posix() for path in (REPOSITORY / "tests").rglob("test_*.py")
    }
    packages = {path.parent.relative_to(PACKAGE).as_posix() for path in MODULES.values()}
    assert sorted(folder for folder in folders if folder not in packages | {"system"}) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import os\nos.replace('a', 'b')", ["os.replace"]),
        ("'a'.replace('b', 'c')", []),
        ("path.write_text('x')", ["path.write_text"]),
        ("open('x')", ["open"]),
        ("import numpy as np\nnp.save('x', y)", ["np.save"]),
    ],
)
def test_the_search_for_file_calls_finds_them(source: str, found: list[str]) -> None:
    assert [name for _, name in file_calls(ast.parse(source))] == found


def test_the_table_refuses_what_points_the_wrong_way() -> None:
    assert not allowed("forecast.tables.read", "forecast.pipeline.train")
    assert not allowed("forecast.panels.panel", "forecast.forecasters.fitted")
    assert allowed("forecast.pipeline", "forecast.forecasters.registry")
