/* SPDX-License-Identifier: MIT */
#include "harness/control/machine_cost.h"
#include "base/clock.h"
#include "base/sort.h"
#include "base/units.h"
#include "testbed/wan.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SMALL_BYTES 8u
#define WARM_TURNS  50u
#define TURNS       500u
#define PIECE_BYTES (UINT64_C(256) << 10)
#define MANY_BYTES  (UINT64_C(32) << 20)
#define DELAY_NS    (200 * NS_PER_US) /* as within a region: the emulator sets timers */
#define PORT        7
#define PATIENCE_S  5
#define WAN_STOP_MS 2000

/* Two namespaces and one connection between them; port 0 is the near end. */
struct bench {
	struct wan_config config;
	struct wan *wan;
	struct testbed_counters counters;
	int listener, near;
	unsigned char *bytes;    /* MANY_BYTES: as cold as a party's messages */
	uint64_t turn_ns[TURNS]; /* of the last step */
};

/* CPU time of a step, at both ends and in the emulator. */
struct step {
	uint64_t near_ns, far_ns, wan_ns;
};

static int own_namespace(void)
{
	return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

static int make_namespaces(struct bench *bench, struct error *err)
{
	int home = own_namespace(), rc = home < 0 ? -errno : 0;

	for (uint32_t p = 0; p < 2 && rc == 0; p++) {
		struct wan_port *port = &bench->config.ports[p];

		rc = unshare(CLONE_NEWNET) < 0 ? -errno : 0;
		port->netns_fd = rc == 0 ? own_namespace() : -1;
		port->prefix = 24;
		snprintf(port->device, sizeof(port->device), "wan0");
		snprintf(port->address, sizeof(port->address), "10.77.0.%u", p + 1);
	}
	if (home >= 0 && setns(home, CLONE_NEWNET) < 0)
		rc = -errno;
	if (home >= 0)
		close(home);
	if (rc < 0)
		return error_set_errno(
		    err, rc, "make network namespaces, which needs root: use sudo");
	return 0;
}

/* A TCP socket of a port's namespace that waits PATIENCE_S at most. */
static int socket_of(const struct bench *bench, uint32_t p)
{
	struct timeval patience = {.tv_sec = PATIENCE_S};
	int home = own_namespace(), one = 1, sock = -1;

	if (home < 0 || setns(bench->config.ports[p].netns_fd, CLONE_NEWNET) < 0)
		return -1;
	sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* Whatever came after this would speak of another network. */
	if (setns(home, CLONE_NEWNET) < 0)
		abort();
	close(home);
	setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return sock;
}

static int join(struct bench *bench, struct error *err)
{
	struct sockaddr_in far = {.sin_family = AF_INET, .sin_port = htons(PORT)};

	inet_pton(AF_INET, bench->config.ports[1].address, &far.sin_addr);
	bench->near = socket_of(bench, 0);
	bench->listener = socket_of(bench, 1);
	if (bench->near < 0 || bench->listener < 0 ||
	    bind(bench->listener, (struct sockaddr *)&far, sizeof(far)) < 0 ||
	    listen(bench->listener, 1) < 0 ||
	    connect(bench->near, (struct sockaddr *)&far, sizeof(far)) < 0)
		return error_set_errno(err, -errno, "connect through the emulator");
	return 0;
}

/* Waits as a party's loop does: first for the socket. */
static int take(int sock, void *base, size_t len)
{
	struct pollfd readable = {.fd = sock, .events = POLLIN};

	if (poll(&readable, 1, PATIENCE_S * 1000) != 1)
		return -1;
	return recv(sock, base, len, MSG_WAITALL) == (ssize_t)len ? 0 : -1;
}

static int give(int sock, const void *base, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = send(sock, (const char *)base + at, len - at, MSG_NOSIGNAL);

		if (n <= 0)
			return -1;
		at += (size_t)n;
	}
	return 0;
}

/* Small messages come back; of the many bytes, a small message when all are here. */
static int near_end(struct bench *bench, uint64_t small, uint64_t many)
{
	int rc = 0;

	for (uint64_t i = 0; i < small && rc == 0; i++) {
		uint64_t began_ns = clock_monotonic_ns();

		rc = give(bench->near, bench->bytes, SMALL_BYTES);
		rc = rc < 0 ? rc : take(bench->near, bench->bytes, SMALL_BYTES);
		bench->turn_ns[i] = clock_monotonic_ns() - began_ns;
	}
	for (uint64_t at = 0; at < many && rc == 0; at += PIECE_BYTES)
		rc = give(bench->near, bench->bytes + at, PIECE_BYTES);
	if (many > 0 && rc == 0)
		rc = take(bench->near, bench->bytes, SMALL_BYTES);
	return rc;
}

static int far_end(const struct bench *bench, int sock, uint64_t small, uint64_t many)
{
	int rc = 0;

	for (uint64_t i = 0; i < small && rc == 0; i++) {
		rc = take(sock, bench->bytes, SMALL_BYTES);
		rc = rc < 0 ? rc : give(sock, bench->bytes, SMALL_BYTES);
	}
	for (uint64_t at = 0; at < many && rc == 0; at += PIECE_BYTES)
		rc = take(sock, bench->bytes + at, PIECE_BYTES);
	if (many > 0 && rc == 0)
		rc = give(sock, bench->bytes, SMALL_BYTES);
	return rc;
}

/* The far end is a process of its own, as a party is: after each step it tells its CPU
 * time over the connection. */
static _Noreturn void far_main(const struct bench *bench)
{
	static const uint64_t steps[][2] = {
	    {WARM_TURNS, 0}, {TURNS, 0}, {TURNS, 0}, {0, MANY_BYTES}};
	int sock = accept(bench->listener, NULL, NULL), one = 1;

	setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		uint64_t cpu_ns = clock_process_cpu_ns();

		if (far_end(bench, sock, steps[i][0], steps[i][1]) < 0)
			break;
		cpu_ns = clock_process_cpu_ns() - cpu_ns;
		if (give(sock, &cpu_ns, sizeof(cpu_ns)) < 0)
			break;
	}
	_exit(0);
}

static int step(struct bench *bench, uint64_t small, uint64_t many, struct step *out,
    struct error *err)
{
	uint64_t cpu_ns;
	int rc = wan_counters(bench->wan, &bench->counters, err);

	if (rc < 0)
		return rc;
	out->wan_ns = bench->counters.cpu_ns;
	cpu_ns = clock_process_cpu_ns();
	if (near_end(bench, small, many) < 0)
		return error_set(err, -ETIMEDOUT, "the far end does not answer");
	out->near_ns = clock_process_cpu_ns() - cpu_ns;
	if (take(bench->near, &out->far_ns, sizeof(out->far_ns)) < 0)
		return error_set(err, -ETIMEDOUT, "the far end does not answer");
	rc = wan_counters(bench->wan, &bench->counters, err);
	out->wan_ns = bench->counters.cpu_ns - out->wan_ns;
	return rc;
}

/* Of all turns of the last step: others on this machine delay some. */
static uint64_t median_turn_ns(struct bench *bench)
{
	sort_u64(bench->turn_ns, TURNS);
	return bench->turn_ns[TURNS / 2];
}

static int set_delay(struct bench *bench, uint64_t one_way_ns, struct error *err)
{
	const struct testbed_link link = {.one_way_ns = one_way_ns};
	int rc = wan_set_link(bench->wan, 0, 1, &link, err);

	return rc < 0 ? rc : wan_set_link(bench->wan, 1, 0, &link, err);
}

/* CPU times without a delay, where the emulator neither waits nor spins; how long a
 * message takes with one, when everyone on its way sleeps. */
static int measure(struct bench *bench, struct machine_cost *out, struct error *err)
{
	struct step small, delayed, many;
	uint64_t turn_ns;
	int rc = step(bench, WARM_TURNS, 0, &small, err);

	rc = rc < 0 ? rc : step(bench, TURNS, 0, &small, err);
	rc = rc < 0 ? rc : set_delay(bench, DELAY_NS, err);
	rc = rc < 0 ? rc : step(bench, TURNS, 0, &delayed, err);
	turn_ns = median_turn_ns(bench);
	rc = rc < 0 ? rc : set_delay(bench, 0, err);
	rc = rc < 0 ? rc : step(bench, 0, MANY_BYTES, &many, err);
	if (rc < 0)
		return rc;
	out->pass_ns = turn_ns / 2 > DELAY_NS ? turn_ns / 2 - DELAY_NS : 0;
	out->message_ns = (small.near_ns + small.far_ns) / (2 * TURNS);
	out->carry_ns = small.wan_ns / (2 * TURNS);
	out->give_byte_ns = (double)many.near_ns / (double)MANY_BYTES;
	out->take_byte_ns = (double)many.far_ns / (double)MANY_BYTES;
	out->carry_byte_ns = (double)many.wan_ns / (double)MANY_BYTES;
	return 0;
}

static uint32_t own_cores(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (uint32_t)CPU_COUNT(&set)
							    : 1;
}

static int measure_both_ends(
    struct bench *bench, struct machine_cost *out, struct error *err)
{
	pid_t far = fork();
	int rc;

	if (far < 0)
		return error_set_errno(err, -errno, "fork");
	if (far == 0)
		far_main(bench);
	rc = measure(bench, out, err);
	kill(far, SIGKILL);
	waitpid(far, NULL, 0);
	return rc;
}

static void finish(struct bench *bench)
{
	wan_stop(bench->wan, WAN_STOP_MS);
	for (int p = 0; p < 2; p++)
		if (bench->config.ports[p].netns_fd >= 0)
			close(bench->config.ports[p].netns_fd);
	if (bench->near >= 0)
		close(bench->near);
	if (bench->listener >= 0)
		close(bench->listener);
	free(bench->bytes);
	free(bench);
}

int machine_cost_measure(struct machine_cost *out, struct error *err)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct machine_cost cost = {.cores = own_cores()};
	int rc;

	if (bench == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	bench->config.n_ports = bench->config.n_hosts = 2;
	bench->config.ports[0].netns_fd = bench->config.ports[1].netns_fd = -1;
	bench->near = bench->listener = -1;
	bench->bytes = malloc(MANY_BYTES);
	if (bench->bytes != NULL)
		memset(bench->bytes, 1, MANY_BYTES);
	rc = bench->bytes == NULL ? error_set(err, -ENOMEM, "out of memory")
				  : make_namespaces(bench, err);
	if (rc == 0)
		rc = wan_spawn(&bench->config, &bench->wan, err);
	if (rc == 0)
		rc = join(bench, err);
	if (rc == 0)
		rc = measure_both_ends(bench, &cost, err);
	finish(bench);
	if (rc == 0)
		*out = cost;
	return rc;
}
