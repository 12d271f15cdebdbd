# SPDX-License-Identifier: ISC
$(eval $(call program,sonde,probes/cli/sonde.c,probes lib))
$(O)/bin/sonde: LIBS_lib = $(call archived,protobuf-c sodium confuse jansson) -lm
# libpcap's archive can capture from D-Bus, whose library brings nine others: the
# list of what it captures from ends there instead.
$(O)/bin/sonde: LIBS_probes = -Wl,--defsym=dbus_findalldevs=0 \
	-Wl,--defsym=dbus_create=0 \
	$(call archived,lua5.4 seccomp cap-ng net pcap) $(call pkg,libzstd) -lm
$(eval $(call program,sonde-commands,probes/commands-main.c,https probes analysis lib))
$(eval $(call program,sonde-agent,probes/agent-main.c,probes analysis lib))
$(eval $(call program,sonde-shipper,probes/shipper-main.c,https probes lib))

# The headers of scripts/, read once and for all.
$(eval $(call tool,probes/header-pack,probes/header-pack-main.c,probes lib))
$(O)/probes/script/shipped-headers.c: $(O)/probes/header-pack \
		$(wildcard probes/scripts/*.lua)
	@mkdir -p $(@D)
	@echo "  GEN  $@"
	@$< $(filter %.lua,$^) >$@
$(O)/probes/script/shipped-headers.o: $(O)/probes/script/shipped-headers.c
	@$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<
$(O)/bin/sonde $(O)/bin/sonde-commands: $(O)/probes/script/shipped-headers.o
