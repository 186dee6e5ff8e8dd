/* SPDX-License-Identifier: MIT */
/* Ten busy parties on this machine's cores: they and the machine must be flagged. */
#include "base/clock.h"
#include "base/units.h"
#include "harness/measure/pressure.h"
#include "tests/fleet/process.h"
#include "tests/tap.h"

#include <cjson/cJSON.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BUSY_PER_CPU 5
#define BUSY_MAX     64
#define WATCHED_NS   (NS_PER_S / 2)

static int has_code(const cJSON *taints, const char *code)
{
	const cJSON *taint;

	cJSON_ArrayForEach(taint, taints)
	{
		if (strcmp(cJSON_GetObjectItem(taint, "code")->valuestring, code) == 0)
			return 1;
	}
	return 0;
}

/* For a fixed time; what matters are shares of it. */
static void watch(pid_t pid, cJSON *taints)
{
	struct pressure_process before, after;
	uint64_t began_ns = clock_monotonic_ns(), wall_ns;

	assert_int_equal(pressure_process("", pid, &before), 0);
	do {
		usleep(50000);
		wall_ns = clock_monotonic_ns() - began_ns;
	} while (wall_ns < WATCHED_NS);
	assert_int_equal(pressure_process("", pid, &after), 0);
	pressure_party_taint(
	    taints, after.runqueue_ns - before.runqueue_ns, wall_ns, "host0");
}

static void busy_parties_are_flagged(void **state)
{
	long n_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int n = n_cpus * BUSY_PER_CPU < BUSY_MAX ? (int)n_cpus * BUSY_PER_CPU : BUSY_MAX;
	cJSON *taints = cJSON_CreateArray();
	struct pressure before, after;
	struct pressure_delta delta;
	pid_t pids[BUSY_MAX] = {0};

	(void)state;
	if (n_cpus * 2 > BUSY_MAX)
		skip_because("%ld CPUs are too many to keep busy here", n_cpus);
	for (int i = 0; i < n; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			for (alarm(120);;)
				continue;
	}
	pressure_sample("", &before);
	watch(pids[0], taints);
	pressure_sample("", &after);
	for (int i = 0; i < n; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	pressure_between(&before, &after, &delta);
	pressure_taints(taints, &delta, NULL);
	assert_true(has_code(taints, "cpu_bound_party"));
	if (delta.psi_share >= 0)
		assert_true(has_code(taints, "cpu_pressure"));
	cJSON_Delete(taints);
}

static void a_sleeping_party_is_not(void **state)
{
	cJSON *taints = cJSON_CreateArray();
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		for (alarm(120);;)
			pause();
	/* That it had to wait for a CPU in order to begin is not what is looked at. */
	assert_true(process_asleep(pid));
	watch(pid, taints);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_false(has_code(taints, "cpu_bound_party"));
	cJSON_Delete(taints);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(busy_parties_are_flagged),
	    cmocka_unit_test(a_sleeping_party_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
