/* SPDX-License-Identifier: MIT */
#include "tests/testbed/wan_case.h"

#include "tests/tap.h"

#include <string.h>

struct wan_fixture wan_case;

void wan_case_make(uint32_t n_ports)
{
	const char *why = wan_fixture_make(&wan_case, n_ports);

	if (why != NULL)
		skip_because("%s", why);
}

void wan_case_start(void)
{
	struct error err = {0};

	if (wan_spawn(&wan_case.config, &wan_case.wan, &err) < 0)
		fail_msg("%s", err.text);
}

int wan_case_finish(void **state)
{
	(void)state;
	wan_fixture_finish(&wan_case);
	memset(&wan_case, 0, sizeof(wan_case));
	return 0;
}
