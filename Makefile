# Two commands for a fresh machine: `make report` and `make test`. Each does all its own set-up.
#   make report [MODEL=efficientnet-lite0] [OPTIONS=--quick] [OUT=FOLDER]
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
MODEL ?= efficientnet-lite0
OUT ?= report/$(MODEL)
OPTIONS ?=

.PHONY: report test lint benchmark clean

report: $(VENV)/.installed
	@$(BIN)/probekit report $(MODEL) $(OPTIONS) --out $(OUT)

test: $(VENV)/.installed-test lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile

lint: $(VENV)/.installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

benchmark: $(VENV)/.installed-benchmark
	for script in start recording orientation storage geometry effective_field occlusion tuning v1net rdm rsa_inference encoding reproduce walk gridness lesions; do $(BIN)/python benchmarks/$$script.py || exit 1; done

clean:
	rm -rf $(VENV) build *.egg-info

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("probekit needs Python 3.11 or newer; this is " + sys.version) if sys.version_info < (3, 11) else 0'
	@echo "setting up $(VENV): some minutes, and up to 6 GB with a CUDA build of torch" >&2
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	@$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/bin/python pyproject.toml
	@$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-benchmark: $(VENV)/bin/python pyproject.toml
	@$(BIN)/python -m pip install --quiet --editable '.[benchmark]'
	@touch $@
