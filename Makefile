# Everything a person or CI does with this project. `make` alone prints this list.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= $(shell for candidate in python3.13 python3.12 python3.11 python3 python; do \
	$$candidate -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$candidate && break; done)
VENV := .venv
BIN := $(VENV)/bin
# dash[testing] needs an old urllib3; the program itself takes the newest.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --upgrade

.PHONY: help
help: ## Print this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- environment ---------------------------------------------------------------------------------------------------

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 to 3.13 with venv found. Set PYTHON=/path/to/python3.12."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

.PHONY: setup setup-dev programs lock
setup: $(VENV)/.installed ## Make the virtual environment and install the exact pins

setup-dev: $(VENV)/.installed-dev ## The same with what tests and checks need

programs: ## Install Debian's chromium, chromium-driver, postgresql, Java, Maven and npm, and fetch Apache Kafka and axe-core, where that is possible
	@bash deploy/install-test-programs.sh

lock: setup-dev ## Resolve the newest versions again and write requirements*.txt
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) pyproject.toml --group test --group dev -o requirements-dev.txt \
		-c <(sed -n 's/^\([a-z0-9._-]*==[^ ]*\).*/\1/p' requirements.txt | grep -v '^urllib3==')

# --- running -------------------------------------------------------------------------------------------------------

.PHONY: run serve collector migrate user check-settings
run: setup ## Start the demo: simulator, Kafka broker, web and collector (CONSOLE_PORT, CONSOLE_DATA_DIR, CONSOLE_DEMO_PASSWORD)
	@exec $(BIN)/python manage.py run

serve: setup ## Serve against an existing drunc and Kafka, settings from the environment or .env
	@exec $(BIN)/python manage.py serve

collector: setup ## Run the collector as a program of its own
	@exec $(BIN)/python manage.py collector

migrate: setup ## Bring the database's schema to what this version needs
	@$(BIN)/python manage.py migrate

user: setup ## Create an account: make user NAME=alice ROLE=operator
	@$(BIN)/python manage.py user "$(NAME)" "$(ROLE)"

check-settings: setup ## Check the settings and say everything that is wrong with them
	@$(BIN)/python manage.py check-settings

# --- checking ------------------------------------------------------------------------------------------------------

.PHONY: test unit format lint types imports check
test: programs setup-dev ## Run all tests
	$(BIN)/python -m pytest $(TESTS)

unit: setup-dev ## Run the fast tests only
	$(BIN)/python -m pytest tests/unit

format: setup-dev ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix --quiet . || true

lint: setup-dev ## Check format and lint rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup-dev ## Check types, strictly
	$(BIN)/mypy

imports: setup-dev ## Check who imports whom
	$(BIN)/lint-imports

check: lint types imports test ## All of it: format, lint, types, imports, tests

# --- measuring -----------------------------------------------------------------------------------------------------

# Messages of a benchmark, and sqlite, postgresql or both.
SIZE ?= 1000000
ENGINE ?= both

# Of a soak: how often a collector is killed, how many there are, whose broker, for how long at least, and what else
# happens after each kill: postgresql, kafka (crashes), topic (deleted and made anew).
KILLS ?= 20
COLLECTORS ?= 1
BROKER ?= embedded
MINUTES ?= 0
ALSO ?=

# Applications of the largest session that is polled, and drunc's generation.
APPLICATIONS ?= 2000
GENERATION ?= G3

# How many browsers tick at once, rising.
BROWSERS ?= 100,300,500,800

.PHONY: bench-ingest bench-queries bench-latency bench-poll bench-web soak soak-wall
bench-ingest: programs setup-dev ## How fast messages are stored, with a plain way beside it (SIZE, ENGINE)
	$(BIN)/python -m benchmarks.ingest --size $(SIZE) --engine $(ENGINE)

bench-queries: programs setup-dev ## How long queries take with many messages stored (SIZE, ENGINE)
	$(BIN)/python -m benchmarks.queries --size $(SIZE) --engine $(ENGINE)

bench-latency: programs setup-dev ## How long from publishing to the feed, at 1 000 and 10 000 messages a second (ENGINE)
	$(BIN)/python -m benchmarks.latency --engine $(ENGINE)

bench-poll: programs setup-dev ## What polling costs and how soon it shows what happens (APPLICATIONS, GENERATION)
	$(BIN)/python -m benchmarks.poll --applications $(APPLICATIONS) --generation $(GENERATION)

bench-web: programs setup-dev ## What pages cost the server, how many browsers it bears, how soon a page is there (BROWSERS)
	$(BIN)/python -m benchmarks.web --browsers $(BROWSERS)

soak: programs setup-dev ## Kill collectors under load, count what is lost (KILLS, COLLECTORS, ENGINE, BROKER, MINUTES, ALSO)
	$(BIN)/python -m benchmarks.soak --kills $(KILLS) --collectors $(COLLECTORS) --engine $(ENGINE) --broker $(BROKER) \
		--minutes $(MINUTES) --also $(ALSO)

soak-wall: MINUTES = 10
soak-wall: programs setup-dev ## Keep the wall display and the feed open at high rates, see whether they grow (MINUTES)
	$(BIN)/python -m benchmarks.wall --minutes $(MINUTES)

# --- making --------------------------------------------------------------------------------------------------------

screenshots: programs setup-dev ## Write a PNG of every page, dark and light, wide and narrow
	$(BIN)/python -m tests.browser.screenshots docs/screenshots
