/* SPDX-License-Identifier: MIT */
#include "tests/conformance/transport_suite.h"

static const struct transport_under_test tcp = {
    .plugin = "tcp",
    .parties = 4,
    .options_turned = (const char *const[]){"dialer", "higher", NULL},
    .options_hasty = (const char *const[]){"open_ms", "300", NULL},
    .has_signals = 1,
};

int main(void)
{
	return transport_suite_run(&tcp);
}
