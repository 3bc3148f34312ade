# Everything a person or CI does with this repository. Set-up happens by itself, once, into .venv; no root is needed.
# PYTHON=python3.11 chooses the interpreter that .venv is made with.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input
PYTEST := $(BIN)/python -m pytest

SHARED ?= ../shared

SYSTEM := strace faketime cron curl logrotate systemd-analyze

.PHONY: help demo test test-system check wheel samples clean
.PHONY: bench bench-accuracy bench-rivals bench-summary bench-ablation bench-memory bench-reading bench-speed bench-recall
.PHONY: bench-time-limit bench-update bench-fuzz bench-fuzz-bundles bench-faults bench-nights

help:
	@echo 'make demo         train on hourly bike rentals, forecast, say where the results are'
	@echo 'make test         all tests that need neither root nor services'
	@echo 'make test-system  tests with strace (faults while a result is being published), full disks, wrong clocks, a PostgreSQL and a cron of their own'
	@echo 'make check        lint, format, types, content of the wheel'
	@echo 'make bench        accuracy, memory, reading, speed, recall, time limit, update, damaged tables, faults, a year of nights; see benchmarks/results/'
	@echo 'make bench SET=m4_hourly SEED=2 PRESET=best    accuracy on one set'
	@echo 'make samples      make the tables of data/ again from their packages'

# Stamps: set-up runs again only when the description of the package has changed.
.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: setup.cfg pyproject.toml | .venv/bin/python
	$(PIP) install --editable .
	@touch $@

.venv/developing: setup.cfg pyproject.toml | .venv/bin/python
	$(PIP) install --editable '.[dev]'
	@touch $@ .venv/installed

demo: .venv/installed
	@mkdir -p demo
	$(BIN)/forecast train data/bike_sharing.csv --target rentals --future holiday --future workingday \
		--future-data data/bike_sharing_future.csv --preset fast --models demo/models
	$(BIN)/forecast predict --models demo/models --future-data data/bike_sharing_future.csv -o demo/predictions.csv

test: .venv/developing
	$(PYTEST)

test-system: .venv/developing
	@(for program in $(SYSTEM); do command -v $$program || exit 1; done && ls /usr/lib/postgresql/*/bin/initdb) >/dev/null 2>&1 || \
		[ "$$(id -u)" != 0 ] || { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y \
		--no-install-recommends faketime strace postgresql cron curl logrotate systemd; } >/dev/null
	$(PYTEST) tests/system

check: .venv/developing wheel
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# build/ is removed first: setuptools would pack what an earlier build left there.
wheel: .venv/developing
	@rm -rf build dist
	$(PIP) wheel --no-deps --wheel-dir dist .
	$(BIN)/python -m zipfile --list dist/*.whl
	@if $(BIN)/python -m zipfile --list dist/*.whl | tail -n +2 | grep -vE '^forecast(_lstm-[^/]+\.dist-info)?/'; \
		then echo 'The wheel holds more than forecast/.' >&2; exit 1; fi

samples: .venv/installed
	$(BIN)/python data/make_samples.py

# With SET=m4_hourly only the accuracy on that set; SEED=2, PRESET=best, AGAIN=--again, SHARED=folder of data/.
bench: $(if $(SET),bench-accuracy,bench-accuracy bench-ablation bench-memory bench-reading bench-speed \
	bench-recall bench-time-limit bench-update bench-fuzz bench-fuzz-bundles bench-faults bench-nights)

ACCURACY = $(BIN)/python benchmarks/accuracy.py $(SET) --shared $(SHARED) --preset $(or $(PRESET),balanced) \
	--seed $(or $(SEED),1) $(AGAIN)

bench-accuracy: .venv/installed
	$(ACCURACY) --parts
	$(ACCURACY) --parts --cut-recurrence
	$(BIN)/python benchmarks/accuracy.py $(SET) --shared $(SHARED) --baselines $(AGAIN)

# MODEL=AutoETS runs one model alone.
bench-rivals: .venv/installed .venv-rivals/installed
	$(BIN)/python benchmarks/rivals.py $(SET) --shared $(SHARED) $(addprefix --model ,$(MODEL)) $(AGAIN)

# PyTorch first and alone: packages that need it would choose a build of their own.
.venv-rivals/installed: benchmarks/requirements-rivals.txt
	$(PYTHON) -m venv .venv-rivals
	.venv-rivals/bin/python -m pip -qq --disable-pip-version-check --no-input install $$(grep '^torch' $<)
	.venv-rivals/bin/python -m pip -qq --disable-pip-version-check --no-input install -r $<
	@touch $@

bench-summary: .venv/installed
	$(BIN)/python benchmarks/summary.py

bench-ablation: .venv/installed
	$(BIN)/python benchmarks/ablation.py $(SET) --shared $(SHARED) $(AGAIN)

bench-memory bench-reading bench-recall: bench-%: .venv/installed
	$(BIN)/python benchmarks/$*.py

bench-speed: .venv/installed
	$(BIN)/python benchmarks/predict_speed.py
	$(BIN)/python benchmarks/check_speed.py
	$(BIN)/python benchmarks/fit_speed.py

bench-update: .venv/installed
	$(BIN)/python benchmarks/update.py $(SET) --preset $(or $(PRESET),fast)

bench-time-limit: .venv/installed
	$(BIN)/python benchmarks/time_limit.py

# Tables with a fault are kept in fuzz-found/. SEED=2 damages them otherwise.
bench-fuzz: .venv/installed
	$(BIN)/python benchmarks/fuzz.py --seed $(or $(SEED),1)

bench-fuzz-bundles: .venv/installed
	$(BIN)/python benchmarks/fuzz_bundles.py --seed $(or $(SEED),1)

# PART=train disturbs what has a name that begins like this.
bench-faults: .venv/installed
	@command -v strace >/dev/null || [ "$$(id -u)" != 0 ] || { apt-get -qq update && apt-get -qq install -y strace; } >/dev/null
	$(BIN)/python benchmarks/faults.py $(addprefix --part ,$(PART)) $(AGAIN)

# Needs faketime. DAYS=30 lives through the first month alone, and writes no results.
bench-nights: .venv/installed
	$(BIN)/python benchmarks/nights.py $(addprefix --days ,$(DAYS))

clean:
	rm -rf build dist demo .mypy_cache .pytest_cache .ruff_cache .hypothesis fuzz-found
