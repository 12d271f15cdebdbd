$(call script_test,tests/house/guardian.sh)
$(call script_test,tests/house/man.sh)
$(call script_test,tests/house/install.sh)
$(call script_test,tests/demo/demo-test.sh)
