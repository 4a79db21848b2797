# Two commands do everything on a fresh machine: `make demo` and `make test`. Both need python3 (3.11 or newer), make and
# a package index the first time; later runs use what is in .venv and in the model cache.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt

# A file of tests goes to one process, in the order that tests/conftest.py says; each process takes up to 2 GB.
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: demo test check bench browser clean

demo: $(VENV)/.demo
	$(BIN)/wordstock demo

test: check browser
	$(PYTEST)

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The browser in which tests open the pages that wordstock writes; where it cannot be had they say so and are left out.
browser:
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || \
	  echo "chromium is not installed; tests in a browser are left out"

bench: $(VENV)/.test
	$(BIN)/python benchmarks/run.py $(ONLY)

# Each stamp is renewed when the project's requirements change.
$(VENV)/.venv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "wordstock needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/.venv
	$(INSTALL) -e '.[plot]'
	touch $@

$(VENV)/.test: pyproject.toml constraints.txt tests/stores/lite2.txt | $(VENV)/.venv
	$(INSTALL) -e '.[test]'
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --upgrade --target $(VENV)/lite2 \
	  -r tests/stores/lite2.txt || echo "Milvus Lite 2 cannot be installed here; its tests are left out"
	touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
