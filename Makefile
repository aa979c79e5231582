# Every target works on a fresh machine: it makes its own environment in .venv first.
PYTHON ?= python3
BIN := .venv/bin
# Plain `torch` would pull gigabytes of CUDA where only a CPU is wanted; pass TORCH=torch for the newest build.
TORCH ?= torch==2.13.0
# Threads that spin for long while they wait make everything crawl on a machine that does anything else.
export GOMP_SPINCOUNT ?= 3000

# The studio's page, built from web/.
PAGE := src/pliant/studio/_web/index.html
PAGE_SOURCES := $(shell find web -type f -not -path '*/node_modules/*' 2>/dev/null)
# A page that shares its cores with other tests is late, and its tests with it: they run alone.
BROWSER_TESTS := tests/studio/browser

.PHONY: setup demo studio test lint types page unit chromium screenshots docs bench clean help

help: ## What can be made
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

setup: .venv/base ## Pliant with video, in .venv
demo: .venv/base ## Drag a portrait with the embedded model; out/demo.mp4, a before/after sheet, figures
	$(BIN)/python examples/01_drag.py

studio: .venv/studio $(PAGE) ## Edit in the browser; prints the address
	$(BIN)/pliant studio $(ARGS)

test: lint types page unit ## All checks

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev
	$(BIN)/pyright

page: .venv/dev $(PAGE) # the front end: generated types are fresh, lint, types, unit tests
	$(BIN)/python -m pliant.studio.schema | (cd web && npm run --silent types -- --check)
	cd web && npm run --silent lint && npm run --silent test

unit: .venv/dev $(PAGE) chromium
	$(BIN)/python -m pytest -q -n logical --maxprocesses 4 --dist loadfile --ignore $(BROWSER_TESTS)
	$(BIN)/python -m pytest -q $(BROWSER_TESTS)

chromium: # for the browser tests
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
		echo "Installing chromium for the browser tests ..."; \
		SUDO=$$([ "$$(id -u)" = 0 ] || echo sudo); \
		$$SUDO apt-get -qq update && $$SUDO apt-get -qq install -y --no-install-recommends chromium >/dev/null; }

screenshots: .venv/dev $(PAGE) chromium ## The pictures of docs/studio.md
	$(BIN)/python docs/screenshots.py

docs: .venv/dev ## The documentation as a site in site/
	$(BIN)/mkdocs build --strict

bench: .venv/dev ## Speed of a drag on this machine, written to benchmarks/results
	$(BIN)/python benchmarks/drag.py

clean: ## Remove what was made here
	rm -rf .venv out site dist web/node_modules src/pliant/studio/_web

.venv/base: pyproject.toml
	@echo "Setting up Python in .venv (a few minutes the first time) ..."
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --upgrade "pip>=25.1"
	$(BIN)/python -m pip install -q "$(TORCH)"
	PLIANT_SKIP_WEB=1 $(BIN)/python -m pip install -q -e ".[video]"
	@touch $@

.venv/studio: .venv/base
	PLIANT_SKIP_WEB=1 $(BIN)/python -m pip install -q -e ".[studio,video,vector,diffusion]"
	@touch $@

.venv/dev: .venv/base
	PLIANT_SKIP_WEB=1 $(BIN)/python -m pip install -q -e ".[all]" --group dev
	@touch $@ .venv/studio

web/node_modules/.package-lock.json: web/package-lock.json
	@command -v npm >/dev/null || { echo "The studio's page is built with npm, which is not there: install Node.js 20 or newer."; exit 1; }
	cd web && npm ci --no-audit --no-fund --loglevel=error

$(PAGE): web/node_modules/.package-lock.json $(PAGE_SOURCES)
	cd web && npm run --silent build
	@touch $@
