/* SPDX-License-Identifier: MIT */
#include "testbed/wan.h"
#include "base/clock.h"
#include "base/units.h"
#include "testbed/wan_counters.h"
#include "testbed/wan_link.h"
#include "testbed/wan_loop.h"
#include "testbed/wan_process.h"
#include "testbed/wan_tun.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BEGIN_TIMEOUT_MS  5000u
#define ANSWER_TIMEOUT_MS 2000u
#define KILL_TIMEOUT_MS   1000u

struct wan {
	pid_t pid;
	int pid_fd;
	int control_fd;
	bool is_reaped;
	siginfo_t end; /* how it ended; valid if is_reaped */
	uint32_t n_ports, n_hosts;
	uint64_t last_sequence;
	struct wan_tun tuns[WAN_PORTS_MAX]; /* here only for their statistics: fd is -1 */
	struct wan_counters_shared *shared;
};

static int check_port(const struct wan_config *config, uint32_t p, struct error *err)
{
	const struct wan_port *port = &config->ports[p];
	struct in_addr address;

	if (strnlen(port->device, sizeof(port->device)) == sizeof(port->device) ||
	    port->device[0] == '\0' || strpbrk(port->device, "/%: \t\n") != NULL)
		return error_set(err, -EINVAL, "port %u: not a device name", p);
	if (strnlen(port->address, sizeof(port->address)) == sizeof(port->address) ||
	    inet_pton(AF_INET, port->address, &address) != 1)
		return error_set(
		    err, -EINVAL, "port %u: not an IPv4 address (like 10.88.0.1)", p);
	if (port->prefix < 1 || port->prefix > 32)
		return error_set(err, -EINVAL, "port %u: prefix is 1 to 32", p);
	for (uint32_t other = 0; other < p; other++)
		if (strcmp(port->address, config->ports[other].address) == 0)
			return error_set(err, -EINVAL,
			    "ports %u and %u have the same address %s", other, p,
			    port->address);
	return 0;
}

static int check_config(const struct wan_config *config, struct error *err)
{
	if (config->n_ports < 1 || config->n_ports > WAN_PORTS_MAX)
		return error_set(
		    err, -EINVAL, "a WAN has 1 to %u ports", (unsigned)WAN_PORTS_MAX);
	if (config->n_hosts > config->n_ports || config->n_hosts > TESTBED_HOSTS_MAX)
		return error_set(err, -EINVAL, "more hosts than ports");
	for (uint32_t p = 0; p < config->n_ports; p++)
		if (check_port(config, p, err) < 0)
			return -EINVAL;
	for (uint32_t from = 0; from < config->n_ports; from++)
		for (uint32_t to = 0; to < config->n_ports; to++)
			if (wan_link_check(&config->links[from][to], err) < 0)
				return error_wrap(err, "link %u-%u", from, to);
	return 0;
}

/* Readable within the time? */
static bool is_readable(int fd, uint32_t timeout_ms)
{
	uint64_t end_ns = clock_monotonic_ns() + timeout_ms * NS_PER_MS;
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	uint64_t now_ns = clock_monotonic_ns();
	int rc;

	do {
		rc = poll(&poll_fd, 1,
		    end_ns > now_ns ? (int)((end_ns - now_ns) / NS_PER_MS) : 0);
		now_ns = clock_monotonic_ns();
	} while (rc < 0 && errno == EINTR);
	return rc > 0;
}

static bool has_ended(struct wan *wan)
{
	if (!wan->is_reaped && is_readable(wan->pid_fd, 0))
		wan->is_reaped =
		    waitid(P_PIDFD, (id_t)wan->pid_fd, &wan->end, WEXITED) == 0;
	return wan->is_reaped;
}

static int end_error(const struct wan *wan, struct error *err)
{
	if (wan->end.si_code == CLD_EXITED)
		return error_set(err, -EPIPE,
		    "the WAN emulator (process %d) ended with status %d", wan->pid,
		    wan->end.si_status);
	return error_set(err, -EPIPE,
	    "the WAN emulator (process %d) was killed by signal %d (%s)", wan->pid,
	    wan->end.si_status, strsignal(wan->end.si_status));
}

static int open_tuns(const struct wan_config *config, struct wan *wan, struct error *err)
{
	for (uint32_t p = 0; p < config->n_ports; p++) {
		int rc = wan_tun_open(&config->ports[p], &wan->tuns[p], err);

		if (rc < 0) {
			error_wrap(err, "WAN port %u", p);
			return rc;
		}
	}
	return 0;
}

/* Forks; `theirs` is closed here. */
static int start(
    const struct wan_config *config, struct wan *wan, int theirs, struct error *err)
{
	struct wan_process process = {.config = config,
	    .control_fd = theirs,
	    .shared = wan->shared,
	    .parent = getpid()};
	int rc = 0;

	for (uint32_t p = 0; p < config->n_ports; p++)
		process.tun_fds[p] = wan->tuns[p].fd;
	wan->pid = fork();
	if (wan->pid == 0)
		wan_process_run(&process);
	if (wan->pid < 0)
		rc = error_set_errno(err, -errno, "fork the WAN emulator");
	close(theirs);
	if (rc < 0)
		return rc;
	wan->pid_fd = pidfd_open(wan->pid, 0);
	if (wan->pid_fd >= 0)
		return 0;
	rc = error_set_errno(err, -errno, "pidfd_open");
	kill(wan->pid, SIGKILL);
	waitpid(wan->pid, NULL, 0);
	wan->is_reaped = true;
	return rc;
}

/* From here on only the emulator holds the devices. */
static int wait_until_forwarding(struct wan *wan, struct error *err)
{
	struct error theirs;

	for (uint32_t p = 0; p < wan->n_ports; p++) {
		close(wan->tuns[p].fd);
		wan->tuns[p].fd = -1;
	}
	if (!is_readable(wan->control_fd, BEGIN_TIMEOUT_MS))
		return error_set(err, -ETIMEDOUT,
		    "the WAN emulator did not begin within %u s",
		    BEGIN_TIMEOUT_MS / 1000);
	if (recv(wan->control_fd, &theirs, sizeof(theirs), 0) != (ssize_t)sizeof(theirs))
		return error_set(err, -EPIPE, "the WAN emulator ended while it began");
	return theirs.code == 0 ? 0 : error_set(err, theirs.code, "%s", theirs.text);
}

static struct wan *create(const struct wan_config *config)
{
	struct wan *wan = calloc(1, sizeof(*wan));

	if (wan == NULL)
		return NULL;
	wan->control_fd = wan->pid_fd = -1;
	wan->n_ports = config->n_ports;
	wan->n_hosts = config->n_hosts;
	for (uint32_t p = 0; p < WAN_PORTS_MAX; p++)
		wan->tuns[p] = (struct wan_tun){.fd = -1, .stats_fd = -1};
	wan->shared = wan_counters_create();
	if (wan->shared != NULL)
		return wan;
	free(wan);
	return NULL;
}

int wan_spawn(const struct wan_config *config, struct wan **out, struct error *err)
{
	int sockets[2], rc = check_config(config, err);
	struct wan *wan;

	if (rc < 0)
		return rc;
	wan = create(config);
	if (wan == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	rc = open_tuns(config, wan, err);
	if (rc < 0)
		goto stop;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0) {
		rc = error_set_errno(err, -errno, "socketpair");
		goto stop;
	}
	wan->control_fd = sockets[0];
	rc = start(config, wan, sockets[1], err);
	if (rc == 0)
		rc = wait_until_forwarding(wan, err);
	if (rc < 0)
		goto stop;
	*out = wan;
	return 0;

stop:
	wan_stop(wan, 0);
	return rc;
}

pid_t wan_pid(const struct wan *wan)
{
	return wan->pid;
}

int wan_fd(const struct wan *wan)
{
	return wan->pid_fd;
}

int wan_check(struct wan *wan, struct error *err)
{
	uint32_t removed;

	if (has_ended(wan))
		return end_error(wan, err);
	removed = __atomic_load_n(&wan->shared->removed_ports, __ATOMIC_RELAXED);
	if (removed == 0)
		return 0;
	return error_set(err, -EPIPE, "%s of port %d was removed in its namespace",
	    wan->tuns[__builtin_ctz(removed)].device, __builtin_ctz(removed));
}

static uint64_t cpu_ns(const struct wan *wan)
{
	struct timespec ts;
	clockid_t clock;

	if (clock_getcpuclockid(wan->pid, &clock) != 0 || clock_gettime(clock, &ts) < 0)
		return 0;
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

int wan_counters(struct wan *wan, struct testbed_counters *out, struct error *err)
{
	if (has_ended(wan))
		return end_error(wan, err);
	wan_counters_snapshot(wan->shared, wan->n_hosts, out);
	for (uint32_t host = 0; host < wan->n_hosts; host++)
		out->tun_dropped[host] = wan_tun_dropped(&wan->tuns[host]);
	out->cpu_ns = cpu_ns(wan);
	return 0;
}

/* Answers to earlier orders that came too late are passed over. */
static int await_answer(struct wan *wan, uint64_t sequence, struct error *err)
{
	uint64_t end_ns = clock_monotonic_ns() + ANSWER_TIMEOUT_MS * NS_PER_MS, now_ns;
	struct wan_loop_answer answer;

	while ((now_ns = clock_monotonic_ns()) < end_ns &&
	       is_readable(wan->control_fd, (uint32_t)((end_ns - now_ns) / NS_PER_MS))) {
		if (recv(wan->control_fd, &answer, sizeof(answer), MSG_DONTWAIT) !=
		    (ssize_t)sizeof(answer))
			return error_set(err, -EPIPE, "the WAN emulator has ended");
		if (answer.sequence == sequence)
			return answer.code == 0 ? 0
						: error_set(err, answer.code,
						      "no such pair of WAN ports");
	}
	return error_set(err, -ETIMEDOUT, "the WAN emulator did not answer within %u s",
	    ANSWER_TIMEOUT_MS / 1000);
}

int wan_set_link(struct wan *wan, uint32_t from, uint32_t to,
    const struct testbed_link *link, struct error *err)
{
	struct wan_loop_order order = {
	    .sequence = ++wan->last_sequence, .from = from, .to = to, .link = *link};
	int rc = wan_link_check(link, err);

	if (rc < 0) {
		error_wrap(err, "link %u-%u", from, to);
		return rc;
	}
	if (has_ended(wan))
		return end_error(wan, err);
	if (send(wan->control_fd, &order, sizeof(order), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return error_set_errno(
		    err, errno == EAGAIN ? -ETIMEDOUT : -EPIPE, "the WAN emulator");
	return await_answer(wan, order.sequence, err);
}

void wan_stop(struct wan *wan, uint32_t patience_ms)
{
	if (wan == NULL)
		return;
	if (wan->control_fd >= 0)
		close(wan->control_fd);
	if (wan->pid_fd >= 0) {
		if (!is_readable(wan->pid_fd, patience_ms)) {
			pidfd_send_signal(wan->pid_fd, SIGKILL, NULL, 0);
			is_readable(wan->pid_fd, KILL_TIMEOUT_MS);
		}
		has_ended(wan);
		close(wan->pid_fd);
	}
	for (uint32_t p = 0; p < wan->n_ports; p++)
		wan_tun_close(&wan->tuns[p]);
	wan_counters_destroy(wan->shared);
	free(wan);
}
