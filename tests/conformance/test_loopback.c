/* SPDX-License-Identifier: MIT */
#include "tests/conformance/transport_suite.h"

static const struct transport_under_test loopback = {
    .plugin = "loopback",
    .parties = 4,
    .options_hasty = (const char *const[]){"open_ms", "300", NULL},
    .has_one_loop = 1,
};

int main(void)
{
	return transport_suite_run(&loopback);
}
