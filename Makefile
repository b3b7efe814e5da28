# Two commands: `make demo` shows it, `make test` proves it. Python 3.11+ and Node 20+ are all they need.
PYTHON ?= python3
# LATEST=1 takes the newest release of everything, in an environment of its own, instead of the locked ones.
VENV ?= $(if $(LATEST),.venv-latest,.venv)
PY := $(VENV)/bin/python
# A relative path: pip takes a space for the end of one.
LOCKED := $(if $(LATEST),,PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt)
PIP := $(LOCKED) $(PY) -m pip --disable-pip-version-check --quiet
NPM_INSTALL := $(if $(LATEST),npm update --no-save --no-package-lock,npm ci) --no-audit --no-fund --loglevel=error
export PIP_NO_INPUT := 1
export LATEST
# A notebook server's variables would lead the demo to another store.
unexport MLTRACK_TRACKING_URI MLFLOW_TRACKING_URI MLFLOW_EXPERIMENT_NAME

HEADLESS ?= $(if $(or $(DISPLAY),$(WAYLAND_DISPLAY),$(filter Darwin,$(shell uname -s))),,1)

.PHONY: demo test lint unit soak ui browser api lock lab bench clean

demo: $(VENV)/.demo ## run the quickstart in a kernel, then open JupyterLab on it (HEADLESS=1: print and exit)
	@$(PY) scripts/demo.py $(if $(HEADLESS),--headless)

test: lint unit ui browser ## everything that is tested: Python, TypeScript, browser (SKIP_BROWSER=1 leaves that out)
	@echo "make test: all green$(if $(SKIP_BROWSER), (the browser tests were left out: SKIP_BROWSER=1))"

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; say which with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || { echo "Node 20 or newer with npm is needed to build the JupyterLab extension."; exit 1; }
	@echo "Creating $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --upgrade pip

# npm keeps one folder: the locked packages and the newest ones take turns in it.
NODE := node_modules/.$(if $(LATEST),latest,locked)

$(NODE): package-lock.json
	@echo "Installing what the JupyterLab extension is built with …"
	@$(NPM_INSTALL)
	@rm -f node_modules/.locked node_modules/.latest && touch $@

SOURCES := $(shell find src style schema -type f 2>/dev/null) package.json pyproject.toml

$(VENV)/.built: $(VENV)/bin/python $(NODE) $(SOURCES)
	@echo "Building the JupyterLab extension …"
	@npm run --silent build
	@touch $@

$(VENV)/.demo: $(VENV)/.built constraints.txt
	@echo "Installing mltrack_jupyter and what the demo needs …"
	@$(PIP) install -e '.[demo]'
	@touch $@

$(VENV)/.test: $(VENV)/.built constraints.txt
	@echo "Installing mltrack_jupyter and what the tests need …"
	@$(PIP) install -e '.[test]'
	@touch $@ $(VENV)/.demo

lint: $(VENV)/.test ## ruff, mypy, import-linter, tsc, eslint, prettier
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache
	npm run --silent lint

unit: $(VENV)/.test ## the Python tests
	$(PY) -m pytest -n 2 --dist loadfile

soak: $(VENV)/.test ## the proofs that take an hour or two: random histories and requests, kills at every statement, all processes
	SOAK=1 $(PY) -m pytest --timeout=0 tests/store tests/transfer tests/hostile tests/test_schemathesis.py

ui: $(NODE) ## the TypeScript unit tests
	npm test --silent

browser: $(VENV)/.test ## JupyterLab driven in a real Chromium
ifdef SKIP_BROWSER
	@echo "SKIP_BROWSER=1: the browser tests are left out."
else
	@sh scripts/chromium.sh
	cd ui-tests && $(NPM_INSTALL) && PATH="$(abspath $(VENV))/bin:$$PATH" npx playwright test
endif

api: $(VENV)/.test ## the OpenAPI document and the TypeScript types, from the declarations
	$(PY) -m mltrack_jupyter.services.openapi > schema/openapi.json
	npm run --silent api

lock: $(VENV)/.built ## the newest releases of everything as the locked ones: constraints.txt, package-lock.json
	$(PY) scripts/lock.py
	npm update --no-audit --no-fund --loglevel=error
	cd ui-tests && npm update --no-audit --no-fund --loglevel=error

lab: $(VENV)/.demo ## JupyterLab with the extension
	$(VENV)/bin/jupyter lab

bench: $(VENV)/.test ## us beside MLflow, in one run
	$(PY) -m benchmarks

clean: ## remove what was built
	rm -rf .venv .venv-latest node_modules ui-tests/node_modules lib mltrack_jupyter/labextension mltrack_jupyter/static
