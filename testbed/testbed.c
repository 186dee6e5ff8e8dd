/* SPDX-License-Identifier: MIT */
#include "testbed/testbed.h"
#include "base/clock.h"
#include "base/units.h"
#include "testbed/host_namespaces.h"
#include "testbed/host_sshd.h"
#include "testbed/wan.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONTROLLER_ADDRESS "10.77.255.254"
#define PREFIX             16
#define UP_DEADLINE_NS     (20 * NS_PER_S)
#define DOWN_DEADLINE_NS   (2 * NS_PER_S)
#define WAN_PATIENCE_MS    200

struct testbed {
	uint32_t n_hosts;
	struct testbed_host hosts[TESTBED_HOSTS_MAX];
	struct host_process processes[TESTBED_HOSTS_MAX];
	struct wan *wan;
	int before_fd; /* the network namespace of the caller before testbed_up() */
	int ended_fd;  /* epoll over the pidfds of all processes */
	struct error failure; /* the first; code 0 = none so far */
};

int testbed_probe(struct error *err)
{
	static const struct {
		const char *path, *package;
	} programs[] = {
	    {HOST_SSHD_PROGRAM, "openssh-server"},
	    {HOST_KEYGEN_PROGRAM, "openssh-client"},
	};
	int fd;

	if (geteuid() != 0)
		return error_set(err, -EPERM,
		    "emulated hosts need root: run the same command with `sudo` in "
		    "front");
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return error_set(err, -ENODEV,
		    "/dev/net/tun: %s: run `modprobe tun`; in a container, start it with "
		    "`--device /dev/net/tun`",
		    strerror(errno));
	close(fd);
	for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
		if (access(programs[i].path, X_OK) < 0)
			return error_set(err, -ENOENT,
			    "no %s: run `apt-get install --no-install-recommends %s`",
			    programs[i].path, programs[i].package);
	return 0;
}

static int check_config(const struct testbed_config *config, struct error *err)
{
	if (config->n_hosts < 1 || config->n_hosts > TESTBED_HOSTS_MAX)
		return error_set(err, -EINVAL, "%u emulated hosts: 1 to %u are possible",
		    config->n_hosts, TESTBED_HOSTS_MAX);
	if (config->authorized_key == NULL || config->authorized_key[0] == '\0')
		return error_set(
		    err, -EINVAL, "emulated hosts need the controller's key");
	return 0;
}

static struct testbed *testbed_create(uint32_t n_hosts)
{
	struct testbed *testbed = calloc(1, sizeof *testbed);

	if (testbed == NULL)
		return NULL;
	testbed->n_hosts = n_hosts;
	testbed->before_fd = testbed->ended_fd = -1;
	for (uint32_t h = 0; h < n_hosts; h++) {
		struct testbed_host *host = &testbed->hosts[h];

		testbed->processes[h] = (struct host_process)HOST_PROCESS_NONE;
		snprintf(host->name, sizeof host->name, "host%u", h);
		snprintf(host->address, sizeof host->address, "10.77.0.%u", h + 1);
		snprintf(host->user, sizeof host->user, "root");
		host->port = HOST_SSHD_PORT;
	}
	return testbed;
}

static int start_hosts(
    struct testbed *testbed, const struct testbed_config *config, struct error *err)
{
	for (uint32_t h = 0; h < testbed->n_hosts; h++) {
		struct host_spec spec = {
		    .hosts = testbed->hosts,
		    .n_hosts = testbed->n_hosts,
		    .index = h,
		    .authorized_key = config->authorized_key,
		    .label = config->label[h],
		    .controller_address = CONTROLLER_ADDRESS,
		};
		int rc = host_process_start(&testbed->processes[h], &spec, err);

		if (rc < 0)
			return error_wrap(err, "%s", testbed->hosts[h].name);
		testbed->hosts[h].init_pid = testbed->processes[h].pid;
	}
	return 0;
}

static void set_port(struct wan_port *port, int netns_fd, const char *address)
{
	port->netns_fd = netns_fd;
	port->prefix = PREFIX;
	snprintf(port->device, sizeof port->device, "wan0");
	snprintf(port->address, sizeof port->address, "%s", address);
}

static int start_wan(
    struct testbed *testbed, const struct testbed_config *config, struct error *err)
{
	struct wan_config *wan = calloc(1, sizeof *wan);
	int own_fd, rc;

	if (wan == NULL)
		return error_set(err, -ENOMEM, "no memory for the emulator's settings");
	own_fd = host_network_open(err);
	if (own_fd < 0) {
		free(wan);
		return own_fd;
	}
	wan->n_hosts = testbed->n_hosts;
	wan->n_ports = testbed->n_hosts + 1;
	wan->seed = config->seed;
	for (uint32_t h = 0; h < testbed->n_hosts; h++) {
		set_port(&wan->ports[h], testbed->processes[h].netns_fd,
		    testbed->hosts[h].address);
		memcpy(wan->links[h], config->links[h], sizeof config->links[h]);
	}
	set_port(&wan->ports[testbed->n_hosts], own_fd, CONTROLLER_ADDRESS);
	rc = wan_spawn(wan, &testbed->wan, err);
	close(own_fd);
	free(wan);
	return rc;
}

static int name_status(int status, struct error *err, const char *what)
{
	if (WIFSIGNALED(status))
		return error_set(
		    err, -EPIPE, "%s was killed by signal %d", what, WTERMSIG(status));
	return error_set(err, -EPIPE, "%s ended with %d", what, WEXITSTATUS(status));
}

/* What the host's PID 1 says, if it says something. Returns 1 with READY, 0 with nothing
 * yet, or the code of its failure. */
static int read_report(struct testbed *testbed, uint32_t h, struct error *err)
{
	struct testbed_host *host = &testbed->hosts[h];
	struct host_report report;
	ssize_t n = read(testbed->processes[h].report_fd, &report, sizeof report);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR
			   ? 0
			   : error_set_errno(err, -errno, "%s: report", host->name);
	if (n != sizeof report) {
		int status = host_process_status(&testbed->processes[h]);

		name_status(status, err, "its PID 1");
		return error_wrap(err, "%s", host->name);
	}
	report.text[sizeof report.text - 1] = '\0';
	if (report.kind != HOST_REPORT_READY)
		return error_set(err, report.code, "%s: %.900s", host->name, report.text);
	snprintf(host->host_key, sizeof host->host_key, "%.127s", report.text);
	return 1;
}

/* Until every host has reported READY. */
static int wait_ready(struct testbed *testbed, struct error *err)
{
	const uint64_t deadline_ns = clock_monotonic_ns() + UP_DEADLINE_NS;
	struct pollfd fds[TESTBED_HOSTS_MAX];
	uint32_t n_ready = 0;

	for (uint32_t h = 0; h < testbed->n_hosts; h++)
		fds[h] = (struct pollfd){testbed->processes[h].report_fd, POLLIN, 0};
	while (n_ready < testbed->n_hosts) {
		if (clock_monotonic_ns() > deadline_ns)
			return error_set(err, -ETIMEDOUT,
			    "only %u of %u emulated hosts were up after 20 s", n_ready,
			    testbed->n_hosts);
		if (poll(fds, testbed->n_hosts, 100) <= 0)
			continue;
		for (uint32_t h = 0; h < testbed->n_hosts; h++) {
			int rc = fds[h].revents != 0 ? read_report(testbed, h, err) : 0;

			if (rc < 0)
				return rc;
			if (rc > 0) {
				fds[h].fd = -1;
				n_ready++;
			}
		}
	}
	return 0;
}

static int watch(struct testbed *testbed, struct error *err)
{
	struct epoll_event event = {.events = EPOLLIN};
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0)
		return error_set_errno(err, -errno, "epoll_create1");
	testbed->ended_fd = fd;
	for (uint32_t h = 0; h < testbed->n_hosts; h++)
		if (epoll_ctl(fd, EPOLL_CTL_ADD, testbed->processes[h].pid_fd, &event) <
		    0)
			return error_set_errno(err, -errno, "watching a host");
	if (epoll_ctl(fd, EPOLL_CTL_ADD, wan_fd(testbed->wan), &event) < 0)
		return error_set_errno(err, -errno, "watching the emulator");
	return 0;
}

int testbed_up(
    const struct testbed_config *config, struct testbed **out, struct error *err)
{
	struct testbed *testbed;
	int rc = check_config(config, err);

	if (rc == 0)
		rc = testbed_probe(err);
	if (rc < 0)
		return rc;
	testbed = testbed_create(config->n_hosts);
	if (testbed == NULL)
		return error_set(err, -ENOMEM, "no memory for the emulated hosts");
	rc = host_network_leave(&testbed->before_fd, err);
	if (rc == 0)
		rc = start_hosts(testbed, config, err);
	if (rc == 0)
		rc = start_wan(testbed, config, err);
	if (rc == 0)
		rc = wait_ready(testbed, err);
	if (rc == 0)
		rc = watch(testbed, err);
	if (rc < 0) {
		testbed_down(testbed);
		return rc;
	}
	*out = testbed;
	return 0;
}

const struct testbed_host *testbed_host(const struct testbed *testbed, uint32_t index)
{
	return index < testbed->n_hosts ? &testbed->hosts[index] : NULL;
}

int testbed_fd(const struct testbed *testbed)
{
	return testbed->ended_fd;
}

static int find_failure(struct testbed *testbed, struct error *err)
{
	for (uint32_t h = 0; h < testbed->n_hosts; h++) {
		struct pollfd ended = {testbed->processes[h].pid_fd, POLLIN, 0};

		if (poll(&ended, 1, 0) > 0)
			return read_report(testbed, h, err);
	}
	return wan_check(testbed->wan, err);
}

int testbed_check(struct testbed *testbed, struct error *err)
{
	if (testbed->failure.code == 0)
		find_failure(testbed, &testbed->failure);
	if (testbed->failure.code == 0)
		return 0;
	return error_set(err, -EPIPE, "%s", testbed->failure.text);
}

int testbed_counters(
    struct testbed *testbed, struct testbed_counters *out, struct error *err)
{
	return wan_counters(testbed->wan, out, err);
}

int testbed_set_link(struct testbed *testbed, uint32_t from, uint32_t to,
    const struct testbed_link *link, struct error *err)
{
	if (from >= testbed->n_hosts || to >= testbed->n_hosts)
		return error_set(err, -EINVAL, "link host%u-host%u: there are %u hosts",
		    from, to, testbed->n_hosts);
	return wan_set_link(testbed->wan, from, to, link, err);
}

void testbed_down(struct testbed *testbed)
{
	const uint64_t deadline_ns = clock_monotonic_ns() + DOWN_DEADLINE_NS;

	if (testbed == NULL)
		return;
	for (uint32_t h = 0; h < testbed->n_hosts; h++)
		host_process_kill(&testbed->processes[h]);
	wan_stop(testbed->wan, WAN_PATIENCE_MS);
	for (uint32_t h = 0; h < testbed->n_hosts; h++)
		host_process_finish(&testbed->processes[h], deadline_ns);
	if (testbed->ended_fd >= 0)
		close(testbed->ended_fd);
	host_network_return(testbed->before_fd);
	free(testbed);
}
