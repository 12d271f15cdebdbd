# SPDX-License-Identifier: ISC

# The pages: esbuild bundles web/ui/ into WEB_DIST, once for all O; embed.sh
# puts the files into the program.  A release brings WEB_DIST along, and then
# neither npm nor node runs.
WEB_DIST := build/web/dist
WEB_UI_SOURCES := $(shell find web/ui/src -type f) web/ui/index.html \
	web/ui/icon.svg web/ui/build.mjs web/ui/package.json

# npm installs what the lock file says when that is newer than what is there.
NODE_MODULES := web/ui/node_modules/.package-lock.json
$(WEB_DIST)/.stamp: $(WEB_UI_SOURCES) web/ui/package-lock.json
	@command -v npm >/dev/null || { echo "web: npm and node (18 or later)" \
		"build the pages; install them: make deps" >&2; exit 1; }
	@[ $(NODE_MODULES) -nt web/ui/package-lock.json ] || { \
		echo "  NPM  web/ui" && cd web/ui && npm ci --ignore-scripts \
		--no-audit --no-fund --silent && touch ../../$(NODE_MODULES); }
	@echo "  JS   $(@D)"
	@mkdir -p $(@D)
	@cd web/ui && node build.mjs $(abspath $(@D))
	@touch $@

$(O)/web/api/pages.c $(O)/web/api/pages.S &: $(WEB_DIST)/.stamp web/embed.sh \
		web/module.mk
	@echo "  GEN  $(O)/web/api/pages.c"
	@LC_ALL=C; export LC_ALL; web/embed.sh ui $(O)/web/api/pages \
		$(WEB_DIST)/*

$(O)/web/api/pages.o: %.o: %.c web/http/assets.h
	@$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<
$(O)/web/api/pages-data.o: %-data.o: %.S
	@$(CC) -c -o $@ $<
web_GENERATED := $(O)/web/api/pages.o $(O)/web/api/pages-data.o
