# Every target does its own set-up, in .venv, once: Python 3.11 or newer and pip are all it needs.
#   make demo             the whole journey, offline
#   make test             the tests
#   make check            what has to pass before a change goes in: format, lint, types, layers, tests
#   make demo-from-wheel  the demo from a wheel, installed in an empty environment
#   make bench            every benchmark, in three quarters of an hour; BENCH=--quick: a few minutes, to see it work
#   make PYTHON=… …       with another Python (needs: rm -r .venv)

SHELL := /bin/bash
VENV  := .venv
BIN   := $(VENV)/bin
PY    := $(BIN)/python
READY := $(VENV)/.ready
# Of the 7,500 modules that are installed a fifth is ever loaded: those are compiled, and not the others.
QUIET := install --disable-pip-version-check -q --no-compile
PIP   := -m pip $(QUIET)
USED  := import aiohttp, hypothesis, openai.resources.chat, pandas, pyarrow.parquet, pydantic, tokenizers

unexport PYTHONPATH  # an installed package must not be hidden by another checkout
unexport PYTHONDONTWRITEBYTECODE  # dozens of tests start a process: it need not compile everything again

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint check docs wheel demo-from-wheel bench clean

help:
	@sed -n 's/^#   //p' Makefile

setup: $(READY)

demo: $(READY)
	@$(BIN)/pairsmith demo

test: $(READY)
	@$(PY) -m pytest -n 2

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test

docs: $(READY)
	$(PY) docs/generate_cli.py

wheel: $(READY)
	@rm -rf dist
	@$(PY) -m build --wheel --outdir dist . >/dev/null
	@ls dist/*.whl

# The checkout is out of sight: another folder, another environment, nothing installed but the wheel.
demo-from-wheel: wheel
	@set -eu; dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; wheel=$$(ls "$$PWD"/dist/*.whl); \
	$(PY) -m venv --without-pip "$$dir/venv"; \
	$(PY) -m pip --python "$$dir/venv/bin/python" $(QUIET) "$$wheel"; \
	cd "$$dir" && venv/bin/pairsmith --help && venv/bin/pairsmith demo

bench: $(READY)
	$(PY) benchmarks/run.py $(BENCH)

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage

# --- set-up ----------------------------------------------------------------------------------------

# With a pip of its own, the newest: an old one takes a minute longer over the same packages. Where the Python that
# makes the environment has no pip, there is ensurepip.
new-venv = { $(1) -m venv --without-pip $(2) && $(1) -m pip --python $(2)/bin/python $(QUIET) pip; } >/dev/null 2>&1 || \
	{ $(1) -m venv --clear $(2) >/dev/null && $(2)/bin/python -m pip $(QUIET) --upgrade pip; }

# The first of these that really runs and is new enough; $(PYTHON) wins.
find-python = for python in $(PYTHON) python3.11 python3 python3.12 python3.13 python3.14 python; do \
	if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo "$$python"; break; fi; \
	done

$(READY): pyproject.toml
	@python=$$($(find-python)); \
	if [ -z "$$python" ]; then \
		echo "pairsmith needs Python 3.11 or newer, and none is on the PATH ($$(python3 --version 2>/dev/null || echo "no python3 at all")):" \
			"install one, or say: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; \
		exit 1; \
	fi; \
	echo "setting up $(VENV) with $$("$$python" --version) (once, a minute or so)" >&2; \
	$(call new-venv,"$$python",$(VENV)) && $(PY) $(PIP) -e '.[dev]' && $(PY) -c '$(USED)'
	@touch $@
