# Antiphon. `make demo` shows it, `make test` proves it; both need Python 3.11 or newer, and the package registry once.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PEERS  := .venv-bench
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
DEMO   ?= demo-out
POSTS  ?= 20000
DATA   ?= ../shared/data

.PHONY: help install demo test test-slow check lint types docs bench bench-matching train lock clean

help:               ## this list
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/ \t/'

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements/runtime.txt pyproject.toml | $(BIN)/python
	@echo "Installing what Antiphon needs into $(VENV) (once; a minute or two) ..."
	$(PIP) install --require-hashes -r requirements/runtime.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	@echo "Installing what the tests need ..."
	$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

install: $(VENV)/.runtime          ## install into .venv

demo: $(VENV)/.runtime             ## an invented world, analysed from end to end, opened in the browser
	$(BIN)/antiphon demo --out $(DEMO) --posts $(POSTS) $(DEMO_FLAGS)

check: lint types                  ## style, types and the import rule

lint: $(VENV)/.dev
	$(BIN)/ruff check src tests bench scripts
	$(BIN)/ruff format --check src tests bench scripts
	$(BIN)/lint-imports

types: $(VENV)/.dev
	$(BIN)/mypy

test: $(VENV)/.dev check           ## everything that is quick: checks, then the tests
	$(BIN)/pytest -m "not slow" -n 2 --dist worksteal

test-slow: $(VENV)/.dev            ## the tests that take longer
	$(BIN)/pytest -m slow

bench: $(VENV)/.dev                ## speed and memory as ratios; writes bench/*.json
	$(BIN)/python bench/run.py
	$(BIN)/python bench/analysis.py

$(PEERS)/.done: requirements/bench.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python bench/peers/install.py requirements/bench.txt
	touch $@

bench-matching: $(VENV)/.dev $(PEERS)/.done  ## matching beside its peers, in their own environment
	$(BIN)/python bench/matching.py

$(VENV)/.train: requirements/train.txt $(VENV)/.dev
	$(PIP) install -r requirements/train.txt
	@touch $@

train: $(VENV)/.train              ## train both stages of the analysis from the sets in $(DATA); hours on two cores
	$(BIN)/python scripts/train_linear.py $(DATA)
	$(BIN)/python scripts/encoder $(DATA)

docs: $(VENV)/.dev                 ## what is generated in docs/
	$(BIN)/python scripts/write_docs.py

lock:                              ## renew the locked versions (needs uv)
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate pyproject.toml --group build -o requirements/runtime.txt
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate pyproject.toml --group build --group dev -c requirements/runtime.txt -o requirements/dev.txt

clean:
	rm -rf $(VENV) $(PEERS) $(DEMO) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
