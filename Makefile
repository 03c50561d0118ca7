# VENV and PYTHON can be set: make test VENV=/tmp/venv PYTHON=python3.12
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin

CHECKED := craig_cli tests benchmarks examples packaging
PYTEST := $(BIN)/python -m pytest -rs -n 2 --dist loadfile

.PHONY: demo lint test tools test-all bench evidence paper scale wheel-test wheels kernels notebook
.PHONY: man paper-large clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

# Select a tenth of the sample rows, show what came out, and check it against the data.
demo: $(VENV)/.installed
	mkdir -p build
	$(BIN)/craig select sample_data/sample.libsvm --fraction 0.1 -o build/demo.parquet
	$(BIN)/craig info build/demo.parquet
	$(BIN)/craig verify sample_data/sample.libsvm build/demo.parquet

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/ruff format --check $(CHECKED)
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32
	$(BIN)/mypy --platform darwin --cache-dir .mypy_cache/darwin

# The quick tier: what to run before and after a change. Four minutes at most, with nothing compiled yet.
test: lint
	$(PYTEST) --junitxml build/tests-quick.xml $(PYTEST_OPTIONS)

# Everything that tests know beside the dev extra, as far as it can be had: tests/tools.py has the list.
tools: $(VENV)/.installed-dev
	$(BIN)/python tests/install_tools.py

# Both tiers, with every tool; fails if a test was skipped whose tool is there.
# TIER='slow or needs' takes what the quick tier has not run, or may have skipped.
test-all: lint tools
	$(PYTEST) -m '$(TIER)' --junitxml build/tests-all.xml $(PYTEST_OPTIONS)
	$(BIN)/python tests/skips.py $(if $(TIER),build/tests-quick.xml) build/tests-all.xml

# paper, bench and evidence measure what data they find: benchmarks/DATA.md says where to get the rest.
# The experiments of the paper: half an hour at most. PAPER_OPTIONS="--only fig4-1,pages" for some, --go-on for what is not in build/paper.
paper: $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench,plot]'
	$(BIN)/python benchmarks/paper.py $(PAPER_OPTIONS)

# Its figures 5 and 6 on its own data, ResNet-20 on CIFAR-10: a night (480 minutes). What is stopped goes on when called again.
# PAPER_OPTIONS="--minutes 60" for another budget, "--dry-run" for what would fit. The section goes into PAPER.md.
paper-large: $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[plot,torch]'
	$(BIN)/python benchmarks/paper_cifar.py $(PAPER_OPTIONS)

# A quarter of an hour; BENCH_OPTIONS="--full --large" for twenty minutes more. submodlib-py does not install everywhere: the table says so then.
bench: $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check submodlib-py
	mkdir -p build
	$(BIN)/python benchmarks/bench.py $(BENCH_OPTIONS) > build/BENCHMARKS.md
	mv build/BENCHMARKS.md BENCHMARKS.md

# An hour and a half; what is measured is kept in benchmarks/kept, and EVIDENCE.md is written from it.
# EVIDENCE_OPTIONS=--go-on measures only what is not kept.
evidence: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python benchmarks/evidence.py $(EVIDENCE_OPTIONS) --into EVIDENCE.md

# The wheels in clean environments, on the lowest and the highest Python; PYTHONS="python3.12" for others.
wheel-test:
	packaging/test_wheel.sh $(PYTHONS)

# The wheels to publish: one for all platforms, and one a Python that brings compiled kernels.
wheels:
	WHEELS=build/wheels packaging/test_wheel.sh python3.11 python3.12 python3.13 python3.14

# After a change of what common runs call: the kernels that are compiled ahead, and counted.
kernels: $(VENV)/.installed-dev
	$(BIN)/python packaging/list_kernels.py

# The notebook of examples/, run anew with its outputs.
notebook: tools
	$(BIN)/python examples/run_notebook.py

man: $(VENV)/.installed
	$(BIN)/python packaging/make_man.py build/man

.PHONY: docs
# The site, in build/site. mkdocs.yml has its pages.
docs: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	$(BIN)/python -m mkdocs build --strict

# Two or three minutes; benchmarks/large.py has ten million rows. Needs the dask extra.
scale: $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dask]'
	for part in rows cells costs made ijcnn1; do $(BIN)/python benchmarks/scale.py $$part || exit 1; done
	$(BIN)/python benchmarks/scale_report.py > build/SCALE.md
	mv build/SCALE.md SCALE.md

clean:
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find craig_cli tests -name __pycache__ -type d -prune -exec rm -rf {} +
