$(eval $(call unit_test,lib,reader,lib))
