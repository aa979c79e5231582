# Every target works on a fresh machine: it makes its own environment in .venv first.
PYTHON ?= python3
BIN := .venv/bin
# Plain `torch` would pull gigabytes of CUDA where only a CPU is wanted; pass TORCH=torch for the newest build.
TORCH ?= torch==2.13.0
# Threads that spin for long while they wait make everything crawl on a machine that does anything else.
export GOMP_SPINCOUNT ?= 3000

.PHONY: setup demo test lint types unit docs bench clean help

help: ## What can be made
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

setup: .venv/base ## Pliant with video, in .venv
demo: .venv/base ## Drag a portrait with the embedded model; out/demo.mp4, a before/after sheet, figures
	$(BIN)/python examples/01_drag.py

test: lint types unit ## All checks

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev
	$(BIN)/pyright

unit: .venv/dev
	$(BIN)/python -m pytest -q

docs: .venv/dev ## The documentation as a site in site/
	$(BIN)/mkdocs build --strict

bench: .venv/dev ## Speed of a drag on this machine, written to benchmarks/results
	$(BIN)/python benchmarks/drag.py

clean: ## Remove what was made here
	rm -rf .venv out site dist

.venv/base: pyproject.toml
	@echo "Setting up Python in .venv (a few minutes the first time) ..."
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --upgrade "pip>=25.1"
	$(BIN)/python -m pip install -q "$(TORCH)"
	$(BIN)/python -m pip install -q -e ".[video]"
	@touch $@

.venv/dev: .venv/base
	$(BIN)/python -m pip install -q -e ".[all]" --group dev
	@touch $@
