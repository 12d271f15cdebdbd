# SPDX-License-Identifier: ISC
# One Makefile, one module.mk a folder, nothing recursive.  A module.mk only
# lists: its sources in <folder>_SRCS, its programs and tests by $(call ...).
# Objects live under $(O), so builds with other flags never mix: give them
# another O.  `make help` lists the targets.

VERSION := $(shell cat VERSION)
O ?= build
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
SBINDIR ?= $(PREFIX)/sbin
LIBEXECDIR ?= $(PREFIX)/libexec
DATADIR ?= $(PREFIX)/share/sonde
MANDIR ?= $(PREFIX)/share/man
SYSCONFDIR ?= $(PREFIX)/etc

MAKEFLAGS += -rR --no-print-directory
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
SHELL := /bin/sh

CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
AR := ar
CFLAGS ?= -O2 -g
INSTALL ?= install

WARNINGS := -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wundef \
	-Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings
HARDEN := -fstack-protector-strong -fstack-clash-protection -fPIE
HARDEN_LD := -pie -Wl,-z,relro,-z,now -Wl,--as-needed
ifneq ($(SANITIZE),)
HARDEN := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
HARDEN_LD := -fsanitize=$(SANITIZE)
else ifneq ($(filter -O1 -O2 -O3 -Os,$(CFLAGS)),)
HARDEN += -D_FORTIFY_SOURCE=3
endif

# pkg-config is asked once per library, when the library is first needed.
pkg = $(or $(PKG_$(1)),$(eval PKG_$(1) := $$(shell pkg-config --libs $(1) \
	2>/dev/null || echo -l$(1)))$(PKG_$(1)))

ALL_CPPFLAGS = -I. -I$(O) -D_GNU_SOURCE -DSONDE_VERSION='"$(VERSION)"' \
	-DSONDE_DATADIR='"$(DATADIR)"' -DSONDE_SYSCONFDIR='"$(SYSCONFDIR)"' \
	-DSONDE_LIBEXECDIR='"$(LIBEXECDIR)"' \
	-I/usr/include/lua5.4 $(CPPFLAGS)
ALL_CFLAGS = -std=c17 $(WARNINGS) $(HARDEN) \
	-ffile-prefix-map=$(CURDIR)=. $(WERROR) $(CFLAGS)
ALL_LDFLAGS = $(HARDEN_LD) $(LDFLAGS)
ifneq ($(CI),)
WERROR := -Werror
endif

# What the archives need from outside.  A program names its archives; the
# libraries follow from them.
LIBS_lib = $(call pkg,libprotobuf-c) $(call pkg,libzstd) \
	$(call pkg,libsodium) $(call pkg,libconfuse) $(call pkg,jansson) -lm
LIBS_analysis = -lm
LIBS_https = $(call pkg,libcurl)
LIBS_probes = $(call pkg,libpcap) $(call pkg,zlib) -lnet $(call pkg,lua5.4) \
	$(call pkg,libseccomp) $(call pkg,libcap-ng) -lm
LIBS_collector = $(call pkg,sqlite3) -lpthread
LIBS_web = $(call pkg,libmicrohttpd) $(call pkg,gnutls) $(call pkg,zlib) -lpthread

# `sonde` runs for some milliseconds, and loading eight small libraries took one
# of them: it takes their archives, where they are installed.  STATIC= does not.
STATIC ?= 1
archived = $(foreach l,$(1),$(or $(if $(STATIC),$(filter /%,$(shell \
	$(CC) -print-file-name=lib$(l).a))),-l$(l)))

# These goals build in a make of their own.  Beside another goal that would be
# two makes at the same archives: one goal after the other then.
OWN_MAKE := all asan bench calibrate check coverage demo fuzz soak worlds \
	stress t unit
ifneq ($(word 2,$(MAKECMDGOALS)),)
ifneq ($(filter $(OWN_MAKE),$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif
endif

.PHONY: all
all: deps-run ## install what building needs, build everything
	@$(MAKE) programs

# $(call archive,folder): <folder>_SRCS and the objects of generated sources
# in <folder>_GENERATED become $(O)/<folder>.a
define archive
$(O)/$(1).a: $$(patsubst %.c,$(O)/%.o,$$($(1)_SRCS)) \
		$$($(1)_GENERATED)
	@rm -f $$@
	@$(AR) rcsD $$@ $$^
OBJS += $$(patsubst %.c,$(O)/%.o,$$($(1)_SRCS))
endef

# $(call program,path,main.c,archives): $(O)/<path>, linked in this order
define link_rule
$(O)/$(1): $(O)/$(patsubst %.c,%.o,$(2)) $(foreach a,$(3),$(O)/$(a).a)
	@mkdir -p $$(@D)
	@echo "  LINK $$@"
	@$$(CC) $$(ALL_CFLAGS) $$(ALL_LDFLAGS) -o $$@ $$(filter %.o,$$^) \
		-Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group \
		$$(foreach a,$(3),$$(LIBS_$$(a))) $(4) $$(LDLIBS)
OBJS += $(O)/$(patsubst %.c,%.o,$(2))
endef
define program
$(call link_rule,bin/$(1),$(2),$(3),$(4))
PROGRAMS += $(O)/bin/$(1)
endef

# $(call tool,path,main.c,archives): a program that only tests, the demo or the
# benchmarks run, in $(O)/<path>
define tool
$(call link_rule,$(1),$(2),$(3),$(4))
TOOLS += $(O)/$(1)
endef

# $(call unit_test,folder,name,archives): tests/<folder>/test_<name>.c, a
# cmocka program that speaks TAP.
define unit_test
$(call link_rule,tests/$(1)/test_$(2),tests/$(1)/test_$(2).c,$(3),-lcmocka $(4))
UNIT_TESTS += $(O)/tests/$(1)/test_$(2)
endef

# $(call thread_test,folder,name): a unit test that TSan judges as well
thread_test = $(eval THREAD_TESTS += $(O)/tests/$(1)/test_$(2))

# $(call fuzz_test,parser,archives): tests/fuzz/fuzz_<parser>.c replays
# tests/corpus/<parser>/; with the engine it is a libFuzzer target.
define fuzz_test
$(call link_rule,tests/fuzz/fuzz_$(1),tests/fuzz/fuzz_$(1).c,$(2),$(3))
ifeq ($(FUZZ_ENGINE),)
$(O)/tests/fuzz/fuzz_$(1): $(O)/tests/fuzz/replay.o
endif
FUZZERS += $(O)/tests/fuzz/fuzz_$(1)
endef

# $(call script_test,path): an executable file that speaks TAP; it finds the
# build folder in $$O.
script_test = $(eval SCRIPT_TESTS += $(1))

TOP := lib analysis probes collector web tests
include $(wildcard $(foreach t,$(TOP),$(t)/module.mk $(t)/*/module.mk \
	$(t)/*/*/module.mk $(t)/*/*/*/module.mk))

$(foreach f,lib analysis probes https collector web,$(eval $(call archive,$(f))))

$(O)/%.o: %.c | $(GENERATED_HEADERS)
	@mkdir -p $(@D)
	@echo "  CC   $<"
	@$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Generated C: the schema's code is not ours to warn about.
$(O)/%.pb-c.c $(O)/%.pb-c.h &: %.proto
	@mkdir -p $(@D)
	@echo "  GEN  $<"
	@protoc-c --c_out=$(O) $<
$(O)/%.pb-c.o: $(O)/%.pb-c.c
	@$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -w -c -o $@ $<

-include $(OBJS:.o=.d)

.PHONY: programs
programs: $(PROGRAMS)
	@:
.PHONY: tools
tools: $(TOOLS)
	@:
# The demo needs no more of them.
.PHONY: demo-tools
demo-tools: $(O)/demo/wire $(O)/demo/worm
	@:

# What is missing is installed by name (Debian; elsewhere it is only said).
.PHONY: deps deps-run deps-unit deps-check deps-bench deps-coverage deps-calibrate
deps: ## install what building, tests and benchmarks need
	@tests/install-deps.sh run unit check bench coverage
deps-run:
	@tests/install-deps.sh run
deps-check:
	@tests/install-deps.sh run unit check
deps-bench:
	@tests/install-deps.sh run bench
deps-coverage:
	@tests/install-deps.sh run unit coverage
deps-unit:
	@tests/install-deps.sh run unit
deps-calibrate:
	@tests/install-deps.sh run unit calibrate

.PHONY: demo
demo: ## a living example: real packets, a map, a slow link, a worm
	@O=$(O) MAKE='$(MAKE)' tests/demo/demo.sh

.PHONY: check
check: deps-check ## build, run every test that this machine can run
	@$(MAKE) programs tools
	@$(MAKE) O=$(O)-asan SANITIZE=address,undefined CFLAGS='-O1 -g' asan-tests
	@$(MAKE) O=$(O)-tsan SANITIZE=thread CFLAGS='-O1 -g' tsan-tests
	@O=$(O) tests/run-tests.sh $(O)-asan/tests $(SCRIPT_TESTS)

JOBS := $(shell nproc)
.PHONY: unit
unit: deps-unit ## all unit tests, in half a minute once they are built
	@$(MAKE) unit-tests
	@O=$(O) tests/unit.sh 1 $(JOBS) $(UNIT_TESTS)
.PHONY: unit-tests
unit-tests: $(UNIT_TESTS)
	@:

# T is a unit test (lib/base/reader) or a script below tests/ (house/deps.sh).
.PHONY: t
ifeq ($(T),)
t:
	@echo "t: which test?  make t T=lib/base/reader" >&2; exit 2
else ifneq ($(wildcard tests/$(T)),)
t: programs tools
	@O=$(O) tests/$(T)
else
TEST := $(O)/tests/$(dir $(T))test_$(notdir $(T))
t: $(TEST)
	@CMOCKA_MESSAGE_OUTPUT=TAP $(TEST)
endif
t: ## run one test: make t T=lib/base/reader

N ?= 300
.PHONY: stress
stress: deps-unit ## run unit tests N=300 times each on a machine that is too busy
	@$(MAKE) unit-tests
	@O=$(O) tests/unit.sh $(N) $$((4 * $(JOBS))) \
		$(if $(T),$(foreach t,$(T),$(O)/tests/$(dir $(t))test_$(notdir $(t))),$(UNIT_TESTS))

.PHONY: asan-tests
asan-tests: $(UNIT_TESTS) $(FUZZERS) $(O)/bin/sonde $(O)/bin/sonde-commands
	@printf '%s\n' $(UNIT_TESTS) >$(O)/tests/unit.list
	@printf '%s\n' $(FUZZERS) >$(O)/tests/fuzz.list

.PHONY: asan
asan: ## only the unit tests and corpora, under ASan and UBSan
	@$(MAKE) O=$(O)-asan SANITIZE=address,undefined CFLAGS='-O1 -g' asan-tests
	@O=$(O) tests/run-tests.sh $(O)-asan/tests

# Whatever has threads, for tests/collector/races.sh.
.PHONY: tsan-tests
tsan-tests: $(THREAD_TESTS) $(O)/bin/sonde-collector
	@printf '%s\n' $(THREAD_TESTS) >$(O)/tests/thread.list

FUZZ_SECONDS ?= 60
.PHONY: fuzz
fuzz: ## fuzz every parser for FUZZ_SECONDS=60 each; goes on where it stopped
	@$(MAKE) O=$(O)-fuzz CC=clang SANITIZE=fuzzer-no-link,address,undefined \
		CFLAGS='-O1 -g' FUZZ_ENGINE=1 LDFLAGS=-fsanitize=fuzzer fuzzers
	@tests/fuzz/run.sh $(O)-fuzz $(FUZZ_SECONDS) $(T)
.PHONY: fuzzers
fuzzers: $(FUZZERS)

.PHONY: calibrate
calibrate: deps-unit deps-calibrate ## test what is promised with a probability, on 1000 truths
	@$(MAKE) $(patsubst %,$(O)/tests/calibrate/claim-%,$(CLAIMS))
	@O=$(O) tests/calibrate/run.sh
	@$(MAKE) $(O)/bin/sonde $(O)/bin/sonde-commands
	@O=$(O) tests/probes/net/sim/lengths.py $(or $(CALIBRATE_TRUTHS),1000)
	@O=$(O) tests/probes/sensor/ordinary/ordinary.py --long
	@O=$(O) tests/probes/sensor/ordinary/scans.py --long

.PHONY: worlds
worlds: programs ## no simulated internet of 1000 (WORLDS) kills who measures on it
	@O=$(O) tests/probes/net/sim/worlds.py $(or $(WORLDS),1000)

.PHONY: soak
soak: deps-check ## a day (SOAK_HOURS=24) under load, with kills; goes on where it stopped
	@$(MAKE) programs tools
	@O=$(O) tests/soak/soak.py

.PHONY: bench
bench: deps-bench ## run our programs and their peers on the same work; ratios
	@$(MAKE) programs tools
	@O=$(O) tests/bench/bench.sh

.PHONY: format
format: ## lay out all sources as .clang-format says (tests keep their columns)
	@git ls-files '*.c' '*.h' | grep -v '^tests/' | xargs clang-format -i

# For clangd and other tools that want to know how a file is compiled.
comma := ,
define newline


endef
define compile_command
{"directory": "$(CURDIR)", "file": "$(1)", "command": "$(subst ",\",\
$(lastword $(CC)) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c $(1))"}
endef
COMPILED = $(sort $(foreach o,$(OBJS),$(wildcard $(patsubst $(O)/%.o,%.c,$(o)))))
compile_commands.json: $(MAKEFILE_LIST) | $(GENERATED_HEADERS) ## flags for clangd
	$(file >$@,[$(subst } {,}$(comma)$(newline){,$(strip \
		$(foreach f,$(COMPILED),$(call compile_command,$(f)))))])
	@echo "  GEN  $@"

.PHONY: coverage
coverage: deps-coverage ## which lines unit tests and corpora run: figures, HTML
	@$(MAKE) O=$(O)-coverage CFLAGS='-O0 -g --coverage' LDFLAGS=--coverage \
		coverage-tests
	@O=$(O)-coverage tests/coverage.sh
.PHONY: coverage-tests
coverage-tests: $(UNIT_TESTS) $(FUZZERS)
	@printf '%s\n' $(UNIT_TESTS) >$(O)/tests/unit.list
	@printf '%s\n' $(FUZZERS) >$(O)/tests/fuzz.list

.PHONY: lint
lint: ## clang-tidy, cppcheck, gcc -fanalyzer, mandoc, shellcheck
	@O=$(O) tests/lint.sh

.PHONY: clean
clean: ## remove what was built
	@rm -rf $(O) $(O)-asan $(O)-tsan $(O)-fuzz $(O)-analyze $(O)-coverage

.PHONY: help
help: ## this list
	@echo "Sonde $(VERSION).  make TARGET [O=folder] [PREFIX=$(PREFIX)] [DESTDIR=]"
	@sed -n 's/^\([a-z_.-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | \
		expand -t 25

MAN_PAGES = $(wildcard man/*.[1-8])
.PHONY: install uninstall
install: all ## install programs, scripts and man pages
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(SBINDIR) \
		$(DESTDIR)$(LIBEXECDIR)/sonde $(DESTDIR)$(DATADIR)/scripts $(DESTDIR)$(SYSCONFDIR)/sonde
	$(INSTALL) -m 755 $(O)/bin/sonde $(DESTDIR)$(BINDIR)/
	$(INSTALL) -m 755 $(O)/bin/sonde-agent $(O)/bin/sonde-collector \
		$(DESTDIR)$(SBINDIR)/
	$(INSTALL) -m 755 $(O)/bin/sonde-commands $(O)/bin/sonde-shipper \
		$(DESTDIR)$(LIBEXECDIR)/sonde/
	$(INSTALL) -m 644 probes/scripts/*.lua $(DESTDIR)$(DATADIR)/scripts/
	@for p in $(MAN_PAGES); do d=$(DESTDIR)$(MANDIR)/man$${p##*.}; \
		$(INSTALL) -d $$d && $(INSTALL) -m 644 $$p $$d/ || exit 1; done
uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(BINDIR)/sonde $(DESTDIR)$(SBINDIR)/sonde-agent \
		$(DESTDIR)$(SBINDIR)/sonde-collector
	rm -rf $(DESTDIR)$(LIBEXECDIR)/sonde $(DESTDIR)$(DATADIR)
	@for p in $(MAN_PAGES); do \
		rm -f $(DESTDIR)$(MANDIR)/man$${p##*.}/$${p##*/}; done
