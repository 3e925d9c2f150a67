# Every verb sets up what it needs first; Python 3.11 or newer is all it takes. `make test ARGS=...` hands words on.
PYTHON ?= python3
VERBS := setup demo test lint build spark deploy-local up down reset status docs bench bench-quality bench-repurchase bench-build bench-limits bench-large-log bench-recommend bench-search bench-new-items bench-new-shoppers bench-collect bench-cold-start pictures simulate mutants clean

.PHONY: help $(VERBS)
.DEFAULT_GOAL := help

help:
	@echo "setup         install everything this project needs, inside this folder"
	@echo "demo          deploy to a local AWS stand-in and replay two years of a real shop"
	@echo "test          lint, then every test but the benchmarks"
	@echo "lint          ruff, mypy, cfn-lint with our own rules"
	@echo "build         build for AWS (python3.13, arm64) into .aws-sam/build"
	@echo "spark         package the build on many machines for EMR Serverless (arm64) into .local/spark"
	@echo "up, down      start and deploy the local stack; stop it and keep its state"
	@echo "deploy-local  as up: builds and deploys what changed"
	@echo "reset         stop the local stack and forget its state"
	@echo "status        does it run, and where"
	@echo "docs          write the pages that are generated from flow.py and the defaults"
	@echo "bench         the benchmarks; bench-quality, bench-build, bench-recommend, … one table each"
	@echo "pictures      draw what the benchmarks wrote, into docs/pictures"
	@echo "simulate      the long form of the promises: a million sends under faults, and the others, with their figures"
	@echo "mutants       plant every bug of tests/mutants in a copy of the product; the tests must catch each"
	@echo "clean         remove everything that was made, but .venv"

$(VERBS):
	@$(PYTHON) infra/local/bootstrap.py $@ $(ARGS)
