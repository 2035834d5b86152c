# On a machine with Python 3.11 or newer and make: `make demo`, `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

# A process a core: most of a test's time is Keras building a network, which takes one.
PARALLEL := -n auto --maxprocesses 4 --dist worksteal

.PHONY: demo test test-torch check format bench docs clean

demo: $(VENV)/cpu
	rm -rf demo_run
	$(BIN)/headstart demo --out demo_run

test: $(VENV)/test
	$(BIN)/python -m pytest $(PARALLEL)
	KERAS_BACKEND=jax $(BIN)/python -m pytest $(PARALLEL) -m neutral

# Apart, because the registry's newest PyTorch brings gigabytes of CUDA.
test-torch: $(VENV)/test
	$(PIP) "torch==2.13.0"
	KERAS_BACKEND=torch $(BIN)/python -m pytest $(PARALLEL) -m neutral

check: $(VENV)/check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/check
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/test
	$(BIN)/python benchmarks/frozen.py
	$(BIN)/python benchmarks/fine_tune.py
	$(BIN)/python benchmarks/lp_ft.py
	$(BIN)/python benchmarks/dogs_vs_cats_vgg16.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/scale.py --what speed
	$(BIN)/python benchmarks/scale.py --what memory
	$(BIN)/python benchmarks/predict.py
	$(BIN)/python benchmarks/predict.py --memory
	$(BIN)/python benchmarks/trust.py
	$(BIN)/python benchmarks/export.py
	$(BIN)/python benchmarks/serve.py
	$(BIN)/python benchmarks/hostile.py
	$(BIN)/python benchmarks/choose.py
	$(BIN)/python benchmarks/starter.py

docs: $(VENV)/docs
	$(BIN)/python tools/write_reference.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

clean:
	rm -rf $(VENV) site demo_run build *.egg-info src/*.egg-info .pytest_cache .mypy_cache .ruff_cache

$(BIN)/python:
	$(PYTHON) -c "import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f'Python {v[0]}.{v[1]} is too old: headstart needs 3.11 or newer. Name one: make PYTHON=python3.12')"
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade "pip>=25.1"

$(VENV)/cpu: pyproject.toml | $(BIN)/python
	$(PIP) --editable ".[cpu]"
	touch $@

$(VENV)/test: $(VENV)/cpu
	$(PIP) --editable ".[cpu,jax,serve,export,tune,ray]" --group test
	touch $@

$(VENV)/check: $(VENV)/cpu
	$(PIP) --editable ".[cpu,serve]" --group check
	touch $@

$(VENV)/docs: $(VENV)/cpu
	$(PIP) --group docs
	touch $@
