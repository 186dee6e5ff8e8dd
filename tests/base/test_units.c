/* SPDX-License-Identifier: MIT */
#include "base/units.h"
#include "tests/tap.h"

static const struct {
	uint64_t ns;
	const char *text;
} durations[] = {{0, "0 ns"}, {999, "999 ns"}, {1000, "1.00 us"}, {23400000, "23.4 ms"},
    {812000, "812 us"}, {UINT64_C(11700000000), "11.7 s"},
    {UINT64_C(200000000000), "3 min 20 s"}, {UINT64_C(3600000000000), "1 h 0 min"},
    {UINT64_C(12086000000000), "3 h 21 min"}};

static void durations_for_people(void **state)
{
	char out[UNITS_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(durations) / sizeof(*durations); i++)
		assert_string_equal(
		    units_duration(out, durations[i].ns), durations[i].text);
}

static void sizes_for_people(void **state)
{
	char out[UNITS_TEXT_BYTES];

	(void)state;
	assert_string_equal(units_bytes(out, 512), "512 B");
	assert_string_equal(units_bytes(out, 15200000), "15.2 MB");
	assert_string_equal(units_rate(out, 1000000000), "1.00 Gbit/s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(durations_for_people),
	    cmocka_unit_test(sizes_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
