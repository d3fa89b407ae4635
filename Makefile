# The card of commands. `make run` and `make test` need Python 3.11 or newer and the network once; nothing else.

PYTHON ?= python3
PY := .venv/bin/python
# Two processes, and the tests that share one running installation in the same of them.
PYTEST_ARGS ?= -n 2 --dist loadgroup

.PHONY: help run test check format docs bench chaos nightly photos wide browser lock clean
.DEFAULT_GOAL := help

help: ## this card
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Rebuilt when the lock changes; a build that was cut off is not complete and starts anew.
.venv/complete: requirements.lock .ci/bootstrap
	@.ci/bootstrap "$(PYTHON)"

run: .venv/complete ## the whole installation on this machine, until Ctrl-C (PORT, JITAPP_DATA, JITAPP_DEMO)
	@exec $(PY) manage.py up

test: .venv/complete ## the whole suite on servers of its own
	@.ci/browser --if-possible
	@$(PY) -m pytest $(PYTEST_ARGS)

check: .venv/complete ## format, lint, types, import contracts, templates, migrations, lock, audit
	@.ci/check

format: .venv/complete ## put code and templates into shape
	@$(PY) -m ruff check --fix --quiet . ; $(PY) -m ruff format .
	@find templates jitapp -name '*.html' -exec .venv/bin/djade --target-version 5.2 {} +

docs: .venv/complete ## docs/rules from the tables of the code
	@$(PY) -m jitapp.workshop.rulebook

bench: .venv/complete ## the benchmarks, as ratios side by side
	@exec $(PY) manage.py bench

chaos: .venv/complete ## kill -9 at random under 10,000 scans, Redis away for a minute: nothing lost, nothing doubled
	@exec $(PY) manage.py chaos

# A failure is told with its shortest story; the same seed and number of moves have it again.
MOVES ?= 1000000
SEED ?= $(shell date +%Y%m%d)
FUZZ ?= 100
nightly: .venv/complete ## a million random moves of every kind of kanban; the API fuzzed (SEED: by default the date; MOVES, FUZZ)
	@echo "SEED=$(SEED) MOVES=$(MOVES) FUZZ=$(FUZZ)"
	@JITAPP_MOVES=$(MOVES) $(PY) -m pytest tests/kanban/test_machine.py -q -p no:randomly --hypothesis-seed=$(SEED) -o timeout=0
	@JITAPP_FUZZ=$(FUZZ) SEED=$(SEED) $(PY) -m pytest tests/api/test_fuzzed.py -q -s -p no:randomly -o timeout=0

photos: .venv/complete ## photographs of 40 cards in every size: codes read, wrong, seconds
	@JITAPP_PHOTOS=all $(PY) -m pytest tests/journeys/test_camera.py -q -s -k forty -p no:randomly

wide: .venv/complete ## the board of 10,000 loops in a browser, with its figures
	@JITAPP_WIDE=10000 $(PY) -m pytest tests/journeys/test_wide_board.py -q -p no:randomly -o log_cli=true -k first_page

browser: ## a Chromium for the browser tests (Debian, as root)
	@.ci/browser

lock: .venv/complete ## take newer dependencies on purpose
	@.ci/lock --upgrade

clean: ## everything that was made here, except the data folder
	rm -rf .venv .tools .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
