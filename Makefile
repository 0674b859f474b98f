# make lab     open the course in JupyterLab: copies of the lessons, in lessons/, to work in
# make reset   lay one of these copies afresh, LESSON=03; yours is kept beside it
# make test    run every test and every notebook, on the sample, offline
# make quick   check the style and run what is fast of the package's tests, in less than a minute
# make lint    check the style of the code
# make measure say how long the lessons are, and how often there is something to do
# make weights train the networks that come with the course anew (needs full MNIST, see data/)
# make student     write build/student, a copy for students, without solutions
# make instructor  write build/instructor, a copy for teachers, with answers
# make site    build the site: every lesson as a page, and to work in without a server, in build/site;
#              PYODIDE=FOLDER: it carries Pyodide from there, and asks nobody else for anything
# make site-test  test it in Chromium, with a Pyodide from public packages
# make site-lessons  run every lesson there, from top to bottom
# make test-newest  run the fast tests and every notebook with the newest packages in the ranges of
#              pyproject.toml, in .venv-newest; make test-oldest: with the lowest, in .venv-oldest
# make dist    build what is published, the wheel and the archive of the sources, in build/dist
# make hub     make .venv-hub, for a JupyterHub (deploy/jupyterhub/README.md)
# make hub-test  hold a class of STUDENTS=3 there, who are programs
# make lock    pin the versions anew, from the ranges in pyproject.toml
# make setup   make .venv: all of these begin with it, and redo it only after a change
#
# PYTHON=... names the interpreter, LAB=... adds options for JupyterLab (LAB=--port=9999).

PYTHONS := $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)
VENV := .venv
RUN := $(VENV)/bin/python -m
# An editable install knows its folder by name: when the folder has moved, the mark is another one.
SETUP := $(VENV)/set-up-$(firstword $(shell pwd | cksum))
# What a notebook starts with "!" and the kernel that runs it are those of .venv.
JUPYTER := PATH="$(CURDIR)/$(VENV)/bin:$$PATH" JUPYTER_PREFER_ENV_PATH=1
# JupyterLab neither offers news nor looks for a newer version of itself, unless one's own settings
# say otherwise: it would cover the lesson, and the version is that of the lock.
SETTINGS := JUPYTER_CONFIG_PATH="$(CURDIR)/.jupyter$${JUPYTER_CONFIG_PATH:+:$$JUPYTER_CONFIG_PATH}"
SITE := .venv-site
BUILD_SITE := PYTHONPATH="$(CURDIR)" $(SITE)/bin/python site/build.py
PIN = $(RUN) uv pip compile --generate-hashes --no-emit-index-url --annotation-style line --quiet \
    --custom-compile-command "make $@"
# The versions of the lock without their hashes: pip takes no hashes where an editable install, or
# a package that the lock has not got, is to keep to these versions.
CONSTRAINTS := $(VENV)/constraints.txt
HUB := .venv-hub
DEPLOY := deploy/jupyterhub
FIRST := 00-start-here.ipynb
PYTEST := $(JUPYTER) COURSE_DATA_DIR="$(CURDIR)/data/sample" $(RUN) pytest

.PHONY: help setup lab reset test quick lint lint-python lint-javascript measure weights lock \
    student instructor whole site site-for-tests site-test site-lessons site-lock test-newest \
    test-oldest dist hub hub-test hub-lock
help:
	@sed -n 's/^# make/make/p' Makefile

$(VENV)/bin/python:
	@for python in $(PYTHONS); do \
	    $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' \
	        2>/dev/null || continue; \
	    echo "Making $(VENV) with $$python"; \
	    $$python -m venv --clear $(VENV) && exit; \
	    rm -rf $(VENV); exit 1; \
	done; \
	echo "This course needs Python 3.11 to 3.14, which is none of: $(PYTHONS)." >&2; exit 1

# setuptools comes with the lock, so the course itself is built without asking the network again.
# The first import of Matplotlib lists the fonts of the machine, and the loops are compiled at their
# first call: better now than in a lesson.
$(SETUP): $(VENV)/bin/python pyproject.toml requirements.lock
	$(RUN) pip install --require-hashes --requirement requirements.lock
	sed -n 's/^\([a-z].*\) \\$$/\1/p' requirements.lock >$(CONSTRAINTS)
	$(RUN) pip install --no-build-isolation --no-deps --editable .
	$(VENV)/bin/python -c "import matplotlib.pyplot"
	$(RUN) course compile
	@rm -f $(VENV)/set-up-* && touch $@

setup: $(SETUP)

# Where no copies can be laid, the lessons themselves are opened.
lab: $(SETUP)
	@set --; in=; \
	if [ "$$(id -u)" = 0 ]; then set -- "$$@" --allow-root; fi; \
	if [ "$$(uname)" = Linux ] && [ -z "$$DISPLAY$$WAYLAND_DISPLAY$$BROWSER" ]; then \
	    set -- "$$@" --no-browser; \
	fi; \
	$(RUN) course lessons || [ -e lessons/$(FIRST) ] || in=notebooks; \
	$(JUPYTER) $(SETTINGS) $(RUN) jupyterlab --ServerApp.root_dir=. \
	    --LabApp.default_url=/lab/tree/$${in:-lessons}/$(FIRST) "$$@" $(LAB)

reset: $(SETUP)
	@$(RUN) course lessons --reset "$(LESSON)"

# What is fast on one core; the notebooks and what is slow on the other, printed when both are over.
# Notebooks alone get the settings of tests/conftest.py by its name.
test: whole $(SETUP)
	@rest=$$(mktemp); trap 'rm -f "$$rest"' EXIT; \
	{ PYTHONPATH="$(CURDIR)/tests" $(PYTEST) -p conftest --nbval notebooks; code=$$?; \
	  $(PYTEST) -m slow tests && [ $$code = 0 ]; } >"$$rest" 2>&1 & \
	$(PYTEST) -m "not slow" tests; fast=$$?; \
	wait $$! && code=0 || code=$$?; \
	cat "$$rest"; [ $$fast = 0 ] && [ $$code = 0 ]
	@echo "Not part of make test, because they need more than .venv, or minutes (see .ci/run):"
	@echo "    tests/judged   every lesson judged by machine, solved and untouched"
	@echo "    tests/class    nbgrader, and what students' repositories run"
	@echo "    tests/cluster  a scheduler and its workers"
	@echo "    tests/full     the full MNIST"
	@echo "    tests/oracle   PyTorch and JAX"
	@echo "    tests/browser  Chromium"
	@echo "    tests/site     Chromium, and the site (make site-test)"
	@echo "    tests/drift.py other packages than those of the lock (make test-newest, test-oldest)"
	@echo "    tests/hub      JupyterHub (make hub-test)"

quick: whole lint-python
	$(PYTEST) -q -m "not slow" tests

lint: lint-python lint-javascript

lint-python: $(SETUP)
	$(RUN) ruff check .
	$(RUN) ruff format --check .

lint-javascript:
	@if command -v npx >/dev/null; then npx --yes @biomejs/biome@2.6.8 check; \
	else echo "SKIPPED: the JavaScript is not checked, for want of npx (it comes with Node.js)"; fi

measure: whole $(SETUP)
	@$(VENV)/bin/python tests/measure.py

weights: $(SETUP)
	$(RUN) course pretrain

student instructor: whole $(SETUP)
	@$(RUN) teaching.$@

# For what a copy for students lacks.
whole:
	@[ -d tests ] && [ -d teaching ] || { \
	    echo "This is a copy for students: tests/ and teaching/ are not in it." >&2; exit 1; }

# What builds the site is nothing that a learner needs: it has a folder of its own.
$(SITE)/set-up: $(VENV)/bin/python site/requirements.lock
	$(VENV)/bin/python -m venv --clear $(SITE)
	$(SITE)/bin/python -m pip install --quiet --require-hashes --requirement site/requirements.lock
	@touch $@

site: $(SITE)/set-up
	$(BUILD_SITE) $(if $(PYODIDE),--pyodide "$(PYODIDE)")

# The Pyodide is put together from two public packages, each file checked (see there).
site-for-tests: $(SETUP) site
	$(VENV)/bin/python tests/site/pyodide_for_tests.py build/pyodide-test
	$(BUILD_SITE) --copy build/site --pyodide build/pyodide-test \
	    --out build/site-test
	$(RUN) pip install --quiet --constraint $(CONSTRAINTS) --no-build-isolation \
	    --editable ".[browser]"

# The pages on one core, JupyterLite on the other; what was measured is in build/site-test.txt.
site-test: site-for-tests
	@rm -f build/site-test.txt; rest=$$(mktemp); trap 'rm -f "$$rest"' EXIT; \
	$(PYTEST) tests/site/test_pages.py >"$$rest" 2>&1 & \
	$(PYTEST) -m "not slow" tests/site --ignore tests/site/test_pages.py; first=$$?; \
	wait $$! && code=0 || code=$$?; \
	cat "$$rest"; [ $$first = 0 ] && [ $$code = 0 ]
	@echo "Not part of make site-test, because it takes more than a quarter of an hour:"
	@echo "    make site-lessons   every lesson from top to bottom in JupyterLite; one of them is"

site-lessons: site-for-tests
	$(PYTEST) -m slow tests/site

# JupyterLite, its kernel and Pyodide go together: raise them together, in site/requirements.in,
# site/wheels.in and site/pyodide_folder.py.
site-lock:
	$(RUN) pip install --upgrade uv
	$(PIN) --universal --python-version 3.11 --output-file site/requirements.lock site/requirements.in
	$(PIN) --no-deps --python-version 3.12 --output-file site/wheels.lock site/wheels.in

test-newest test-oldest: test-%: $(VENV)/bin/python
	$(VENV)/bin/python tests/drift.py $*

# setuptools puts whatever it finds in build/lib into the wheel, also what was removed since.
dist: $(SETUP)
	rm -rf build/lib build/dist
	$(VENV)/bin/python -c "from setuptools import build_meta as b; b.build_sdist('build/dist'); \
	    b.build_wheel('build/dist')"

# One environment for the hub and all of its students: the course, as in .venv, and what a hub needs.
$(HUB)/set-up: $(VENV)/bin/python pyproject.toml requirements.lock $(DEPLOY)/requirements.lock \
    $(DEPLOY)/package-lock.json
	@command -v npm >/dev/null || { echo "The hub's proxy needs npm (it comes with Node.js)." >&2; exit 1; }
	$(VENV)/bin/python -m venv --clear $(HUB)
	$(HUB)/bin/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(HUB)/bin/python -m pip install --quiet --require-hashes --requirement $(DEPLOY)/requirements.lock
	$(HUB)/bin/python -m pip install --quiet --no-build-isolation --no-deps --editable .
	npm ci --silent --prefix $(DEPLOY)
	@touch $@

# Nobody who only uses it may write where the loops are kept: they are compiled here.
hub: $(HUB)/set-up
	$(HUB)/bin/python -m course compile

hub-test: hub
	COURSE_HUB_STUDENTS=$(or $(STUDENTS),3) $(HUB)/bin/python -m pytest tests/hub

hub-lock: $(SETUP)
	$(RUN) pip install --upgrade uv
	$(PIN) --universal --python-version 3.11 --constraint requirements.lock \
	    --output-file $(DEPLOY)/requirements.lock $(DEPLOY)/requirements.in
	npm install --package-lock-only --prefix $(DEPLOY)

lock:
	$(RUN) pip install --upgrade uv
	$(PIN) --extra dev --universal --python-version 3.11 --fork-strategy fewest --upgrade \
	    --output-file requirements.lock pyproject.toml
