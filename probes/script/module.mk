# SPDX-License-Identifier: ISC
probes_SRCS += probes/script/api-next.c probes/script/api-probe.c probes/script/api-record.c \
	probes/script/api-reply.c probes/script/api-result.c \
	probes/script/api-sweep.c probes/script/api-train.c probes/script/api-use.c \
	probes/script/arguments.c probes/script/emit.c probes/script/guardian-client.c \
	probes/script/header.c probes/script/launch.c probes/script/operands.c \
	probes/script/record-fit.c probes/script/reply-list.c probes/script/result-events.c \
	probes/script/result-fields.c probes/script/safe.c \
	probes/script/script.c probes/script/shipped.c probes/script/small-blocks.c \
	probes/script/state.c probes/script/watch.c \
	probes/script/worker.c

# The text of the library that scripts share: NAME, what its second line says, text.
LIBRARY := $(sort $(wildcard probes/scripts/lib/*.lua))
probes_GENERATED += $(O)/probes/script/shipped-library.o
$(O)/probes/script/shipped-library.c: $(LIBRARY) probes/script/module.mk
	@mkdir -p $(@D)
	@echo "  GEN  $@"
	@{ echo '#include "probes/script/shipped.h"'; n=0; \
	for f in $(LIBRARY); do \
		echo "static const char source$$n[] = {"; \
		od -An -v -tu1 $$f | sed 's/[0-9][0-9]*/&,/g'; echo '};'; \
		n=$$((n + 1)); done; \
	echo 'const struct shipped_library shipped_libraries[] = {'; n=0; \
	for f in $(LIBRARY); do \
		help=$$(sed -n '2s/^-- //p' $$f); \
		echo "{ \"$$(basename $$f .lua)\", \"$$help\", source$$n, sizeof(source$$n) },"; \
		n=$$((n + 1)); done; \
	echo '};'; \
	echo "const size_t shipped_library_count = $$n;"; } >$@
$(O)/probes/script/shipped-library.o: $(O)/probes/script/shipped-library.c
	@$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<
