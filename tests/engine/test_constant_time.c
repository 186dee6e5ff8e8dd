/* SPDX-License-Identifier: MIT */
/* No branch and no address of the share arithmetic depends on a secret:
 * constant_time_probe under valgrind, and probes that leak, which it must report. */
#include "tests/tap.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPORTED 99
#define CANNOT   77

#ifdef E3_CONSTANT_TIME_PROBE
/* Exit code of the probe; its output where ours goes, as comments of TAP. */
static int probe(const char *what)
{
	char command[512];
	int status;

	assert_true(snprintf(command, sizeof(command),
			"timeout 200 valgrind -q --tool=memcheck --error-limit=no "
			"--error-exitcode=%d '%s' %s 2>&1 | sed 's/^/# /'; "
			"exit ${PIPESTATUS[0]}",
			REPORTED, E3_CONSTANT_TIME_PROBE, what) < (int)sizeof(command));
	setenv("PROBE", command, 1);
	fflush(stdout);
	status = system("bash -c \"$PROBE\"");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
#endif

static void skip_unless_possible(void)
{
#ifndef E3_CONSTANT_TIME_PROBE
	skip_because(
	    "valgrind/memcheck.h is missing (package valgrind), or the build has "
	    "sanitizers, which valgrind can't run");
#else
	if (system("valgrind --version >/dev/null 2>&1") != 0)
		skip_because("valgrind is missing (package valgrind)");
#endif
}

static void expect(const char *what, int wanted)
{
	int code = CANNOT;

	skip_unless_possible();
#ifdef E3_CONSTANT_TIME_PROBE
	code = probe(what);
#endif
	if (code == CANNOT)
		skip_because("%s: this machine under valgrind has not got it", what);
	if (code != wanted)
		fail_msg("%s: exit code %d, not %d", what, code, wanted);
}

static void portable_kernels(void **state)
{
	(void)state;
	expect("portable", 0);
}

static void avx2_kernels(void **state)
{
	(void)state;
	expect("avx2", 0);
}

static void other_primes(void **state)
{
	(void)state;
	expect("prime", 0);
}

static void dealing_and_multiplying(void **state)
{
	(void)state;
	expect("share", 0);
}

static void secret_branch_is_reported(void **state)
{
	(void)state;
	expect("branch", REPORTED);
}

static void secret_address_is_reported(void **state)
{
	(void)state;
	expect("address", REPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(portable_kernels),
	    cmocka_unit_test(avx2_kernels),
	    cmocka_unit_test(other_primes),
	    cmocka_unit_test(dealing_and_multiplying),
	    cmocka_unit_test(secret_branch_is_reported),
	    cmocka_unit_test(secret_address_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
