# One word per job. Each installs what it needs; nothing outside this folder is touched, but for uv's cache.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help install wheel standalone run fast test installs faults neighbours projects compare agreement torture lists layers hostile fuzz large arm64 check format bench prove prove-arm64 prove-windows locks clean windows

help: ## list the jobs
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 15

install: $(STAMP) ## put tfsetup into .venv/bin

# pip fetches uv, and uv the rest: with the certificates it brings, or with the system's where those are not enough (behind a proxy).
# Installers leave byte code to the first run, which would make every first start slow.
UV_INSTALL = $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --editable . --group dev

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "tfsetup needs Python 3.10 or newer; say which with: make $(MAKECMDGOALS) PYTHON=/path/to/python3"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || \
	  { rm -rf .venv; echo "This Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	$(BIN)/python -m pip --quiet --disable-pip-version-check install 'uv>=0.13'
	@$(UV_INSTALL) 2>/dev/null || UV_SYSTEM_CERTS=1 $(UV_INSTALL)
	@$(BIN)/python -m compileall -q provisioner
	@touch $(STAMP)

wheel: install ## build dist/tfsetup-*.whl, which uv tool, pipx and pip install
	$(BIN)/uv build --quiet --wheel
	@ls dist/*.whl

standalone: install ## build dist/tfsetup, one file that needs no Python, in a folder of Debian 11, and try it on machines without (root, minutes)
	$(BIN)/python tools/standalone/build.py
	$(BIN)/python -m pytest tests/standalone/check_file.py

run: install ## make ./tf-env with the newest known-good TensorFlow for this machine: planned, installed, verified
	$(BIN)/tfsetup apply --env ./tf-env --yes

# Installers of conda packages take seconds where others take none: who has nothing left takes from the other.
PYTEST = -m pytest -n 2 --dist worksteal

fast: install ## the tests that take no time: no real TensorFlow, and of the long loops what tells most
	$(BIN)/python $(PYTEST) -m 'not real and not slow and not install'

test: install ## all tests, those with real TensorFlow too; COUNT=1 counts the lines that the fast ones run, as CI does
	$(if $(COUNT),$(BIN)/python -m coverage erase)
	$(BIN)/python $(if $(COUNT),-m coverage run) $(PYTEST) -m 'not real and not slow and not install'
	$(BIN)/python $(PYTEST) -m 'slow and not real and not install'
	$(BIN)/python -m pytest -n 2 --dist loadfile -m real
	$(BIN)/python tools/prove.py --sample 1
	$(if $(COUNT),$(BIN)/python -m coverage combine --quiet)
	$(if $(COUNT),$(BIN)/python -m coverage report)

installs: install ## install tfsetup in each way that README names, and use it (minutes, 2 GB)
	$(BIN)/python -m pytest tests/install

faults: install ## break real environments in every way there is, and see what doctor and fix make of it
	$(BIN)/python -m tests.faults --missing
	$(BIN)/python -m tests.faults --table
	$(BIN)/python -m tests.faults.windows --missing
	$(BIN)/python -m tests.faults.windows --table

neighbours: install ## move TensorFlow in environments with real packages of one's own (gigabytes, an hour or two; goes on where it was stopped)
	$(BIN)/python -m tests.neighbours --missing
	$(BIN)/python -m tests.neighbours --table

projects: install ## install old projects plainly, break them, and have them mended (gigabytes, an hour or two; goes on where it was stopped)
	$(BIN)/python -m tests.projects --missing
	$(BIN)/python -m tests.projects --table

compare: install ## give the faults to other programs, too, and write docs/compare.md (hours; goes on where it was stopped)
	$(BIN)/python -m tests.compare --missing
	$(BIN)/python -m tests.compare --write

torture: install ## kill real runs, refuse their system calls, cut their power, and look at what is left; KILLS and FAULTS say how many
	$(BIN)/python -m tests.torture --kills $(KILLS) --faults $(FAULTS) --cuts 24 --others --seed $(SEED) --results .torture.jsonl
	$(BIN)/python -m tests.torture --table .torture.jsonl

agreement: install ## ask verify, doctor, plan and a check of its own about mutated environments, and count who disagrees (an hour, 4 GB)
	$(BIN)/python -m tests.agreement --mutations 300 --sets 100

lists: install ## lock the requirements files in the folder LISTS as a person would, and say what uv alone makes of each (an hour; asks the index)
	$(BIN)/python tools/lists.py $(LISTS) --results .lists.jsonl

layers: install ## apply in one layer of a container, fix in the next, undo in a third: real TensorFlow on real overlays (root)
	$(BIN)/python -m pytest tests/real/check_layers.py

windows: install ## the main job on Windows' own Python, as wine runs it: real TensorFlow for Windows (root or wine, 3 GB, a quarter of an hour)
	$(BIN)/python -m pytest tests/windows/check_windows.py tests/windows/test_windows.py tests/windows/check_same_answers.py tests/windows/check_killed.py

arm64: install ## the main job on Debian for arm64, as qemu runs it: real TensorFlow for aarch64 (root, 3 GB, a quarter of an hour)
	$(BIN)/python -m pytest tests/arm64/check_arm64.py

hostile: install ## what untrusted files, folders and users must not achieve
	$(BIN)/python -m pytest tests/hostile

SECONDS ?= 600
KILLS ?= 500
FAULTS ?= 500
SEED ?= 0

fuzz: install ## give every reader anything, for SECONDS (600) in all; the corpus alone is part of `make test`
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(BIN)/uv pip install --quiet --python $(BIN)/python --group fuzz
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

large: install ## give every reader texts of 64 and 256 KiB; time and memory must grow as they do
	$(BIN)/python -m pytest tests/fuzz/check_large.py

check: install ## style, types, layers, and that the data is whole
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 --follow-imports silent provisioner/host/windows.py provisioner/host/jobs.py provisioner/host/in_use.py provisioner/host/programs.py
	$(BIN)/lint-imports
	$(BIN)/python tools/prove.py --check
	$(BIN)/python tools/compatibility.py --check
	$(BIN)/python tools/causes.py --check
	$(BIN)/python tools/needs.py --check
	$(BIN)/python tools/commands.py --check

format: install ## put the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install ## speed against the tools one would use instead, in one run
	$(BIN)/python tools/bench.py

prove: install ## run every lock that has no proof yet, record it, and write docs/compatibility.md
	$(BIN)/python tools/prove.py
	$(BIN)/python tools/prove.py --device cuda
	$(BIN)/python tools/compatibility.py

prove-arm64: install ## run by qemu every set for Linux on aarch64 that Debian has a Python for and that has no proof yet, record it, and write docs/compatibility.md (root, hours; goes on where it was)
	$(BIN)/python tools/prove.py --platform linux-aarch64
	$(BIN)/python tools/compatibility.py

prove-windows: install ## run under wine every Windows set that has no proof yet, record it, and write docs/compatibility.md (root or wine, hours; goes on where it was)
	$(BIN)/python tools/prove.py --platform windows-x86_64
	$(BIN)/python tools/compatibility.py

locks: install ## resolve the locks anew from profiles and dates; byte for byte the same
	$(BIN)/python tools/locks.py

clean: ## remove what the jobs made here
	rm -rf .venv .cache tf-env build dist .coverage* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .torture.jsonl
