# SPDX-License-Identifier: ISC
# test_kind: a kind of records that only this test has.  Its schema and its
# table are the tree's with one member and one row more.  They and what lists
# the table's rows stand before the archives, so that everything else comes from
# the objects that are shipped.
KIND := $(O)/tests/collector/ingest/kind
KIND_OBJS := $(addprefix $(KIND)/,record.pb-c.o kinds.o kind-table.o \
	query-params.o kind-echo.o test_kind.o)

$(KIND)/lib/record/record.proto: lib/record/record.proto \
		tests/collector/ingest/module.mk
	@mkdir -p $(@D)
	@sed 's/^    Log log = 24;/&\n    Echo echo = 99;/' $< >$@
	@printf 'message Echo {\n  bytes src = 1;\n  string text = 2;\n%s\n}\n' \
		'  uint32 value = 3;' >>$@
$(KIND)/lib/record/kinds.h: lib/record/kinds.h \
		tests/collector/ingest/module.mk
	@mkdir -p $(@D)
	@sed 's/^\tX(trace, .*/\tX(echo, ECHO, SPOOL_RESULTS, RECORD_BY_SCRIPT) \\\n&/' \
		$< >$@
$(KIND)/lib/record/record.pb-c.c: $(KIND)/lib/record/record.proto
	@echo "  GEN  $<"
	@protoc-c -I$(KIND) --c_out=$(KIND) $<
$(KIND)/record.pb-c.o: $(KIND)/lib/record/record.pb-c.c
	@$(CC) -I$(KIND) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -w -c -o $@ $<
kind_object = $(eval $(KIND)/$(basename $(notdir $(1))).o: $(1) \
	$(KIND)/lib/record/record.pb-c.c $(KIND)/lib/record/kinds.h ; \
	@$$(CC) -I$(KIND) $$(ALL_CPPFLAGS) $$(ALL_CFLAGS) -MMD -MP -c \
		-o $$@ $$<)
$(call kind_object,lib/record/kinds.c)
$(call kind_object,collector/ingest/kinds/kind-table.c)
$(call kind_object,collector/query/query-params.c)
$(call kind_object,tests/collector/ingest/kind-echo.c)
$(call kind_object,tests/collector/ingest/test_kind.c)
-include $(patsubst %.o,%.d,$(KIND_OBJS))

$(O)/tests/collector/ingest/test_kind: $(KIND_OBJS) $(COLLECTOR_FIXTURE) \
		$(foreach a,probes collector analysis lib,$(O)/$(a).a)
	@echo "  LINK $@"
	@$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) \
		-Wl,--start-group $(filter %.a,$^) -Wl,--end-group \
		$(foreach a,probes collector analysis lib,$(LIBS_$(a))) -lcmocka
UNIT_TESTS += $(O)/tests/collector/ingest/test_kind
