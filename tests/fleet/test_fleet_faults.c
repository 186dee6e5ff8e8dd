/* SPDX-License-Identifier: MIT */
/*
 * Hosts that can't be used: each has its outcome within the connect deadline and a
 * second, which a busy machine is granted SLACK_MS more for, and the time in which the
 * controller was kept from running.
 */
#include "tests/fleet/hostile_server.h"
#include "tests/fleet/sshd_fixture.h"

#include "tests/tap.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOSTILE_PORT 2300
#define SLACK_MS     4000u

static int up(void **state)
{
	(void)state;
	fixture_up(2, "");
	return 0;
}

static void test_wrong_host_key(void **state)
{
	static struct crew crew;
	struct fleet_host_config hosts[2];

	(void)state;
	fixture_need();
	memcpy(hosts, fixture.hosts, sizeof(hosts));
	hosts[0].host_key = fixture.host_keys[1];
	crew_up(&crew, hosts, 2, &fixture.key, NULL);
	crew_connect(&crew);
	check_outcome(&crew.outcomes[0], OUTCOME_HOSTKEY);
	assert_int_equal(crew.outcomes[1].kind, OUTCOME_OK);
	crew_down(&crew);
}

static void test_other_kind_of_host_key(void **state)
{
	static struct crew crew;
	struct fleet_host_config host;

	(void)state;
	fixture_need();
	host = fixture.hosts[0];
	host.host_key =
	    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTY"
	    "AAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/"
	    "y6v0mKV0U2w0WZ2YB/++Tpockg=";
	crew_up(&crew, &host, 1, &fixture.key, NULL);
	crew_connect(&crew);
	check_outcome(&crew.outcomes[0], OUTCOME_HOSTKEY);
	crew_down(&crew);
}

static void test_wrong_user_key(void **state)
{
	static struct crew crew;
	struct fleet_key other;

	(void)state;
	fixture_need();
	assert_int_equal(fleet_key_make(&other, NULL), 0);
	crew_up(&crew, fixture.hosts, 1, &other, NULL);
	crew_connect(&crew);
	check_outcome(&crew.outcomes[0], OUTCOME_AUTH);
	crew_down(&crew);
}

static void test_user_without_shell(void **state)
{
	static struct crew crew;
	struct fleet_host_config host;

	(void)state;
	fixture_need();
	host = fixture.hosts[0];
	host.user = "nobody";
	crew_up(&crew, &host, 1, &fixture.key, NULL);
	crew_connect(&crew);
	check_outcome(&crew.outcomes[0], OUTCOME_LOST);
	assert_non_null(strstr(crew.outcomes[0].error.text, "nobody"));
	crew_down(&crew);
}

/* No program may be started from the home folder of one, from anywhere on the other. */
static void test_folders_that_run_nothing(void **state)
{
	static struct crew crew;
	char command[256];

	(void)state;
	fixture_need();
	snprintf(command, sizeof(command),
	    "mkdir -p %s/home0/.cache && mount -t tmpfs -o noexec none %s/home0/.cache",
	    fixture.folder, fixture.folder);
	assert_int_equal(system(command), 0);
	crew_up(&crew, fixture.hosts, 1, &fixture.key, NULL);
	crew_connect(&crew);
	assert_int_equal(crew.outcomes[0].kind, OUTCOME_OK);
	assert_string_equal(fleet_folder(crew.fleet, 0), "/var/tmp/e3-0");
	crew_down(&crew);

	assert_int_equal(system("mount -o remount,noexec /var/tmp"), 0);
	crew_up(&crew, fixture.hosts, 1, &fixture.key, NULL);
	crew_connect(&crew);
	check_outcome(&crew.outcomes[0], OUTCOME_EXIT);
	assert_non_null(strstr(crew.outcomes[0].error.text, "run folder"));
	crew_down(&crew);
	snprintf(command, sizeof(command), "umount %s/home0/.cache", fixture.folder);
	assert_int_equal(system(command), 0);
	assert_int_equal(system("mount -o remount,exec /var/tmp"), 0);
}

static void test_closed_port(void **state)
{
	static struct crew crew;
	struct fleet_host_config hosts[2];
	struct fleet_command_events events = {0};
	struct fleet_command *command;
	struct fleet_file file = {"/dev/null", "x", 0644, UINT32_MAX};
	struct error err = {0};

	(void)state;
	fixture_need();
	memcpy(hosts, fixture.hosts, sizeof(hosts));
	hosts[0].port = HOSTILE_PORT;
	crew_up(&crew, hosts, 2, &fixture.key, NULL);
	crew_connect(&crew);
	check_outcome(&crew.outcomes[0], OUTCOME_UNREACHABLE);
	assert_int_equal(crew.outcomes[1].kind, OUTCOME_OK);
	assert_int_equal(fleet_command_start(crew.fleet, 0, (const char *[]){"e3", NULL},
			     &events, &command, &err),
	    -ENOTCONN);
	assert_non_null(strstr(err.text, "host0"));
	/* /dev/null is no file. */
	crew_upload(&crew, &file, 1);
	assert_int_equal(crew.outcomes[0].kind, OUTCOME_SKIPPED);
	assert_non_null(strstr(crew.outcomes[0].error.text, "'/dev/null'"));
	file.local_path = "/etc/passwd";
	crew_upload(&crew, &file, 1);
	check_outcome(&crew.outcomes[0], OUTCOME_UNREACHABLE);
	assert_int_equal(crew.outcomes[1].kind, OUTCOME_OK);
	crew_down(&crew);
}

static void test_hostile_servers(void **state)
{
	static const enum outcome_kind kinds[HOSTILE_MANNERS] = {
	    [HOSTILE_SILENT] = OUTCOME_TIMEOUT,
	    [HOSTILE_DEAF] = OUTCOME_TIMEOUT,
	    [HOSTILE_HANGS_UP] = OUTCOME_UNREACHABLE,
	    [HOSTILE_BANNER_ONLY] = OUTCOME_TIMEOUT,
	    [HOSTILE_BANNER_HANG_UP] = OUTCOME_LOST,
	    [HOSTILE_BANNER_ENDLESS] = OUTCOME_UNREACHABLE,
	    [HOSTILE_LINE_ENDLESS] = OUTCOME_UNREACHABLE,
	    [HOSTILE_GARBAGE] = OUTCOME_UNREACHABLE,
	    [HOSTILE_BANNER_GARBAGE] = OUTCOME_LOST,
	    [HOSTILE_HUGE_PACKET] = OUTCOME_LOST,
	};
	struct fleet_deadlines deadlines = {.connect_ms = 3000};
	struct fleet_host_config hosts[HOSTILE_MANNERS];
	static char names[HOSTILE_MANNERS][16];
	pid_t pids[HOSTILE_MANNERS];
	static struct crew crew;
	uint64_t began_ms, took_ms;

	(void)state;
	fixture_need();
	for (int i = 0; i < HOSTILE_MANNERS; i++) {
		pids[i] = hostile_server_start(i, (uint16_t)(HOSTILE_PORT + i));
		hosts[i] = fixture.hosts[0];
		hosts[i].port = (uint16_t)(HOSTILE_PORT + i);
		snprintf(names[i], sizeof(names[i]), "host-%d", i);
		hosts[i].name = names[i];
	}
	crew_up(&crew, hosts, HOSTILE_MANNERS, &fixture.key, &deadlines);
	began_ms = test_now_ms();
	crew_connect(&crew);
	took_ms = test_now_ms() - began_ms;
	assert_true(took_ms >= deadlines.connect_ms);
	assert_true(took_ms < deadlines.connect_ms + 1000 + SLACK_MS + crew.stalled_ms);
	for (int i = 0; i < HOSTILE_MANNERS; i++) {
		check_outcome(&crew.outcomes[i], kinds[i]);
		hostile_server_stop(pids[i]);
	}
	crew_down(&crew);
}

static void test_address_that_drops(void **state)
{
	struct fleet_deadlines deadlines = {.connect_ms = 700};
	struct fleet_host_config host;
	static struct crew crew;
	uint64_t began_ms;

	(void)state;
	fixture_need();
	/* A link whose other end knows nobody. */
	if (system("ip link add void0 type veth peer name void1 && "
		   "ip addr add 192.0.2.1/24 dev void0 && ip link set void0 up && "
		   "ip link set void1 up && "
		   "ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:01 dev void0") != 0)
		skip_because("needs veth devices, to make an address that drops packets");
	host = fixture.hosts[0];
	host.address = "192.0.2.2";
	crew_up(&crew, &host, 1, &fixture.key, &deadlines);
	began_ms = test_now_ms();
	crew_connect(&crew);
	check_outcome(&crew.outcomes[0], OUTCOME_TIMEOUT);
	assert_true(test_now_ms() - began_ms < 1700 + SLACK_MS + crew.stalled_ms);
	crew_down(&crew);
}

static void test_upload_faults(void **state)
{
	static struct crew crew;
	struct fleet_file file = {"/etc/passwd", "x", 0644, UINT32_MAX};
	char command[256];

	(void)state;
	fixture_need();
	crew_up(&crew, fixture.hosts, 2, &fixture.key, NULL);
	crew_connect(&crew);
	static const char *const names[] = {
	    "", "/etc/x", "../x", "a/../../x", "-x", "a b", "a'b", "a\nb", "$(id)"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		file.name = names[i];
		crew_upload(&crew, &file, 1);
		assert_int_equal(crew.outcomes[0].kind, OUTCOME_SKIPPED);
	}
	file.name = "x";
	file.local_path = "/no/such/file";
	crew_upload(&crew, &file, 1);
	assert_int_equal(crew.outcomes[0].kind, OUTCOME_SKIPPED);
	assert_non_null(strstr(crew.outcomes[0].error.text, "/no/such/file"));

	/* A full disk on one of them. */
	file.local_path = "/usr/sbin/sshd";
	snprintf(command, sizeof(command), "mount -t tmpfs -o size=64k full %s",
	    fleet_folder(crew.fleet, 1));
	assert_int_equal(system(command), 0);
	crew_upload(&crew, &file, 1);
	assert_int_equal(crew.outcomes[0].kind, OUTCOME_OK);
	check_outcome(&crew.outcomes[1], OUTCOME_EXIT);
	assert_non_null(strstr(crew.outcomes[1].error.text, "No space left"));
	snprintf(command, sizeof(command), "test -z \"$(ls -A %s)\" && umount %s",
	    fleet_folder(crew.fleet, 1), fleet_folder(crew.fleet, 1));
	assert_int_equal(system(command), 0);
	crew_down(&crew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_wrong_host_key),
	    cmocka_unit_test(test_other_kind_of_host_key),
	    cmocka_unit_test(test_wrong_user_key),
	    cmocka_unit_test(test_user_without_shell),
	    cmocka_unit_test(test_folders_that_run_nothing),
	    cmocka_unit_test(test_closed_port),
	    cmocka_unit_test(test_hostile_servers),
	    cmocka_unit_test(test_address_that_drops),
	    cmocka_unit_test(test_upload_faults),
	};

	return cmocka_run_group_tests(tests, up, fixture_down);
}
