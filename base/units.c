/* SPDX-License-Identifier: MIT */
#include "base/units.h"

#include <stdio.h>

/* Three significant digits; `unit_value` ns, bytes or bit/s make one `unit`. */
static char *scaled(char *out, uint64_t value, uint64_t unit_value, const char *unit)
{
	double scaled_value = (double)value / (double)unit_value;
	int digits = scaled_value < 9.995 ? 2 : scaled_value < 99.95 ? 1 : 0;

	snprintf(out, UNITS_TEXT_BYTES, "%.*f %s", digits, scaled_value, unit);
	return out;
}

char *units_duration(char *out, uint64_t ns)
{
	uint64_t seconds = (ns + NS_PER_S / 2) / NS_PER_S;

	if (ns < NS_PER_US)
		snprintf(out, UNITS_TEXT_BYTES, "%u ns", (unsigned)ns);
	else if (ns < NS_PER_MS)
		scaled(out, ns, NS_PER_US, "us");
	else if (ns < NS_PER_S)
		scaled(out, ns, NS_PER_MS, "ms");
	else if (ns < 120 * NS_PER_S)
		scaled(out, ns, NS_PER_S, "s");
	else if (ns < 3600 * NS_PER_S)
		snprintf(out, UNITS_TEXT_BYTES, "%llu min %llu s",
		    (unsigned long long)(seconds / 60),
		    (unsigned long long)(seconds % 60));
	else
		snprintf(out, UNITS_TEXT_BYTES, "%llu h %llu min",
		    (unsigned long long)(seconds / 3600),
		    (unsigned long long)(seconds % 3600 / 60));
	return out;
}

static const struct {
	uint64_t value;
	const char *bytes, *rate;
} decimal_units[] = {
    {UINT64_C(1000000000), "GB", "Gbit/s"},
    {UINT64_C(1000000), "MB", "Mbit/s"},
    {UINT64_C(1000), "kB", "kbit/s"},
};

static char *decimal(char *out, uint64_t value, int is_rate)
{
	for (size_t i = 0; i < sizeof(decimal_units) / sizeof(*decimal_units); i++)
		if (value >= decimal_units[i].value)
			return scaled(out, value, decimal_units[i].value,
			    is_rate ? decimal_units[i].rate : decimal_units[i].bytes);
	snprintf(
	    out, UNITS_TEXT_BYTES, "%u %s", (unsigned)value, is_rate ? "bit/s" : "B");
	return out;
}

char *units_bytes(char *out, uint64_t bytes)
{
	return decimal(out, bytes, 0);
}

char *units_rate(char *out, uint64_t bps)
{
	return decimal(out, bps, 1);
}
