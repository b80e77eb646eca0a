# The portal's few commands. `make help` lists them; README.md says more.
PYTHON ?= python3
PORT ?= 8000
ARGS ?=
CMD ?= help
VENV := .venv/bin/python
INSTALL := $(PYTHON) exam_portal/local/install.py
LOCAL := $(VENV) -m exam_portal.local
PYTEST := $(LOCAL) test -- $(VENV) -m pytest
export PORT

.DEFAULT_GOAL := help
.PHONY: help demo demo-code demo-reset test test-all check bench manage messages requirements install

help:  ## list the commands
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /|/' | while IFS='|' read -r name what; do printf 'make %-14s %s\n' "$$name" "$$what"; done

demo:  ## run the whole portal here: PORT=8000, PORTAL_NOW=2023-12-05T09:00+08:00 at the first start
	@$(INSTALL) --port $(PORT)
	@exec $(LOCAL) demo

demo-code:  ## the code by which somebody of the demo's staff signs in now: USER=clerk
	@exec $(LOCAL) manage demo_code $(USER)

demo-reset:  ## empty the demo
	@$(INSTALL)
	@$(LOCAL) reset

test:  ## run the tests on all cores: ARGS="tests/accounts -k name"
	@$(INSTALL) --dev
	@exec $(PYTEST) -n auto -m "not faults and not exhaustive" $(ARGS)

test-all:  ## run all tests, also the long ones
	@$(INSTALL) --dev
	@exec $(PYTEST) -n auto $(ARGS)

check:  ## format, lint, types, import order, migrations, templates, translations, deployment
	@$(INSTALL) --dev
	@exec $(LOCAL) check

bench:  ## measure, as ratios to a floor of the same run
	@$(INSTALL) --dev
	@exec $(PYTEST) -p no:randomly benchmarks $(ARGS)

manage:  ## a command of manage.py on the running demo: CMD="exam_year plan …"
	@exec $(LOCAL) manage $(CMD)

messages:  ## collect texts into the translation catalogues and compile them
	@$(INSTALL) --dev
	@$(LOCAL) test -- $(VENV) manage.py catalogues update
	@$(INSTALL) --dev

requirements:  ## pin the Python packages anew: ARGS="--upgrade"
	@$(INSTALL) --dev
	@for name in requirements requirements-dev; do \
	  CUSTOM_COMPILE_COMMAND="make requirements" $(VENV) -m piptools compile --quiet --strip-extras \
	    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host $(ARGS) "$$name.in" -o "$$name.txt" || exit 1; \
	done

install:  ## only install what is missing
	@$(INSTALL) --dev
