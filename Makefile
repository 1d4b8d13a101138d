# make demo: the whole mission on made-up workbooks.   make test: all tests, no service needed.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo up test test-crash lint bench bench-check lock clean audit sbom

define check_python
@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "This needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + ". Install a newer one and run: make PYTHON=python3.11 $@")'
endef

# The stamp holds the hash of the lock, so that a changed lock installs again and nothing else does.
$(VENV)/installed: requirements.lock pyproject.toml
	$(check_python)
	@echo "  … making the environment from requirements.lock (once, under a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/installed-dev: requirements-dev.lock $(VENV)/installed
	@echo "  … adding what the tests need from requirements-dev.lock (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(VENV)/installed
	@$(BIN)/tms demo $(ARGS)

up: $(VENV)/installed
	@exec $(BIN)/tms up

test: $(VENV)/installed-dev
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test-crash: $(VENV)/installed-dev
	@TMS_CRASH_MATRIX=full $(BIN)/python -m pytest tests/crash tests/promises -n auto --dist load $(ARGS)

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/dagster definitions validate -w workspace.yaml --log-level error
	$(BIN)/python -m tms_pipeline.records.fault_pages --check
	$(BIN)/python -m tms_pipeline.ssg.error_pages --check
	$(BIN)/python -m tms_pipeline.operations.docs_check
	$(BIN)/python -m benchmarks.page --check

# What the benchmarks compare with lives in an environment of its own: pandas reads otherwise beside pyarrow.
$(VENV)/bench/installed: requirements-bench.lock $(VENV)/installed
	@echo "  … making the environment of the peers from requirements-bench.lock (once)"
	@test -x $(VENV)/bench/bin/python || $(BIN)/python -m venv $(VENV)/bench
	@$(VENV)/bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@touch $@

# Every stage beside the machine's limit, the naive way and the best peers: about ten minutes; make bench ARGS=--whole
# for a million rows. bench-check fails where a ratio is a third worse than recorded in benchmarks/bounds.json.
bench: $(VENV)/installed-dev $(VENV)/bench/installed
	@$(BIN)/python -m benchmarks $(ARGS)

bench-check: $(VENV)/installed-dev $(VENV)/bench/installed
	@$(BIN)/python -m benchmarks --check $(ARGS)

lock:
	uv pip compile pyproject.toml --extra build --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --no-strip-extras -q -o requirements.lock
	uv pip compile pyproject.toml --extra build --extra s3 --extra scale --extra kubernetes --extra sentry -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --no-strip-extras -q -o requirements-deploy.lock
	uv pip compile pyproject.toml --extra build --extra dev -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --no-strip-extras -q -o requirements-dev.lock
	uv pip compile pyproject.toml --extra build --extra bench -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --no-strip-extras -q -o requirements-bench.lock

# Known weaknesses of what we depend on, by pip-audit in an environment of its own; without its data, a recorded note.
audit: $(VENV)/installed
	@bash .ci/audit $(BIN)/python

# The bill of materials (CycloneDX) of requirements.lock: the same bytes for the same lock.
sbom: $(VENV)/installed
	@$(BIN)/python -m tms_pipeline.operations.materials requirements.lock build/sbom.json

clean:
	rm -rf $(VENV) .tms build dist *.egg-info
