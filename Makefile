# The README's commands. Each makes .venv, installs the package into it and runs.
# A machine needs Python (3.11 or later) and make, nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test docs linkcheck clean

demo: $(VENV)/.demo
	$(BIN)/python examples/demo.py

test: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	SCIPY_ARRAY_API=1 $(BIN)/python -m pytest --numprocesses=2 --dist=worksteal

docs: $(VENV)/.docs
	# Pages of names that are gone would be warnings.
	rm -rf docs/generated
	$(BIN)/python -m sphinx -W --keep-going -n -q -j 2 docs docs/_build/html

# Links within the site, without a network; EXTERNAL=1 asks other sites too.
linkcheck: docs
	$(BIN)/python docs/check_links.py docs/_build/html
	$(if $(EXTERNAL),$(BIN)/python -m sphinx -b linkcheck -q docs docs/_build/linkcheck)

$(VENV)/.pip:
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade --constraint constraints.txt pip
	touch $@

$(VENV)/.demo: $(VENV)/.pip pyproject.toml constraints.txt
	$(PIP) install --constraint constraints.txt --editable .
	touch $@

$(VENV)/.test: $(VENV)/.demo pyproject.toml constraints.txt
	$(PIP) install --constraint constraints.txt --group test --group lint
	touch $@

$(VENV)/.docs: $(VENV)/.demo pyproject.toml constraints.txt
	$(PIP) install --constraint constraints.txt --group docs
	touch $@

clean:
	rm -rf $(VENV) docs/_build docs/_inventories docs/auto_examples docs/generated
