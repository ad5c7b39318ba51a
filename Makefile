# make up    the main job on the embedded default, with an example organisation, without root
# make test  installs the real servers the suite talks to, then runs all of it (root, or a container)
# make soak  breaks system calls and kills recorders at random for SOAK_MINUTES (30)
# make check the fast gates;  make tour  the story on real messages;  make bench  figures with peers
VENV ?= .venv
HOME_DIR ?= home
RUN := $(VENV)/.run-stamp
DEV := $(VENV)/.dev-stamp
MUNIMENT := $(VENV)/bin/muniment

.PHONY: up test soak check tour bench requirements clean
up: $(RUN)
	@test -e $(HOME_DIR)/muniment.toml || $(MUNIMENT) init $(HOME_DIR) --example
	$(MUNIMENT) up --home $(HOME_DIR)

test: $(DEV)
	tests/install-servers
	$(VENV)/bin/python -m pytest -n 2 --dist loadfile

soak: $(DEV)
	$(VENV)/bin/python -m tests.record.call_faults

check: $(DEV)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/mypy

tour: $(RUN)
	$(MUNIMENT) tour

bench: $(DEV)
	benchmarks/install-peers
	$(VENV)/bin/python -m benchmarks

$(VENV)/bin/python:
	python3 -m venv $(VENV)

$(RUN): $(VENV)/bin/python requirements/run.txt pyproject.toml
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): $(RUN) requirements/dev.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

# Compile the pins again after a change of pyproject.toml.
requirements: $(DEV)
	$(VENV)/bin/uv pip compile pyproject.toml requirements/build.in --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-annotate --no-header -q -o requirements/run.txt
	$(VENV)/bin/uv pip compile pyproject.toml requirements/build.in --extra dev --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-annotate --no-header -q -c requirements/run.txt -o requirements/dev.txt

clean:
	rm -rf $(VENV) build src/*.egg-info
