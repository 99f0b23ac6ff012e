# Everything a developer or an operator does with a checkout. `make` alone explains itself.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet

# Debian's packages for the tests on real servers, and the programs that show that they are there.
SERVERS := mosquitto mosquitto-clients influxdb victoria-metrics kannel kannel-extras perl libnet-snpp-perl chromium systemd shellcheck prometheus tmux fonts-wqy-microhei
PROGRAMS := mosquitto mosquitto_pub influxd victoria-metrics bearerbox smsbox fakesmsc chromium systemd-analyze shellcheck promtool tmux
PERL_MODULE := Net::SNPP::Server

# Tests wait for servers and other processes more than they compute: four at once on two cores. One file stays in one process;
# in the order of the tree, so that the long ones of tests/chaos and tests/integration do not come last.
TOGETHER := -n 4 --dist loadfile --no-loadscope-reorder

# Arguments: make test ARGS="-k silence", make scenarios FILES=my.yaml, make demo ARGS="--speed 600", make lock ARGS=--upgrade
ARGS :=
FILES :=

# One command a line in `check`'s parts, so that `make -k check` shows every finding at once.
.PHONY: help setup setup-run servers check lint format types imports laws test trace check-security scenarios demo bench dashboards grafana-schema fuzz lock clean

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## make .venv with everything that is locked, for development

setup-run: $(VENV)/.ready-to-run

# The first Python ≥ 3.11 that really starts (a version manager's shim may not).
$(VENV)/bin/python:
	@for candidate in python3.13 python3.12 python3.11 python3; do \
	  if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    echo "making $(VENV) with $$candidate"; \
	    "$$candidate" -m venv $(VENV) && exit 0; \
	  fi; \
	done; \
	echo "no Python 3.11 or newer with venv was found (tried python3.13, python3.12, python3.11, python3)." >&2; \
	echo "On Debian or Ubuntu: apt-get install python3 python3-venv" >&2; \
	exit 1

# $(1): the lock. The project itself is installed editable, by the build backend that is in the lock.
define install
$(PIP) install --require-hashes -r $(1)
$(PIP) install --no-deps --no-build-isolation -e .
endef

$(VENV)/.ready: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(call install,requirements.lock)
	@$(PY) -m pip check || { echo "requirements.lock is behind pyproject.toml: make lock" >&2; exit 1; }
	@touch $@ $(VENV)/.ready-to-run

$(VENV)/.ready-to-run: requirements-run.lock pyproject.toml | $(VENV)/bin/python
	$(call install,requirements-run.lock)
	@touch $@

servers: ## install the servers that the tests talk to (Debian, Ubuntu), where missing
	@PATH="$$PATH:/usr/sbin:/usr/local/sbin:/usr/lib/kannel/test"; missing=""; \
	for program in $(PROGRAMS); do command -v "$$program" >/dev/null || missing="$$missing $$program"; done; \
	perl -M$(PERL_MODULE) -e 1 2>/dev/null || missing="$$missing $(PERL_MODULE)"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	echo "missing:$$missing"; \
	if ! command -v apt-get >/dev/null; then \
	  echo "no apt-get here: install $(SERVERS) yourself, so that these are found: $(PROGRAMS) $(PERL_MODULE)" >&2; exit 1; \
	fi; \
	if [ "$$(id -u)" = 0 ]; then as_root=""; \
	elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then as_root="sudo"; \
	else echo "as root, once: apt-get install --no-install-recommends $(SERVERS)" >&2; exit 1; fi; \
	$$as_root apt-get update -q; \
	$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $(SERVERS)

check: lint format types imports laws ## lint, types, import rules, laws of the tree (no servers, half a minute; -k shows all)

lint: setup
	@$(VENV)/bin/ruff check --quiet .

format: setup
	@$(VENV)/bin/ruff format --check --quiet . || { echo "not formatted: $(VENV)/bin/ruff format ." >&2; exit 1; }

types: setup
	@$(VENV)/bin/mypy

imports: setup
	@$(VENV)/bin/lint-imports

laws: setup
	@$(PY) -m pytest -q tests/architecture

test: setup servers ## all tests, on real servers on loopback (ARGS="-k word" narrows)
	@$(PY) -m pytest $(TOGETHER) $(ARGS)

trace: setup servers ## hazard → control → tests → last result (ARGS="--from build/tests.xml" reads a run that is over)
	@$(PY) -m tests.trace $(ARGS)

check-security: setup ## bill of materials to build/, and known vulnerabilities of what is locked (asks the network)
	@$(PY) .ci/security.py $(ARGS)

scenarios: setup-run ## run the scenario stories in virtual time (FILES=... for your own)
	@$(VENV)/bin/dripwatch scenario run $(or $(FILES),$(wildcard tests/scenarios/*.yaml))

demo: setup-run ## a compressed day with trouble, in the browser; needs no server and no configuration
	@$(VENV)/bin/dripwatch demo $(ARGS)

bench: setup servers ## print the measured numbers beside the goals
	@$(PY) -m tests.benchmarks $(ARGS)

dashboards: setup servers ## write Grafana's dashboards, and the pictures of them in docs/dashboards
	@$(VENV)/bin/dripwatch dashboards build
	@$(PY) -m tests.previews

grafana-schema: setup ## the shape of a dashboard anew, from Grafana's npm package (needs npm; the tests do not)
	@$(PY) tests/grafana_schema/make.py

SECONDS_EACH := 600

fuzz: setup ## let a fuzzer loose on every adapter (SECONDS_EACH=600, ADAPTERS="bbraun-bcc ihe-pcd" narrows)
	@for adapter in $(or $(ADAPTERS),$(subst _,-,$(notdir $(filter-out %/template,$(wildcard tests/captures/*))))); do \
	  echo "$$adapter: $(SECONDS_EACH) s"; nice $(PY) -m tests.fuzz "$$adapter" $(SECONDS_EACH); \
	done

lock: | $(VENV)/bin/python ## write requirements*.lock anew from pyproject.toml (ARGS=--upgrade for newer versions)
	@$(PY) -c 'import piptools' 2>/dev/null || $(PIP) install --require-hashes -r requirements.lock
	@$(PY) .ci/lock.py $(ARGS)

clean: ## remove .venv and all caches
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
