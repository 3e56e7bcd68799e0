# Everything there is to do with Parley; `make help` lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
COMPOSE ?= docker compose
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --quiet
COMPILE := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate

.DEFAULT_GOAL := help
.PHONY: help setup run test lint clean migrate seed bench chaos screenshots lock db-up db-down db-logs db-shell

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.installed ## install what the service needs into .venv
	@:

run: ## set up and start everything on http://localhost:8080 (PORT=… for another)
	@bin/start.sh

test: $(VENV)/.installed-dev ## set up, a browser too, and run the whole suite (ARGS=… for pytest)
	@bin/browser.sh
	@$(BIN)/pytest -n 2 --dist loadfile $(ARGS)

lint: $(VENV)/.installed-dev ## check style, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

clean: ## remove .venv and all caches; the data in .data stays
	@rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find parley tests bench docs -type d -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

migrate: setup ## bring the database to this version's schema
	@$(BIN)/parley migrate

seed: setup ## fill the running service with a demonstration
	@$(BIN)/parley demo

bench: $(VENV)/.installed-bench ## measure the service beside others on this machine (QUICK=1: a rough version)
	@$(BIN)/python -m bench $(ARGS)

chaos: $(VENV)/.installed-dev ## kill its parts while it works, and count what is lost
	@$(BIN)/python -m tests.chaos $(ARGS)

screenshots: $(VENV)/.installed-dev ## make the pictures of the documentation
	@bin/browser.sh
	@$(BIN)/python -m bench.screenshots

lock: $(VENV)/.installed-dev ## lock the newest versions that pyproject.toml allows
	@test -x $(BIN)/uv || $(PIP) uv
	@$(COMPILE) --upgrade --extra build --output-file requirements.txt
	@$(COMPILE) --upgrade --extra build --extra dev --constraints requirements.txt --output-file requirements-dev.txt
	@$(COMPILE) --upgrade --extra build --extra dev --extra bench --constraints requirements-dev.txt --output-file requirements-bench.txt

db-up: ## start the PostgreSQL of docker-compose.yml
	@$(COMPOSE) up --detach --wait postgres
	@echo "DATABASE_URL=postgresql://messaging_user:messaging_password@localhost:5432/messaging_service"

db-down: ## stop it; its data stays
	@$(COMPOSE) stop postgres

db-logs: ## follow its log
	@$(COMPOSE) logs --follow postgres

db-shell: setup ## psql in the database that the service uses: DATABASE_URL, or else the embedded one
	@$(BIN)/python -m parley.db.shell

$(VENV)/.installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Parley needs Python 3.11 or later; name one with PYTHON=…" >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || \
		{ echo "Python cannot make virtual environments here; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "Setting up .venv (once)"
	@$(PIP) --require-hashes --requirement requirements.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@echo "Setting up the tools for tests (once)"
	@$(PIP) --require-hashes --requirement requirements-dev.txt
	@touch $@

$(VENV)/.installed-bench: requirements-bench.txt $(VENV)/.installed-dev
	@echo "Setting up what the service is measured beside (once)"
	@$(PIP) --require-hashes --requirement requirements-bench.txt
	@touch $@
