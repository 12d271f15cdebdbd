$(eval $(call tool,demo/wire,tests/demo/wire.c,lib))
$(eval $(call tool,demo/worm,tests/demo/worm.c,probes lib,-lm))
