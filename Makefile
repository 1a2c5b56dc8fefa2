# make help lists the targets. Each does its own set-up.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# Newest releases of Kubernetes clients; ours must work with them, and cannot be installed beside them.
CLIENTS := .clients
CLIENTS_STAMP := $(CLIENTS)/.installed
CLIENTS_PINS := tests/cluster/clients/requirements.txt
# What looks manifests through for weaknesses; its pins cannot live beside ours.
CHECKS := .checks
CHECKS_STAMP := $(CHECKS)/.installed
CHECKS_PINS := tests/deploy/checks.txt
TESTS  ?= tests kfambassador
JOBS   ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format unit golden bench servers clients checks clean

help: ## Show this list
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make .venv with everything (quick the second time)

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and none was found. Name one: make PYTHON=/path/to/python3.11 setup"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than Python 3.11. Name a newer one: make PYTHON=/path/to/python3.11 setup"; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version); one to three minutes ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[all,dev]'
	@touch $@

demo: setup ## Publish a model from Python and call it through a real Envoy
	@$(BIN)/kfambassador demo

test: setup lint unit ## Everything that must pass: format, lint, types, import contracts, tests

lint: setup ## Format, lint, types and import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

unit: setup clients checks ## The tests alone; TESTS=PATH for some of them
	@$(BIN)/pytest --numprocesses $(JOBS) --dist loadgroup $(TESTS)

format: setup ## Format the code and mend what the linter can mend
	@$(BIN)/ruff check --fix --exit-zero .
	@$(BIN)/ruff format .

golden: setup ## Rewrite the golden files, and what the guide shows, from what the code answers now
	@$(BIN)/pytest --quiet tests/golden --rewrite-golden
	@$(BIN)/pytest --quiet tests/docs tests/deploy/test_pages.py --rewrite-guide

bench: setup ## Run the benchmarks and print their tables
	@$(BIN)/python -m benchmarks

servers: setup ## Install the model servers of others that tests/servers runs; else their first test does
	@$(BIN)/python -m tests.servers.environments

clients: setup $(CLIENTS_STAMP) ## Install the Kubernetes clients of others that tests/cluster runs

$(CLIENTS_STAMP): $(CLIENTS_PINS) | $(STAMP)
	@echo "Setting up $(CLIENTS) ..."
	@$(BIN)/python -m venv --clear $(CLIENTS)
	@$(CLIENTS)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(CLIENTS_PINS)
	@touch $@

checks: setup $(CHECKS_STAMP) ## Install what tests/deploy looks manifests through with

$(CHECKS_STAMP): $(CHECKS_PINS) | $(STAMP)
	@echo "Setting up $(CHECKS) ..."
	@$(BIN)/python -m venv --clear $(CHECKS)
	@$(CHECKS)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(CHECKS_PINS)
	@touch $@

clean: ## Remove the virtual environments and caches
	@rm -rf $(VENV) $(CLIENTS) $(CHECKS) .servers build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@rm -rf "$${TMPDIR:-/tmp}/kfambassador-image-$$(id -u)"
