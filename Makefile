# The README's commands. Each makes .venv, installs the package into it and runs.
# A machine needs Python (3.11 or later) and make, nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test test-min test-wheel docs linkcheck dist clean

demo: $(VENV)/.demo
	$(BIN)/python examples/demo.py

test: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	SCIPY_ARRAY_API=1 $(BIN)/python -m pytest --numprocesses=2 --dist=worksteal

# The suite with the oldest versions allowed, in a venv of its own. That torch comes with
# gigabytes of CUDA libraries, so this isn't a part of `make test`.
test-min: $(VENV)-min/.test
	$(VENV)-min/bin/python -m pytest --numprocesses=2 --dist=worksteal \
	    --ignore=tests/test_typing.py

dist: $(VENV)/.test
	rm -rf dist
	$(BIN)/python -m hatchling build -d dist

# The wheel as a user gets it: in a clean venv, away from the sources.
test-wheel: dist
	rm -rf $(VENV)-wheel
	$(PYTHON) -m venv $(VENV)-wheel
	$(VENV)-wheel/bin/python -m pip --disable-pip-version-check --quiet install \
	    --constraint constraints.txt dist/*.whl
	$(VENV)-wheel/bin/python -m pip check
	cd $(VENV)-wheel && bin/python ../tests/installed.py ../README.md

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

$(VENV)-min/.test: pyproject.toml constraints-min.txt
	$(PYTHON) -m venv $(VENV)-min
	$(VENV)-min/bin/python -m pip --disable-pip-version-check --quiet install \
	    --upgrade --constraint constraints.txt pip
	$(VENV)-min/bin/python -m pip --disable-pip-version-check --quiet install \
	    --constraint constraints-min.txt --editable . --group suite
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-min $(VENV)-wheel dist docs/_build docs/_inventories docs/auto_examples docs/generated
