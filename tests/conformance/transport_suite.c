/* SPDX-License-Identifier: MIT */
#include "tests/conformance/transport_suite.h"

#include "tests/conformance/suite_tests.h"
#include "tests/tap.h"

const struct transport_under_test *suite_tested;

enum suite_needs {
	ALL,
	TURNED,  /* a choice of who dials */
	HASTY,   /* a short deadline of opening */
	SIGNALS, /* host->signal(), and a short deadline */
	SECURE,  /* the claim that it is */
};

static int claims_to_be_secure(const char *name)
{
	struct plugin *plugin;
	int does;

	if (plugin_load(name, &plugin, NULL) < 0)
		return 0;
	does = (plugin->table.caps & E3_CAP_SECURE) != 0;
	plugin_destroy(plugin);
	return does;
}

static int has(const struct transport_under_test *tested, enum suite_needs needs)
{
	switch (needs) {
	case TURNED:
		return tested->options_turned != NULL;
	case HASTY:
		return tested->options_hasty != NULL;
	case SIGNALS:
		return tested->has_signals && tested->options_hasty != NULL;
	case SECURE:
		return claims_to_be_secure(tested->plugin);
	default:
		return 1;
	}
}

static int run_applicable(const struct transport_under_test *tested)
{
	static const struct {
		struct CMUnitTest test;
		enum suite_needs needs;
	} all[] = {
#define SUITE_TEST(test, needs) {cmocka_unit_test(test), needs},
	    SUITE_TESTS(SUITE_TEST)
#undef SUITE_TEST
	};
	struct CMUnitTest tests[sizeof(all) / sizeof(all[0])];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (has(tested, all[i].needs))
			tests[n++] = all[i].test;
	return _cmocka_run_group_tests(tested->plugin, tests, n, NULL, NULL);
}

int transport_suite_run(const struct transport_under_test *tested)
{
	const char *missing = tested->missing != NULL ? tested->missing() : NULL;
	int rc;

	if (missing != NULL) {
		printf("# skip: %s\nok 1 - %s # SKIP\n1..1\n", missing, tested->plugin);
		return 0;
	}
	suite_tested = tested;
	if (tested->hosts_up != NULL && tested->hosts_up(tested->parties) < 0) {
		printf("not ok 1 - hosts for %s\n1..1\n", tested->plugin);
		return 1;
	}
	rc = run_applicable(tested);
	if (tested->hosts_down != NULL)
		tested->hosts_down();
	return rc;
}
