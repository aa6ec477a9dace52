# Two commands do everything: `make bench` measures, `make test` tests. `make help` lists the rest.

BIN := .venv/bin
INSTALLED := .venv/.installed
INSTALLED_TEST := .venv/.installed-test
# What an installation is made from; the compiled loops of the scheduler are built by it.
BUILT_FROM := pyproject.toml scripts/setup hatch_build.py $(wildcard cnbench/scheduler/loops/*.[ch])

.PHONY: help setup guest bench bench-sync test lint unit known-answers evidence torture speed speed-large docs wheel-alone asv asv-publish schema clean
.DEFAULT_GOAL := help

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

setup: $(INSTALLED) ## the virtual environment, and the system's tools

$(INSTALLED): $(BUILT_FROM)
	@scripts/setup
	@touch $@

$(INSTALLED_TEST): $(BUILT_FROM)
	@scripts/setup test
	@touch $@ $(INSTALLED)

guest: setup ## the guest machine, for what this kernel cannot do; bench makes it by itself
	@$(BIN)/cnbench guest build

bench: setup ## measure everything in minutes, print the answers, write reports/index.html
	@$(BIN)/cnbench run --quick; status=$$?; \
	$(BIN)/cnbench report && exit $$status

bench-sync: setup ## what our sync adds to iptables-restore, nft -f and ipvsadm -R; about 8 minutes
	@$(BIN)/python scripts/bench_sync.py

test: $(INSTALLED_TEST) lint unit ## everything that must hold before a change lands

lint: $(INSTALLED_TEST)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	MYPYPATH=scripts $(BIN)/mypy -p speed
	$(BIN)/lint-imports

# What looks at the whole machine goes one by one; logic takes both processors before that.
unit: $(INSTALLED_TEST)
	@$(BIN)/python -m pytest -m "not real" -n 2 --dist loadfile; logic=$$?; \
	$(BIN)/python -m pytest -m real --durations=25 --durations-min=5 && exit $$logic

known-answers: setup guest ## hold timings against what is known beforehand; on a quiet machine, as root
	@missed=0; for script in scripts/*_known_answers*; do \
		echo "$$script"; $(BIN)/python $$script || missed=1; done; exit $$missed

FOR ?= 20m
torture: setup guest ## random kills, odd input; 20 minutes, or make torture FOR=2h; on Linux, as root
	@$(BIN)/python tests/torture --for $(FOR)
evidence: $(INSTALLED_TEST) ## simulate what the statistics promise, beside others' tests; 15 minutes, WRITE=page for its tables
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps apache-otava==0.8.0 ruptures==1.1.10
	@$(BIN)/python scripts/evidence --minutes 15 $(if $(WRITE),--write $(WRITE))

BEFORE ?= HEAD~1
speed: $(INSTALLED_TEST) ## this build beside an earlier one, in 15 minutes: make speed BEFORE=COMMIT
	@$(BIN)/python scripts/speed $(BEFORE) --write docs/speed.md

speed-large: $(INSTALLED_TEST) ## the same with 50,000 services, once a side; some two hours, as root
	@$(BIN)/python scripts/speed $(BEFORE) --large --write docs/speed-large.md

docs: $(INSTALLED_TEST) ## the documentation's site, in reports/site; fails where a reference is broken
	@$(BIN)/python scripts/site && echo "Wrote reports/site/index.html"

wheel-alone: $(INSTALLED_TEST) ## the wheel and the sdist in empty environments, where they must measure; as root
	@$(BIN)/python scripts/wheel_alone.py

asv: setup ## measure the last commit for asv
	$(BIN)/asv run --show-stderr

asv-publish: setup ## asv's pages: cost over commits, in reports/asv
	$(BIN)/asv publish

schema: $(INSTALLED) ## write docs/run.schema.json anew from the dataclasses
	@$(BIN)/python -m cnbench.store.schema > docs/run.schema.json

clean: ## remove everything that can be made again, but no results
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
