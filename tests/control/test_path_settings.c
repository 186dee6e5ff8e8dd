/* SPDX-License-Identifier: MIT */
/* Which congestion control a prediction stands for, against folders that play /proc. */
#include "harness/control/path_settings.h"
#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/e3-path-settings-XXXXXX";
static const char *const folders[] = {
    "/proc", "/proc/sys", "/proc/sys/net", "/proc/sys/net/ipv4"};

static void name_in_root(char out[128], const char *name)
{
	snprintf(out, 128, "%s%s", root, name);
}

static int make_root(void **state)
{
	char path[128];
	FILE *file;

	(void)state;
	if (mkdtemp(root) == NULL)
		return -1;
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		name_in_root(path, folders[i]);
		if (mkdir(path, 0700) < 0)
			return -1;
	}
	name_in_root(path, "/proc/sys/net/ipv4/tcp_congestion_control");
	file = fopen(path, "we");
	if (file == NULL)
		return -1;
	fputs("bbr\n", file);
	return fclose(file);
}

static int remove_root(void **state)
{
	char path[128];

	(void)state;
	name_in_root(path, "/proc/sys/net/ipv4/tcp_congestion_control");
	unlink(path);
	for (size_t i = sizeof(folders) / sizeof(*folders); i-- > 0;) {
		name_in_root(path, folders[i]);
		rmdir(path);
	}
	return rmdir(root);
}

static void expect(struct scenario *scenario, const char *in, const char *name)
{
	char congestion[PATH_CONGESTION_BYTES];

	path_settings_congestion(scenario, in, congestion);
	assert_string_equal(congestion, name);
}

static void the_option_beats_the_kernel(void **state)
{
	char key[] = "congestion", cubic[] = "cubic", port[] = "port", number[] = "7000";
	struct scenario *scenario = calloc(1, sizeof(*scenario));

	(void)state;
	assert_non_null(scenario);
	strcpy(scenario->transports[0].plugin, "wireguard");
	strcpy(scenario->transports[1].plugin, "tcp");
	scenario->n_transports = 2;
	expect(scenario, root, "bbr");
	expect(scenario, "/nowhere", "unknown");
	scenario->transports[0].options[0] = key;
	scenario->transports[0].options[1] = cubic;
	expect(scenario, root, "bbr");
	scenario->transports[1].options[0] = port;
	scenario->transports[1].options[1] = number;
	scenario->transports[1].options[2] = key;
	scenario->transports[1].options[3] = cubic;
	expect(scenario, root, "cubic");
	/* Without tcp: what the first would use. */
	scenario->n_transports = 1;
	expect(scenario, root, "cubic");
	free(scenario);
}

static void all_but_bbr_start_slowly(void **state)
{
	(void)state;
	assert_int_equal(path_settings_kind("bbr"), CONGESTION_BBR);
	assert_int_equal(path_settings_kind("cubic"), CONGESTION_SLOW_START);
	assert_int_equal(path_settings_kind("unknown"), CONGESTION_SLOW_START);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_option_beats_the_kernel),
	    cmocka_unit_test(all_but_bbr_start_slowly),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
