# One command each: `make bounds`, `make test`. Both make .venv on their first call and set nothing up on later ones.
PYTHON ?= python3
VENV   ?= .venv
PY      = $(VENV)/bin/python
EPS    ?= 1e-3
N      ?= 8

.PHONY: bounds test lint types check figures bench clean

bounds: $(VENV)/.ready
	$(PY) -m theory.bounds --eps $(EPS) --n $(N)

test: $(VENV)/.ready
	$(PY) -m pytest

lint: $(VENV)/.ready
	$(PY) -m ruff check .

types: $(VENV)/.ready
	$(PY) -m mypy

check: $(VENV)/.ready
	$(PY) -m theory check

figures: $(VENV)/.ready
	$(PY) -m figures all

bench: $(VENV)/.ready
	$(PY) -m benchmarks

$(VENV)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "funmnet needs Python 3.11 or newer; say which one with: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --editable ".[all]"
	@touch $@

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
