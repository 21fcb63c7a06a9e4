# The one entry to everything: `make help` lists it. Needs Python 3.11 or newer, and uses uv when it is installed.

.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
BIN := $(VENV)/bin
UV := $(shell uv --version >/dev/null 2>&1 && command -v uv)
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$python && break; done)
RUNTIME := $(VENV)/.installed-requirements
DEVELOPMENT := $(VENV)/.installed-requirements-dev
JUDGES := .venv-judges/.installed
JUDGES_LOCK := tests/judges/signalwire/requirements
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --no-input
INSTALL := $(if $(UV),$(UV) pip install --quiet --python $(PY),$(PIP)) --require-hashes
PRODUCTION := MODE=production DATA_DIR=var/check ALLOWED_HOSTS=numbers.example.org BEHIND_PROXY=true \
	SECRET_KEY=for-checks-only-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789 \
	CREDENTIALS_KEYS=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
SHARED := -n auto --maxprocesses 8 -p tests.sharing
TEMPLATES = $(shell find templates -name '*.html')
export UV_PYTHON_DOWNLOADS := never
export PIP_ROOT_USER_ACTION := ignore

.PHONY: judges help run test chaos bench check fix lock matrix screenshots clean environment chromium

help:  ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

run: $(RUNTIME)  ## Start the dashboard on http://127.0.0.1:8000 (another port: make run PORT=9000)
	@exec $(PY) manage.py up

test: $(DEVELOPMENT) $(JUDGES) chromium  ## Run every test, then those of the database again on PostgreSQL
	@status=0; \
	$(PY) -m pytest $(SHARED) || status=$$?; \
	echo "The tests of the database, on PostgreSQL:"; \
	TEST_DATABASE=postgresql $(PY) -m pytest $(SHARED) -m "not processes" tests/phone_numbers tests/dashboard || status=$$?; \
	exit $$status

chaos: $(DEVELOPMENT)  ## Show that syncs, changes and queues survive every fault, with figures (some rows: make chaos ONLY="S1 W6")
	@$(PY) -m tests.chaos $(ONLY)

bench: $(DEVELOPMENT)  ## Measure speed and memory beside what one would write without us (one bench: make bench ONLY=sync)
	@$(PY) -m tests.bench $(ONLY)

check: $(DEVELOPMENT)  ## Lint, types, layers, templates, migrations, production settings
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/djlint --quiet --lint templates
	@$(BIN)/djade --check --target-version 5.2 $(TEMPLATES)
	@$(PY) manage.py makemigrations --check --dry-run
	@$(PY) manage.py provider_matrix --check
	@$(PRODUCTION) $(PY) manage.py check --deploy --fail-level INFO
	@! grep -nE '://|--index|--extra-index|--find-links|--trusted-host|@ file' requirements.txt requirements-dev.txt $(JUDGES_LOCK).txt

fix: $(DEVELOPMENT)  ## Format, and repair what the linters can
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format
	@$(BIN)/djade --target-version 5.2 $(TEMPLATES)

lock:  ## Resolve the lock files anew (needs uv)
	@test -n "$(UV)" || { echo "make lock needs uv."; exit 1; }
	$(UV) pip compile --quiet --upgrade --universal --generate-hashes --no-header --python-version 3.11 \
		pyproject.toml -o requirements.txt
	$(UV) pip compile --quiet --upgrade --universal --generate-hashes --no-header --python-version 3.11 \
		--group dev pyproject.toml -o requirements-dev.txt
	$(UV) pip compile --quiet --upgrade --universal --generate-hashes --no-header --python-version 3.11 \
		$(JUDGES_LOCK).in -o $(JUDGES_LOCK).txt

matrix: $(DEVELOPMENT)  ## Write docs/providers.md and docs/reference-coverage.md anew
	@$(PY) manage.py provider_matrix
	@$(PY) -m tests.providers.reference

screenshots: $(DEVELOPMENT) chromium  ## Take the pictures in docs/images anew
	@$(PY) -m tests.e2e.screenshots

clean:  ## Remove the environment and caches; the data in var/ stays
	rm -rf $(VENV) .venv-judges .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(PY):
	@$(or $(PYTHON),false) -c '$(NEW_ENOUGH)' 2>/dev/null || { \
		echo "Numberdesk needs Python 3.11 or newer; found: $$(command -v $(or $(PYTHON),python3) >/dev/null \
		&& $(or $(PYTHON),python3) --version 2>&1 || echo none)."; exit 1; }
	@test -n "$(UV)" || $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Python's venv module is missing; install it (Debian, Ubuntu: apt-get install python3-venv)."; exit 1; }
	@echo "Making the environment in $(VENV) ..."
	@$(if $(UV),$(UV) venv --quiet --clear --python "$$(command -v $(PYTHON))" $(VENV),$(PYTHON) -m venv --clear $(VENV)) \
		|| { rm -rf $(VENV); exit 1; }

$(RUNTIME): requirements.txt | $(PY)
	@echo "Installing the packages of requirements.txt ..."
	@$(if $(UV),true,$(PY) -m pip --version >/dev/null 2>&1 || $(PY) -m ensurepip >/dev/null)
	@$(INSTALL) -r requirements.txt
	@touch $@

$(DEVELOPMENT): requirements-dev.txt | $(PY)
	@echo "Installing the packages of requirements-dev.txt ..."
	@$(if $(UV),true,$(PY) -m pip --version >/dev/null 2>&1 || $(PY) -m ensurepip >/dev/null)
	@$(INSTALL) -r requirements-dev.txt
	@touch $@ $(RUNTIME)

judges: $(JUDGES)  ## Make the environment of SignalWire's own client, which judges the simulator

$(JUDGES): $(JUDGES_LOCK).txt | $(PY)
	@echo "Installing SignalWire's own client apart ..."
	@$(if $(UV),$(UV) venv --quiet --clear --python $(PY) .venv-judges,$(PY) -m venv --clear .venv-judges)
	@$(if $(UV),$(UV) pip install --quiet --python .venv-judges/bin/python,.venv-judges/bin/python -m pip install \
		--quiet --disable-pip-version-check --no-input) --require-hashes -r $(JUDGES_LOCK).txt
	@touch $@

environment: $(DEVELOPMENT)  ## Make the development environment and nothing else

chromium:
	@command -v "$${TEST_CHROMIUM:-chromium}" >/dev/null || command -v chromium-browser >/dev/null \
		|| command -v google-chrome >/dev/null || command -v google-chrome-stable >/dev/null \
		|| test -d "/Applications/Google Chrome.app" \
		|| test "$$(id -u)" != 0 || ! command -v apt-get >/dev/null \
		|| { echo "Installing Chromium for the browser tests ..."; \
			apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium; } \
		|| echo "Chromium could not be installed; the tests that need it say so."
