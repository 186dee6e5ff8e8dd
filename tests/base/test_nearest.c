/* SPDX-License-Identifier: MIT */
#include "base/nearest.h"
#include "tests/tap.h"

#include <string.h>

static const char *meant(const char *word)
{
	static const char *const known[] = {
	    "run", "report", "parties", "party", "rate_hz", "wireguard", "list", NULL};
	struct nearest near;

	nearest_init(&near, word);
	for (int i = 0; known[i] != NULL; i++)
		nearest_offer(&near, known[i]);
	return near.best == NULL ? "" : near.best;
}

static void finds_what_was_meant(void **state)
{
	static const struct {
		const char *word, *meant;
	} cases[] = {
	    {"run", "run"},
	    {"rnu", "run"},
	    {"runn", "run"},
	    {"Run", "run"},
	    {"RATE_HZ", "rate_hz"},
	    {"ran", "run"},
	    {"reprot", "report"},
	    {"partys", "party"},
	    {"partes", "parties"},
	    {"rate", "rate_hz"},
	    {"rat", "rate_hz"},
	    {"ra", ""},
	    {"wiregaurd", "wireguard"},
	    {"lst", "list"},
	    {"", ""},
	    {"x", ""},
	    {"quantum", ""},
	    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(meant(cases[i].word), cases[i].meant);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds_what_was_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
