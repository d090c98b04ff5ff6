# Every target but `clean` and `engine` first sets up what it needs in .venv; after the first time that takes no time.

PYTHON ?=
ARGS ?=

VENV := .venv
RUN := $(VENV)/bin
PIP := $(RUN)/python -m pip --disable-pip-version-check --quiet
# The installed sets of packages, as stamps: older than pyproject.toml means out of date.
CORE := $(VENV)/.installed-core
TEST := $(VENV)/.installed-test
LINT := $(VENV)/.installed-lint
DOCS := $(VENV)/.installed-docs
# The SDK has 130 packages of its own, which must not decide what buzzflow is tested with.
SDK := build/conformance

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test lint format engine bench fuzz reliability faults docs docs-serve refresh-data clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@echo 'Settings: PYTHON=python3.12 (for a new .venv), ARGS="-k name" (for test and bench)'

demo: $(CORE) ## run the example pipeline on this machine
	@$(RUN)/buzzflow create projects/research/flight-delays --local

test: $(TEST) ## run all tests (those that need Docker only where an engine answers)
	@$(RUN)/python -m pytest $(ARGS)

lint: $(LINT) ## check code style, types and import directions
	@$(RUN)/ruff check
	@$(RUN)/ruff format --check
	@$(RUN)/mypy
	@$(RUN)/lint-imports

format: $(LINT) ## format the code and apply the linter's safe fixes
	@$(RUN)/ruff check --fix --exit-zero --quiet
	@$(RUN)/ruff format

engine: ## make a Docker engine and test images available (Debian, as root)
	@tests/engine/start.sh

bench: $(TEST) ## measure start-up, validate and local runs (ARGS=tree: 1,000 pipelines only)
	@$(RUN)/python -m benchmarks $(ARGS)

conformance: $(SDK)/.installed ## build the pipelines of tests/conformance with the SageMaker SDK anew (1 GB)
	@$(SDK)/bin/python tests/conformance/sdk $(ARGS)

docs: $(DOCS) ## build the documentation site into build/site
	@NO_MKDOCS_2_WARNING=1 $(RUN)/mkdocs --quiet build --strict

docs-serve: $(DOCS) ## show the documentation site while you write it
	@NO_MKDOCS_2_WARNING=1 $(RUN)/mkdocs serve

refresh-data: $(TEST) ## write the tables about SageMaker anew (from the package index and AWS's price list)
	@rm -rf build/refresh && mkdir -p build/refresh
	@$(PIP) install --upgrade boto3 'moto[server]'
	@$(PIP) download --no-deps --dest build/refresh sagemaker-core
	@$(RUN)/python tools/refresh_framework_images.py build/refresh/sagemaker_core-*.whl
	@$(RUN)/python tools/refresh_service_model.py
	@$(RUN)/python tools/refresh_instance_types.py
	@$(RUN)/python tools/refresh_instances.py $(ARGS)

fuzz: $(TEST) ## check mutants of all pipelines (ARGS="--mutants 100000 --seed 7")
	@$(RUN)/python -m tests.fuzz $(ARGS)

reliability: $(TEST) ## break deployments at every call and write the counts into docs/RELIABILITY.md
	@$(RUN)/python -m tests.reliability $(ARGS)

faults: $(TEST) ## break local runs in every way and write the counts into docs/RELIABILITY.md (root, Docker)
	@$(RUN)/python -m tests.faults $(ARGS)

clean: ## remove .venv, caches and build results (runs in .buzzflow stay)
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# An interpreter counts if it runs, is 3.11 or newer and can make a virtual environment: version managers put names on
# PATH that do not run, and Debian has venv in a package of its own.
$(RUN)/python:
	@old= bare=; \
	for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3); do \
	  version=$$("$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue; \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { old="$$old $$python ($$version)"; continue; }; \
	  "$$python" -c 'import venv, ensurepip' 2>/dev/null || { bare=$${bare:-$$version}; continue; }; \
	  echo "Setting up $(VENV) with Python $$version"; \
	  "$$python" -m venv --clear $(VENV) && exit; \
	  rm -rf $(VENV); exit 1; \
	done; \
	if [ -n "$$bare" ]; then \
	  echo "error: Python $$bare cannot make virtual environments: it has no venv or ensurepip module." >&2; \
	  echo "On Debian and Ubuntu: sudo apt-get install python$$bare-venv" >&2; \
	else \
	  echo "error: buzzflow needs Python 3.11 or newer; found:$${old:- none}." >&2; \
	  echo "Install one, or name it: make ... PYTHON=/path/to/python3.12" >&2; \
	fi; exit 1

$(CORE): pyproject.toml | $(RUN)/python
	@echo 'Installing buzzflow into $(VENV)'
	@$(PIP) install --editable .
	@touch $@

$(SDK)/.installed: pyproject.toml | $(RUN)/python
	@echo 'Installing the SageMaker SDK into $(SDK) (some minutes)'
	@$(RUN)/python -m venv --clear $(SDK)
	@$(SDK)/bin/python -m pip --disable-pip-version-check --quiet install 'pip>=25.1'
	@$(SDK)/bin/python -m pip --disable-pip-version-check --quiet install --group conformance
	@touch $@

# Dependency groups need pip 25.1.
$(TEST) $(LINT) $(DOCS): $(VENV)/.installed-%: pyproject.toml | $(RUN)/python
	@echo 'Installing buzzflow and its $* tools into $(VENV) (a minute or two)'
	@$(PIP) install 'pip>=25.1'
	@$(PIP) install --editable . --group $*
	@touch $@ $(CORE)
