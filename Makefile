# `make` lists the targets. Everything lives in .venv; a target installs what it needs the first time and is quick afterwards.

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3,$(shell command -v $(name))))
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(UPGRADE)

.DEFAULT_GOAL := help
.PHONY: help run quick test test-slow test-newest test-elsewhere measure check words lock licences torch clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

run: .venv/.installed  ## serve the app on http://localhost:8501, to this computer only
	$(BIN)/python -m streamlit run app.py --server.address=localhost

quick: .venv/.installed-dev  ## tests of figures, charts, scores and timetables in a minute: no browser, no network, no process
	$(BIN)/python -m pytest -q --quick -m "not slow and not browser" $(addprefix tests/,charts expression school scoring signals stats \
	  timetable vision test_colours.py test_frames.py test_house.py test_observations.py)

test: .venv/.installed-dev  ## the tests that are quick
	$(BIN)/python -m pytest -m "not slow"

test-slow: .venv/.installed-dev  ## the tests that take longer
	$(BIN)/python -m pytest -m slow

test-newest: .venv/.installed-dev  ## the quick tests on the newest versions that requirements-dev.txt allows, in build/newest
	$(BIN)/uv venv --quiet --clear --python "$(PYTHON)" build/newest
	$(BIN)/uv pip install --quiet --compile-bytecode --python build/newest -r requirements-dev.txt
	build/newest/bin/python -m pytest -m "not slow"

test-elsewhere: .venv/.installed-dev  ## the tests that need no browser, at other dates, in other time zones and in Turkish
	$(BIN)/python -m tests.elsewhere

measure: .venv/.installed-dev  ## measure what takes too long for .ci/run; the tables are written to build/measured.md
	$(BIN)/python -m tests.measure

check: .venv/.installed-dev  ## lint, formatting, types, translations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_language.py

words: .venv/.installed-dev  ## add new sentences to the translations in cssafe/locale and count those untranslated
	$(BIN)/python -m tests.words

lock: .venv/.installed-dev  ## pin what requirements*.txt allow; pins that still fit stay, unless: make lock UPGRADE=--upgrade
	$(COMPILE) requirements-dev.txt --output-file requirements-dev-lock.txt
	$(COMPILE) requirements.txt --constraints requirements-dev-lock.txt --output-file requirements-lock.txt

licences: .venv/.installed-dev  ## write docs/licences.md from the installed packages
	$(BIN)/python -m tests.licences

torch: .venv/.installed-train  ## install PyTorch, which `python -m cssafe train` and its tests need

clean:  ## remove caches; .venv, build/ and data/ stay
	rm -rf .pytest_cache .ruff_cache .mypy_cache
	find . -name __pycache__ -not -path "./.venv/*" -prune -exec rm -rf {} +

.venv/bin/python:
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' || \
	  { echo "CSSAFE needs Python 3.11 or 3.12. Install one, or name it: make run PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.installed: requirements-lock.txt | .venv/bin/python
	@echo "Installing the packages of requirements.txt into .venv: some minutes, once."
	$(PIP) --require-hashes -r $<
	@touch $@

.venv/.installed-dev: requirements-dev-lock.txt .venv/.installed
	$(PIP) --require-hashes -r $<
	@touch $@

.venv/.installed-train: requirements-train.txt .venv/.installed-dev
	$(PIP) -r $<
	@touch $@
