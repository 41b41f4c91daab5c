# A thin front for CMake's presets; everything real is in CMakeLists.txt. Every target sets itself up on a fresh Debian 12 or 13,
# or Ubuntu 24.04.
#
#   make            build the release (build/release)       make demo       build, then the whole method on drawn portraits
#   make check      build and test                          make check-all  the slow tests too
#   make bench      measure; JSON on stdout                 make lint       format, layers, static analysis
#   make install    PREFIX (/usr/local), DESTDIR            make format     rewrite the sources with clang-format
#   make deb        Debian packages (build/deb)             make bundle     a folder that runs anywhere (build/bundle)
#   make fuzz       fuzz every parser, FUZZ_SECONDS each    make clean      remove build/
#
# WERROR=ON makes warnings errors. SETUP=no leaves the installed packages alone; DEMO="--seed 7" passes options
# to the demo. RELEASE=… builds in another folder.

PREFIX  ?= /usr/local
SETUP   ?= yes
WERROR  ?= OFF
DEMO    ?=
RELEASE ?= build/release
FUZZ_SECONDS ?= 30
FUZZ_TARGETS ?=
JOBS    := $(shell nproc 2>/dev/null || echo 2)
SOURCES  = $(shell find src include tests bench examples -name '*.[ch]' | LC_ALL=C sort)
FORMAT   = clang-format-14

.PHONY: all build demo check check-all bench fuzz lint check-format check-layers analyse install deb bundle format clean \
        setup setup-lint setup-package
.NOTPARALLEL:

all: build

setup:
	@[ "$(SETUP)" = no ] || tools/setup-debian build

setup-lint:
	@[ "$(SETUP)" = no ] || tools/setup-debian build lint

setup-package:
	@[ "$(SETUP)" = no ] || tools/setup-debian build package

# Its output goes to stderr, so that `make bench >results.json` holds JSON alone.
build: setup
	@cmake --preset release -B $(RELEASE) -DCMAKE_INSTALL_PREFIX=$(PREFIX) -DAIMF_WERROR=$(WERROR) --log-level=WARNING >&2
	@cmake --build $(RELEASE) -j $(JOBS) >&2

demo: build
	@$(RELEASE)/aimfair demo $(DEMO)

check: build
	@ctest --test-dir $(RELEASE) --output-on-failure -j $(JOBS) -LE slow

check-all: build
	@ctest --test-dir $(RELEASE) --output-on-failure -j $(JOBS)

bench: build
	@cmake --build $(RELEASE) -j $(JOBS) --target bench >&2
	@bench/run $(RELEASE)/bench

# With clang's libFuzzer and sanitizers; tests/fuzz/ has the targets, FUZZ_TARGETS="image json" takes some of them.
fuzz:
	@[ "$(SETUP)" = no ] || tools/setup-debian build fuzz
	@cmake --preset fuzz --log-level=WARNING
	@cmake --build build/fuzz -j $(JOBS) --target fuzzers
	@tools/fuzz build/fuzz $(FUZZ_SECONDS) $(FUZZ_TARGETS)

lint: check-format check-layers analyse

check-format: setup-lint
	@if command -v $(FORMAT) >/dev/null; then \
	    $(FORMAT) --dry-run --Werror $(SOURCES) && echo "format: $(words $(SOURCES)) files as clang-format wants them"; \
	else \
	    echo "format: not checked, for want of $(FORMAT), which Debian 12 and Ubuntu 24.04 have"; \
	fi

check-layers:
	@tools/check_layers
	@echo "layers: kept"

# gtk.cfg teaches cppcheck GLib's allocators and macros.
analyse: setup-lint
	@cppcheck --quiet --error-exitcode=1 --std=c11 --library=gtk --enable=warning,performance,portability -j $(JOBS) \
	    --inline-suppr --suppressions-list=tools/cppcheck-suppressions -Iinclude -Isrc src bench
	@echo "cppcheck: nothing found"

install: build
	@DESTDIR="$(DESTDIR)" cmake --install $(RELEASE)

deb bundle: setup-package
	@tools/package $@ $(JOBS)

format: setup-lint
	@$(FORMAT) -i $(SOURCES)

clean:
	rm -rf build
