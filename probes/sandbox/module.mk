# SPDX-License-Identifier: ISC
probes_SRCS += probes/sandbox/capabilities.c probes/sandbox/capability.c \
	probes/sandbox/landlock.c \
	probes/sandbox/namespaces.c probes/sandbox/rlimits.c \
	probes/sandbox/sandbox.c probes/sandbox/seccomp.c \
	probes/sandbox/seccomp-rules.c

# The filters, made once and for all by a program that runs as the compiler does:
# never sanitized or fuzzed itself.
probes_GENERATED += $(O)/probes/sandbox/seccomp-filters.o
SECCOMP_PACK_SRCS := probes/seccomp-pack-main.c probes/sandbox/seccomp-rules.c
$(O)/probes/seccomp-pack: $(SECCOMP_PACK_SRCS) probes/sandbox/layers.h \
		probes/sandbox/sandbox.h probes/sandbox/seccomp-rules.h
	@mkdir -p $(@D)
	@echo "  LINK $@"
	@$(CC) -std=c17 -D_GNU_SOURCE -I. $(CPPFLAGS) \
		-DSANDBOX_SANITIZED=$(if $(findstring address,$(SANITIZE)),1,0) \
		-o $@ $(SECCOMP_PACK_SRCS) $(call pkg,libseccomp)
$(O)/probes/sandbox/seccomp-filters.c: $(O)/probes/seccomp-pack
	@mkdir -p $(@D)
	@echo "  GEN  $@"
	@$< >$@
$(O)/probes/sandbox/seccomp-filters.o: $(O)/probes/sandbox/seccomp-filters.c
	@$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<
