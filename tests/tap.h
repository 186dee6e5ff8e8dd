/* SPDX-License-Identifier: MIT */
/* What every cmocka test of E3 includes. Skips say why: the runner refuses those that
 * don't. */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define skip_because(...)                                                                \
	do {                                                                             \
		printf("# skip: ");                                                      \
		printf(__VA_ARGS__);                                                     \
		printf("\n");                                                            \
		fflush(stdout);                                                          \
		skip();                                                                  \
	} while (0)

#endif
