/* SPDX-License-Identifier: MIT */
/* How the emulator begins and ends, and that it leaves nothing. */
#include "base/clock.h"
#include "base/units.h"
#include "tests/tap.h"
#include "tests/testbed/wan_case.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEADLINE_MS 10000

static struct testbed_counters counters;

static void assert_devices_vanish(void)
{
	uint64_t end_ns = clock_monotonic_ns() + DEADLINE_MS * NS_PER_MS;

	for (uint32_t p = 0; p < wan_case.config.n_ports; p++) {
		while (
		    wan_fixture_has_device(&wan_case, p) && clock_monotonic_ns() < end_ns)
			poll(NULL, 0, 1);
		assert_false(wan_fixture_has_device(&wan_case, p));
	}
}

static void stop_leaves_nothing(void **state)
{
	uint64_t began_ns;
	pid_t pid;

	(void)state;
	wan_case_make(WAN_PORTS_MAX);
	wan_case_start();
	pid = wan_pid(wan_case.wan);
	for (uint32_t p = 0; p < WAN_PORTS_MAX; p++)
		assert_true(wan_fixture_has_device(&wan_case, p));
	began_ns = clock_monotonic_ns();
	wan_stop(wan_case.wan, DEADLINE_MS);
	wan_case.wan = NULL;
	/* By itself: the patience was not needed. */
	assert_true(clock_monotonic_ns() - began_ns < DEADLINE_MS * NS_PER_MS);
	for (uint32_t p = 0; p < WAN_PORTS_MAX; p++)
		assert_false(wan_fixture_has_device(&wan_case, p));
	assert_int_equal(kill(pid, 0), -1);
}

/* Spawns a WAN, tells its pid, and waits to be killed. Before, forks one that holds all
 * its fds until `lifeline` ends. */
static _Noreturn void own_emulator(int report, int lifeline)
{
	struct wan *wan;
	pid_t emulator;

	if (wan_spawn(&wan_case.config, &wan, NULL) < 0)
		_exit(1);
	if (fork() == 0) {
		wan_fixture_readable(lifeline, 2 * DEADLINE_MS);
		_exit(0);
	}
	emulator = wan_pid(wan);
	if (write(report, &emulator, sizeof(emulator)) == sizeof(emulator))
		pause();
	_exit(1);
}

/* Whoever inherits the emulator may take its time to reap it: only a pidfd tells. */
static void dies_with_its_owner(void **state)
{
	int report[2], lifeline[2], pid_fd;
	pid_t owner, emulator;

	(void)state;
	wan_case_make(3);
	assert_int_equal(pipe(report), 0);
	assert_int_equal(pipe2(lifeline, O_CLOEXEC), 0);
	owner = fork();
	if (owner == 0) {
		close(lifeline[1]);
		own_emulator(report[1], lifeline[0]);
	}
	assert_true(wan_fixture_readable(report[0], DEADLINE_MS));
	assert_int_equal(read(report[0], &emulator, sizeof(emulator)), sizeof(emulator));
	pid_fd = pidfd_open(emulator, 0);
	assert_true(pid_fd >= 0);
	kill(owner, SIGKILL);
	waitpid(owner, NULL, 0);
	assert_true(wan_fixture_readable(pid_fd, DEADLINE_MS));
	close(pid_fd);
	assert_devices_vanish();
	for (int end = 0; end < 2; end++) {
		close(report[end]);
		close(lifeline[end]);
	}
}

static void holds_no_inherited_fd(void **state)
{
	int pipe_fds[2];

	(void)state;
	wan_case_make(2);
	assert_int_equal(pipe(pipe_fds), 0);
	wan_case_start();
	close(pipe_fds[1]);
	assert_true(wan_fixture_readable(pipe_fds[0], DEADLINE_MS));
	close(pipe_fds[0]);
}

static void death_is_told(void **state)
{
	struct error err = {0};

	(void)state;
	wan_case_make(2);
	wan_case_start();
	assert_false(wan_fixture_readable(wan_fd(wan_case.wan), 0));
	assert_int_equal(wan_check(wan_case.wan, &err), 0);
	kill(wan_pid(wan_case.wan), SIGKILL);
	assert_true(wan_fixture_readable(wan_fd(wan_case.wan), DEADLINE_MS));
	assert_int_equal(wan_check(wan_case.wan, &err), -EPIPE);
	assert_non_null(strstr(err.text, "killed by signal 9"));
	assert_int_equal(wan_counters(wan_case.wan, &counters, &err), -EPIPE);
	assert_int_equal(
	    wan_set_link(wan_case.wan, 0, 1, &(struct testbed_link){0}, &err), -EPIPE);
	assert_devices_vanish();
}

/* As `ip link del wan0` in a host. */
static void delete_device(uint32_t port)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
	} request = {.header = {.nlmsg_len = sizeof(request),
			 .nlmsg_type = RTM_DELLINK,
			 .nlmsg_flags = NLM_F_REQUEST}};
	int home = wan_fixture_enter(&wan_case, port);
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	request.link.ifi_index = (int)if_nametoindex("wan0");
	wan_fixture_leave(home);
	assert_int_equal(send(sock, &request, sizeof(request), 0), sizeof(request));
	close(sock);
}

static void send_from_0_to(uint32_t port)
{
	struct sockaddr_in address = wan_fixture_address(port, 7);
	int sock = wan_fixture_socket(&wan_case, 0, SOCK_DGRAM);

	assert_int_equal(
	    sendto(sock, "x", 1, 0, (const struct sockaddr *)&address, sizeof(address)),
	    1);
	close(sock);
}

/* Until so many packets from port 0 were delivered or dropped by the emulator. */
static void await_fates(uint32_t to, uint64_t count)
{
	const struct testbed_pair *pair = &counters.pairs[0][to];
	uint64_t end_ns = clock_monotonic_ns() + DEADLINE_MS * NS_PER_MS;

	do
		assert_int_equal(wan_counters(wan_case.wan, &counters, NULL), 0);
	while (pair->packets + pair->dropped_emulator < count &&
	       clock_monotonic_ns() < end_ns);
}

static void removed_device_is_told(void **state)
{
	uint64_t end_ns = clock_monotonic_ns() + DEADLINE_MS * NS_PER_MS;
	struct error err = {0};

	(void)state;
	wan_case_make(3);
	wan_case_start();
	delete_device(1);
	while (wan_check(wan_case.wan, &err) == 0 && clock_monotonic_ns() < end_ns)
		poll(NULL, 0, 1);
	assert_int_equal(wan_check(wan_case.wan, &err), -EPIPE);
	assert_non_null(strstr(err.text, "port 1"));
	send_from_0_to(1);
	await_fates(1, 1);
	assert_true(counters.pairs[0][1].dropped_emulator == 1);
	send_from_0_to(2);
	await_fates(2, 1);
	assert_true(counters.pairs[0][2].packets == 1);
}

static void refuse(int code, const char *part)
{
	struct error err = {0};
	struct wan *wan = NULL;

	assert_int_equal(wan_spawn(&wan_case.config, &wan, &err), code);
	assert_null(wan);
	if (strstr(err.text, part) == NULL)
		fail_msg("'%s' does not say '%s'", err.text, part);
	assert_false(wan_fixture_has_device(&wan_case, 0));
}

static void bad_configurations_leave_nothing(void **state)
{
	struct wan_config good;

	(void)state;
	wan_case_make(2);
	good = wan_case.config;
	wan_case.config.n_ports = WAN_PORTS_MAX + 1;
	refuse(-EINVAL, "1 to 11 ports");
	wan_case.config = good;
	strcpy(wan_case.config.ports[1].address, "10.77.0");
	refuse(-EINVAL, "port 1");
	strcpy(wan_case.config.ports[1].address, good.ports[0].address);
	refuse(-EINVAL, "same address");
	wan_case.config = good;
	wan_case.config.links[1][0].loss = -1;
	refuse(-EINVAL, "link 1-0");
	wan_case.config = good;
	wan_case.config.ports[1].netns_fd = STDERR_FILENO;
	refuse(-EINVAL, "WAN port 1");
	wan_case.config = good;
	wan_case.config.ports[1].netns_fd = good.ports[0].netns_fd;
	refuse(-EEXIST, "has a wan0 already");
	wan_case.config = good;
}

/* As left by `ip tuntap add`: nobody has it open. */
static void existing_device_is_refused(void **state)
{
	struct ifreq request = {.ifr_name = "wan0", .ifr_flags = IFF_TUN | IFF_NO_PI};
	struct error err = {0};
	int home, fd;

	(void)state;
	wan_case_make(1);
	home = wan_fixture_enter(&wan_case, 0);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	assert_int_equal(ioctl(fd, TUNSETIFF, &request), 0);
	assert_int_equal(ioctl(fd, TUNSETPERSIST, 1), 0);
	close(fd);
	wan_fixture_leave(home);
	assert_int_equal(wan_spawn(&wan_case.config, &wan_case.wan, &err), -EEXIST);
	assert_non_null(strstr(err.text, "has a wan0 already"));
	delete_device(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(stop_leaves_nothing, wan_case_finish),
	    cmocka_unit_test_teardown(dies_with_its_owner, wan_case_finish),
	    cmocka_unit_test_teardown(holds_no_inherited_fd, wan_case_finish),
	    cmocka_unit_test_teardown(death_is_told, wan_case_finish),
	    cmocka_unit_test_teardown(removed_device_is_told, wan_case_finish),
	    cmocka_unit_test_teardown(existing_device_is_refused, wan_case_finish),
	    cmocka_unit_test_teardown(bad_configurations_leave_nothing, wan_case_finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
