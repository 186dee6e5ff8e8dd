/* SPDX-License-Identifier: MIT */
/* usage: suite_of PLUGIN [PATTERN]: the suite, or its tests that match, on any channel
 * transport over the loopback device. */
#include "tests/conformance/transport_suite.h"
#include "tests/tap.h"

#include <stdio.h>

int main(int argc, char **argv)
{
	const struct transport_under_test tested = {
	    .plugin = argc > 1 ? argv[1] : "", .parties = 3};

	if (argc < 2) {
		fprintf(stderr, "usage: suite_of PLUGIN [PATTERN]\n");
		return 2;
	}
	if (argc > 2)
		cmocka_set_test_filter(argv[2]);
	return transport_suite_run(&tested);
}
