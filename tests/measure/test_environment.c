/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/units.h"
#include "harness/measure/environment.h"
#include "harness/measure/pressure.h"
#include "harness/measure/system_file.h"
#include "harness/measure/taint.h"
#include "tests/tap.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64]; /* of a fake machine */

static void put(const char *path, const char *text)
{
	char whole[256];
	FILE *file;

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	for (char *slash = whole + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL;
	     slash++) {
		*slash = '\0';
		assert_true(mkdir(whole, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	file = fopen(whole, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int make_machine(void **state)
{
	(void)state;
	strcpy(root, "/tmp/e3-test-machine-XXXXXX");
	assert_non_null(mkdtemp(root));
	put("/etc/os-release", "ID=fake\nPRETTY_NAME=\"Fake Linux 12 (test)\"\n");
	put("/proc/cpuinfo", "processor\t: 0\nmodel name\t: Imaginary CPU @ 9 GHz\n"
			     "flags\t\t: fpu hypervisor lm\n");
	put("/proc/meminfo", "MemTotal:       2048 kB\nMemAvailable:   1024 kB\n");
	put("/proc/loadavg", "0.50 1.25 2.00 1/95 14240\n");
	put("/proc/uptime", "1234.56 99.0\n");
	put("/proc/config.gz", "# CONFIG_HZ_100 is not set\nCONFIG_HZ=250\n");
	put("/proc/sys/net/ipv4/tcp_congestion_control", "cubic\n");
	put("/proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456\n");
	put("/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
	put("/sys/devices/system/cpu/smt/active", "1\n");
	return 0;
}

static int remove_machine(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command);
}

static const char *text_of(const cJSON *json, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));
}

static double number(const cJSON *json, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

	assert_true(cJSON_IsNumber(item));
	return item->valuedouble;
}

static void environment_of_a_fake_machine(void **state)
{
	cJSON *json = environment_json(root);
	const cJSON *sysctls = cJSON_GetObjectItem(json, "sysctls");

	(void)state;
	assert_string_equal(text_of(json, "os"), "Fake Linux 12 (test)");
	assert_string_equal(text_of(json, "cpu_model"), "Imaginary CPU @ 9 GHz");
	assert_string_equal(text_of(json, "virt"), "hypervisor");
	assert_string_equal(text_of(json, "clocksource"), "tsc");
	assert_true(number(json, "hz") == 250);
	assert_true(number(json, "mem_total_bytes") == 2048 * 1024);
	assert_true(number(json, "mem_available_bytes") == 1024 * 1024);
	assert_true(number(json, "uptime_s") == 1234);
	assert_true(cJSON_IsTrue(cJSON_GetObjectItem(json, "smt")));
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(json, "governor")));
	assert_true(
	    cJSON_GetArrayItem(cJSON_GetObjectItem(json, "load"), 1)->valuedouble ==
	    1.25);
	assert_string_equal(text_of(sysctls, "net.ipv4.tcp_congestion_control"), "cubic");
	assert_string_equal(
	    text_of(sysctls, "net.ipv4.tcp_rmem"), "4096\t131072\t6291456");
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(sysctls, "net.core.rmem_max")));
	cJSON_Delete(json);
}

static void environment_of_nothing(void **state)
{
	cJSON *json = environment_json("/nowhere/at/all");

	(void)state;
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(json, "cpu_model")));
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(json, "hz")));
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(json, "mem_total_bytes")));
	cJSON_Delete(json);
}

static void environment_of_this_machine(void **state)
{
	cJSON *json = environment_json("");

	(void)state;
	assert_non_null(text_of(json, "kernel"));
	assert_true(number(json, "cpus") >= 1);
	assert_true(number(json, "mem_total_bytes") > 1e6);
	cJSON_Delete(json);
}

static void tools_tell_their_version(void **state)
{
	const char *const speaks[] = {
	    "sh", "-c", "echo; echo tool 1.2 >&2; sleep 1000", NULL};
	const char *const mute[] = {"true", NULL};
	const char *const missing[] = {"e3-no-such-tool", NULL};
	const char *const endless[] = {
	    "sh", "-c", "head -c 5000 /dev/zero | tr '\\0' x", NULL};
	cJSON *tools = cJSON_CreateObject();
	uint64_t began_ns = clock_monotonic_ns();

	(void)state;
	environment_add_tool(tools, "speaks", speaks);
	environment_add_tool(tools, "mute", mute);
	environment_add_tool(tools, "missing", missing);
	environment_add_tool(tools, "endless", endless);
	assert_string_equal(text_of(tools, "speaks"), "tool 1.2");
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(tools, "mute")));
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(tools, "missing")));
	assert_int_equal(strlen(text_of(tools, "endless")), 255);
	assert_true(clock_monotonic_ns() - began_ns < 100 * NS_PER_S);
	cJSON_Delete(tools);
}

static void pressure_of_a_fake_machine(void **state)
{
	struct pressure before, after;
	struct pressure_delta delta;
	cJSON *taints = cJSON_CreateArray(), *json;

	(void)state;
	put("/proc/pressure/cpu", "some avg10=1.00 avg60=2.00 avg300=3.00 total=1000000\n"
				  "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
	put("/proc/stat", "cpu  1000 0 1000 7000 0 0 0 100 0 0\ncpu0 9 9 9\nctxt 500\n");
	pressure_sample(root, &before);
	put("/proc/pressure/cpu",
	    "some avg10=1.00 avg60=2.00 avg300=3.00 total=1310000\n");
	put("/proc/stat", "cpu  1500 0 1100 7300 0 0 0 200 0 0\nctxt 800\n");
	pressure_sample(root, &after);
	after.at_ns = before.at_ns + NS_PER_S;
	after.wall_offset_ns = before.wall_offset_ns - 3 * (int64_t)NS_PER_S;
	pressure_between(&before, &after, &delta);
	assert_true(delta.psi_share == 0.31);
	assert_true(delta.steal_share == 0.1);
	assert_true(delta.context_switches == 300);
	assert_true(delta.clock_jump_ns == 3 * NS_PER_S);
	json = pressure_json(&delta);
	assert_true(number(json, "psi_cpu_some_share") == 0.31);
	pressure_taints(taints, &delta, "host1");
	assert_int_equal(cJSON_GetArraySize(taints), 3);
	/* Two ticks of 10 ms are a third of a short time, and prove nothing. */
	delta = (struct pressure_delta){.steal_share = 0.33, .steal_ns = 20000000};
	pressure_taints(taints, &delta, NULL);
	assert_int_equal(cJSON_GetArraySize(taints), 3);
	assert_string_equal(text_of(cJSON_GetArrayItem(taints, 0), "sentence"),
	    "host1: tasks of this machine waited for a CPU 31 % of the time (limit 10 "
	    "%)");
	assert_string_equal(text_of(cJSON_GetArrayItem(taints, 1), "code"), "steal");
	assert_string_equal(text_of(cJSON_GetArrayItem(taints, 2), "sentence"),
	    "host1: the wall clock was moved by 3.00 s (limit 50.0 ms)");
	cJSON_Delete(taints);
	cJSON_Delete(json);
}

static void no_psi_is_no_taint(void **state)
{
	struct pressure before, after;
	struct pressure_delta delta;
	cJSON *taints = cJSON_CreateArray(), *json;

	(void)state;
	pressure_sample("/nowhere/at/all", &before);
	pressure_sample("/nowhere/at/all", &after);
	pressure_between(&before, &after, &delta);
	json = pressure_json(&delta);
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(json, "psi_cpu_some_share")));
	pressure_taints(taints, &delta, NULL);
	assert_int_equal(cJSON_GetArraySize(taints), 0);
	cJSON_Delete(taints);
	cJSON_Delete(json);
}

static void a_process_is_the_sum_of_its_threads(void **state)
{
	struct pressure_process sum;

	(void)state;
	put("/proc/77/task/77/schedstat", "1000 200 3\n");
	put("/proc/77/task/78/schedstat", "500 50 1\n");
	put("/proc/77/task/79/schedstat", "nonsense\n");
	/* Threads are read below the fake root. */
	assert_int_equal(pressure_process(root, 77, &sum), 0);
	assert_true(sum.cpu_ns == 1500 && sum.runqueue_ns == 250 && sum.timeslices == 4);
	assert_int_equal(pressure_process(root, 78, &sum), -ESRCH);
	assert_int_equal(pressure_process("", 0, &sum), 0);
	assert_true(sum.timeslices > 0);
}

static void children_are_those_of_one_parent(void **state)
{
	struct pressure_process sum;

	(void)state;
	put("/proc/90/stat", "90 (a) b) 8) S 77 90 90 0\n");
	put("/proc/90/task/90/schedstat", "7000 10 1\n");
	put("/proc/90/task/91/schedstat", "300 2 2\n");
	put("/proc/92/stat", "92 (other) S 1 77 77 0\n");
	put("/proc/92/task/92/schedstat", "100000 0 1\n");
	put("/proc/93/stat", "93 (second) R 77 93 93 0\n");
	put("/proc/93/task/93/schedstat", "20 1 1\n");
	put("/proc/94/stat", "damaged\n");
	pressure_children(root, 77, &sum);
	assert_true(sum.cpu_ns == 7320 && sum.runqueue_ns == 13 && sum.timeslices == 4);
	pressure_children(root, 90, &sum);
	assert_true(sum.cpu_ns == 0);
	pressure_children("/nowhere/at/all", 1, &sum);
	assert_true(sum.cpu_ns == 0);
}

static void taints_are_above_their_limit_only(void **state)
{
	cJSON *taints = cJSON_CreateArray();
	const cJSON *last;

	(void)state;
	assert_int_equal(taint_check(taints, TAINT_STEAL, 0.02, NULL), 0);
	assert_int_equal(taint_check(taints, TAINT_EMULATOR_DROP, 0, NULL), 0);
	assert_int_equal(taint_check(taints, TAINT_EMULATOR_DROP, 0.0 / 0.0, NULL), 0);
	assert_int_equal(cJSON_GetArraySize(taints), 0);
	assert_int_equal(taint_check(taints, TAINT_TUN_DROP, 3, "host2"), 1);
	assert_int_equal(
	    taint_check_limit(taints, TAINT_RTT_OFF, 4e6, 2.29e6, "ams-sgp"), 1);
	pressure_party_taint(taints, 40, 1000, "host3");
	pressure_party_taint(taints, 1600, 1000, "host3");
	assert_int_equal(cJSON_GetArraySize(taints), 3);
	assert_true(number(cJSON_GetArrayItem(taints, 2), "value") == 1);
	assert_string_equal(text_of(cJSON_GetArrayItem(taints, 0), "sentence"),
	    "host2: 3 packets were dropped before the emulator saw them (limit 0)");
	last = cJSON_GetArrayItem(taints, 1);
	assert_string_equal(text_of(last, "code"), "rtt_off");
	assert_string_equal(text_of(last, "of"), "ams-sgp");
	assert_true(number(last, "value") == 4e6 && number(last, "limit") == 2.29e6);
	assert_string_equal(text_of(last, "sentence"),
	    "ams-sgp: the measured round trip is 4.00 ms off "
	    "the configured one (limit 2.29 ms)");
	assert_string_equal(
	    text_of(cJSON_GetArrayItem(taints, 2), "code"), "cpu_bound_party");
	cJSON_Delete(taints);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(environment_of_a_fake_machine),
	    cmocka_unit_test(environment_of_nothing),
	    cmocka_unit_test(environment_of_this_machine),
	    cmocka_unit_test(tools_tell_their_version),
	    cmocka_unit_test(pressure_of_a_fake_machine),
	    cmocka_unit_test(no_psi_is_no_taint),
	    cmocka_unit_test(a_process_is_the_sum_of_its_threads),
	    cmocka_unit_test(children_are_those_of_one_parent),
	    cmocka_unit_test(taints_are_above_their_limit_only),
	};

	return cmocka_run_group_tests(tests, make_machine, remove_machine);
}
