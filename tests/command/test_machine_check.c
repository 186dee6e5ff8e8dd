/* SPDX-License-Identifier: MIT */
/* What the doctor says of a machine whose /proc, /sys and /lib are made up. */
#include "harness/command/machine_check.h"
#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static char machine[] = "/tmp/e3-machine-XXXXXX";

static void put(const char *path, const char *text)
{
	char whole[512];
	FILE *file;

	snprintf(whole, sizeof(whole), "%s%s", machine, path);
	for (char *c = whole + strlen(machine) + 1; *c != '\0'; c++)
		if (*c == '/') {
			*c = '\0';
			mkdir(whole, 0755);
			*c = '/';
		}
	file = fopen(whole, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static const struct machine_check *check_of(const char *name)
{
	static struct machine_check checks[MACHINE_CHECKS_MAX];
	uint32_t n = machine_check_all(machine, machine, checks);

	assert_in_range(n, 10, MACHINE_CHECKS_MAX);
	for (uint32_t i = 0; i < n; i++) {
		assert_true((checks[i].fix[0] == '\0') == (checks[i].level == CHECK_OK));
		if (strcmp(checks[i].name, name) == 0)
			return &checks[i];
	}
	return NULL;
}

static void judges_the_clock(void **state)
{
	static const char path[] =
	    "/sys/devices/system/clocksource/clocksource0/current_clocksource";

	(void)state;
	assert_int_equal(check_of("clock source")->level, CHECK_WORSE);
	assert_string_equal(check_of("clock source")->found, "unknown");
	put(path, "tsc\n");
	assert_int_equal(check_of("clock source")->level, CHECK_OK);
	assert_string_equal(check_of("clock source")->found, "tsc");
	put(path, "hpet\n");
	assert_int_equal(check_of("clock source")->level, CHECK_WORSE);
	assert_string_equal(
	    check_of("clock source")->found, "hpet: reading it is slow on most machines");
}

static void judges_the_memory(void **state)
{
	(void)state;
	assert_null(check_of("memory"));
	put("/proc/meminfo", "MemTotal: 9 kB\nMemAvailable:    4000000 kB\n");
	assert_int_equal(check_of("memory")->level, CHECK_OK);
	assert_string_equal(check_of("memory")->found, "4.10 GB available");
	put("/proc/meminfo", "MemAvailable:    2000000 kB\n");
	assert_int_equal(check_of("memory")->level, CHECK_WORSE);
	put("/proc/meminfo", "MemAvailable:    100000 kB\n");
	assert_int_equal(check_of("memory")->level, CHECK_MISSING);
}

static void finds_the_module(void **state)
{
	struct utsname kernel;
	char path[256];

	(void)state;
	uname(&kernel);
	assert_int_equal(check_of("kernel's WireGuard")->level, CHECK_WORSE);
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", kernel.release);
	put(path, "kernel/net/x.ko: kernel/drivers/net/wireguard/wireguard.ko\n");
	assert_int_equal(check_of("kernel's WireGuard")->level, CHECK_WORSE);
	put(path, "kernel/a.ko:\nkernel/drivers/net/wireguard/wireguard.ko.xz: a.ko\n");
	assert_int_equal(check_of("kernel's WireGuard")->level, CHECK_OK);
	put(path, "");
	assert_int_equal(check_of("kernel's WireGuard")->level, CHECK_WORSE);
	put("/sys/module/wireguard/version", "1\n");
	assert_int_equal(check_of("kernel's WireGuard")->level, CHECK_OK);
}

static void knows_a_chroot(void **state)
{
	(void)state;
	assert_null(check_of("/"));
	put("/proc/self/mountinfo", "21 1 0:5 / /proc rw - proc proc rw\n");
	assert_int_equal(check_of("/")->level, CHECK_MISSING);
	put("/proc/self/mountinfo", "21 1 0:5 / /proc rw - proc proc rw\n"
				    "22 1 8:1 /x / rw - ext4 /dev/sda1 rw\n");
	assert_int_equal(check_of("/")->level, CHECK_OK);
}

static void asks_every_transport(void **state)
{
	(void)state;
	assert_int_equal(check_of("transport tcp")->level, CHECK_OK);
	assert_string_equal(check_of("transport tcp")->found, "4 (TCP)");
	/* "-" is no folder, and the program's own has no plugins. */
	setenv("E3_PLUGIN_PATH", "-", 1);
	assert_null(check_of("transport tcp"));
}

static void says_what_root_can(void **state)
{
	(void)state;
	assert_int_equal(
	    check_of("root")->level, geteuid() == 0 ? CHECK_OK : CHECK_MISSING);
	assert_int_equal(check_of("/usr/sbin/sshd")->level,
	    access("/usr/sbin/sshd", X_OK) == 0 ? CHECK_OK : CHECK_MISSING);
	assert_int_equal(check_of("/dev/net/tun")->level,
	    access("/dev/net/tun", R_OK | W_OK) == 0 ? CHECK_OK : CHECK_MISSING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(judges_the_clock),
	    cmocka_unit_test(judges_the_memory),
	    cmocka_unit_test(finds_the_module),
	    cmocka_unit_test(knows_a_chroot),
	    cmocka_unit_test(asks_every_transport),
	    cmocka_unit_test(says_what_root_can),
	};
	char command[64];
	int rc;

	if (mkdtemp(machine) == NULL)
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", machine);
	return system(command) == 0 ? rc : 1;
}
