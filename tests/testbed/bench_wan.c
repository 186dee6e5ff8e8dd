/* SPDX-License-Identifier: MIT */
/*
 * What the emulator adds, and what it carries, on this machine. Each figure stands beside
 * one of the bare machine, measured in the same run: UDP round trips over lo, TCP over
 * lo.
 *
 *	bench_wan [rtt | tcp | packets | idle]...
 */
#include "base/clock.h"
#include "base/units.h"
#include "tests/testbed/wan_fixture.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ECHO_PORT  7
#define SINK_PORT  9
#define CHUNK      131072
#define TIMEOUT_MS 5000

static struct wan_fixture fixture;
static struct testbed_counters counters;

static _Noreturn void give_up(const char *what)
{
	fprintf(stderr, "bench_wan: %s\n", what);
	wan_fixture_finish(&fixture);
	exit(EXIT_FAILURE);
}

static void begin(uint32_t n_ports, uint64_t one_way_ns)
{
	const char *why = wan_fixture_make(&fixture, n_ports);
	struct error err = {0};

	if (why != NULL)
		give_up(why);
	for (uint32_t a = 0; a < n_ports; a++)
		for (uint32_t b = 0; b < n_ports; b++)
			fixture.config.links[a][b].one_way_ns = one_way_ns;
	if (wan_spawn(&fixture.config, &fixture.wan, &err) < 0)
		give_up(err.text);
}

static void snapshot(void)
{
	struct error err = {0};

	if (wan_counters(fixture.wan, &counters, &err) < 0)
		give_up(err.text);
}

static int bound(uint32_t port, int type, uint16_t number)
{
	int sock = wan_fixture_bound(&fixture, port, type, number);

	if (sock < 0)
		give_up("no socket");
	return sock;
}

static void connect_or_give_up(int sock, uint32_t port, uint16_t number)
{
	struct sockaddr_in address = wan_fixture_address(port, number);

	if (connect(sock, (const struct sockaddr *)&address, sizeof(address)) < 0)
		give_up("no connection");
}

/* The other side of what is measured runs in a process of its own, as a party would. */
static pid_t in_child(void (*run)(int), int sock)
{
	pid_t pid = fork();

	if (pid == 0) {
		run(sock);
		_exit(0);
	}
	close(sock);
	return pid;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void echo(int sock)
{
	struct sockaddr_in from;
	socklen_t length = sizeof(from);
	char bytes[64];
	ssize_t got;

	while ((got = recvfrom(sock, bytes, sizeof(bytes), 0, (struct sockaddr *)&from,
		    &length)) >= 0)
		sendto(sock, bytes, (size_t)got, 0, (struct sockaddr *)&from, length);
}

/* Round trips of 64 bytes, 1 ms apart, above `nominal_ns`. */
static void measure_rtt(
    uint32_t far, uint64_t nominal_ns, int count, struct histogram *excess)
{
	pid_t child = in_child(echo, bound(far, SOCK_DGRAM, ECHO_PORT));
	int sock = bound(0, SOCK_DGRAM, 0);
	struct pollfd poll_fd = {.fd = sock, .events = POLLIN};
	char bytes[64] = {0};

	connect_or_give_up(sock, far, ECHO_PORT);
	histogram_reset(excess);
	for (int i = 0; i < count; i++) {
		uint64_t began_ns = clock_monotonic_ns(), rtt_ns;

		if (send(sock, bytes, sizeof(bytes), 0) < 0 ||
		    poll(&poll_fd, 1, TIMEOUT_MS) != 1 ||
		    recv(sock, bytes, sizeof(bytes), 0) < 0)
			give_up("no echo");
		rtt_ns = clock_monotonic_ns() - began_ns;
		if (i >= count / 10)
			histogram_record(
			    excess, rtt_ns > nominal_ns ? rtt_ns - nominal_ns : 0);
		poll(NULL, 0, 1);
	}
	close(sock);
	end_child(child);
}

static void bench_rtt(void)
{
	static const struct {
		uint64_t one_way_ms;
		int count;
	} rows[] = {{0, 1000}, {1, 1000}, {40, 100}, {150, 30}};
	struct histogram *excess = histogram_create();
	const struct histogram *late = &counters.lateness_ns;

	printf("rtt: 64 B over UDP, excess over twice the one-way delay, us\n");
	printf("  one-way      p50      p99   emulator late p50 / p99\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t one_way_ns = rows[i].one_way_ms * NS_PER_MS;

		begin(2, one_way_ns);
		if (i == 0) {
			measure_rtt(0, 0, 1000, excess);
			printf("  lo      %8.1f %8.1f\n",
			    (double)histogram_percentile(excess, 50) / NS_PER_US,
			    (double)histogram_percentile(excess, 99) / NS_PER_US);
		}
		measure_rtt(1, 2 * one_way_ns, rows[i].count, excess);
		snapshot();
		printf("  %3u ms  %8.1f %8.1f   %8.1f / %.1f\n",
		    (unsigned)rows[i].one_way_ms,
		    (double)histogram_percentile(excess, 50) / NS_PER_US,
		    (double)histogram_percentile(excess, 99) / NS_PER_US,
		    (double)histogram_percentile(late, 50) / NS_PER_US,
		    (double)histogram_percentile(late, 99) / NS_PER_US);
		wan_fixture_finish(&fixture);
	}
	histogram_destroy(excess);
}

/* Full chunks into a stream; 64 bytes a datagram, whether or not there is room. */
static void blast(int sock)
{
	static const char zeros[CHUNK];
	socklen_t length = sizeof(int);
	int type = SOCK_STREAM;

	getsockopt(sock, SOL_SOCKET, SO_TYPE, &type, &length);
	while (send(sock, zeros, type == SOCK_DGRAM ? 64 : CHUNK, MSG_NOSIGNAL) > 0 ||
	       type == SOCK_DGRAM)
		;
}

static uint64_t receive_until(int sock, uint64_t end_ns)
{
	static char bytes[CHUNK * 4];
	uint64_t total = 0;

	while (clock_monotonic_ns() < end_ns) {
		ssize_t got = recv(sock, bytes, sizeof(bytes), 0);

		if (got <= 0)
			give_up("the stream broke");
		total += (uint64_t)got;
	}
	return total;
}

/* Gbit/s from port 0 to `far` for some seconds after a warm-up. */
static double measure_tcp(uint32_t far, unsigned warm_up_s, unsigned seconds)
{
	int listener = bound(far, SOCK_STREAM, SINK_PORT), near, sock;
	uint64_t began_ns, total;
	pid_t child;

	listen(listener, 1);
	near = bound(0, SOCK_STREAM, 0);
	connect_or_give_up(near, far, SINK_PORT);
	sock = accept(listener, NULL, NULL);
	child = in_child(blast, near);
	receive_until(sock, clock_monotonic_ns() + warm_up_s * NS_PER_S);
	began_ns = clock_monotonic_ns();
	total = receive_until(sock, began_ns + seconds * NS_PER_S);
	began_ns = clock_monotonic_ns() - began_ns;
	end_child(child);
	close(sock);
	close(listener);
	return (double)total * BITS_PER_BYTE / (double)began_ns;
}

static void bench_tcp(void)
{
	static const uint64_t one_way_ms[] = {0, 40};
	double lo_gbps = 0;

	for (size_t i = 0; i < sizeof(one_way_ms) / sizeof(*one_way_ms); i++) {
		uint64_t cpu_ns, wall_ns;
		double gbps;

		begin(2, one_way_ms[i] * NS_PER_MS);
		if (i == 0)
			lo_gbps = measure_tcp(0, 1, 2);
		snapshot();
		cpu_ns = counters.cpu_ns;
		wall_ns = clock_monotonic_ns();
		gbps = measure_tcp(1, one_way_ms[i] == 0 ? 1 : 4, 3);
		wall_ns = clock_monotonic_ns() - wall_ns;
		snapshot();
		printf("tcp: one stream at %u ms: %.2f Gbit/s (lo: %.2f, ratio %.2f), "
		       "emulator %.0f %% of a core, late p99 %.0f us, dropped %llu\n",
		    (unsigned)one_way_ms[i], gbps, lo_gbps, gbps / lo_gbps,
		    100.0 * (double)(counters.cpu_ns - cpu_ns) / (double)wall_ns,
		    (double)histogram_percentile(&counters.lateness_ns, 99) / NS_PER_US,
		    (unsigned long long)(counters.pairs[0][1].dropped_emulator +
					 counters.tun_dropped[0]));
		wan_fixture_finish(&fixture);
	}
}

static void bench_packets(void)
{
	static const uint64_t one_way_ms[] = {0, 40};

	for (size_t i = 0; i < sizeof(one_way_ms) / sizeof(*one_way_ms); i++) {
		uint64_t began_ns, packets, cpu_ns, ns;
		pid_t child;
		int sink, sock;

		begin(2, one_way_ms[i] * NS_PER_MS);
		sink = bound(1, SOCK_DGRAM, SINK_PORT);
		sock = bound(0, SOCK_DGRAM, 0);
		connect_or_give_up(sock, 1, SINK_PORT);
		child = in_child(blast, sock);
		poll(NULL, 0, 500);
		snapshot();
		began_ns = clock_monotonic_ns();
		packets = counters.pairs[0][1].packets;
		cpu_ns = counters.cpu_ns;
		poll(NULL, 0, 2000);
		snapshot();
		ns = clock_monotonic_ns() - began_ns;
		packets = counters.pairs[0][1].packets - packets;
		cpu_ns = counters.cpu_ns - cpu_ns;
		end_child(child);
		close(sink);
		printf("packets: 64 B at %u ms: %.0f kpps, %.2f us of CPU each, dropped "
		       "by the emulator %llu, at the device %llu\n",
		    (unsigned)one_way_ms[i], (double)packets * 1e6 / (double)ns,
		    (double)cpu_ns / (double)packets / 1e3,
		    (unsigned long long)counters.pairs[0][1].dropped_emulator,
		    (unsigned long long)counters.tun_dropped[0]);
		wan_fixture_finish(&fixture);
	}
}

static void bench_idle(void)
{
	uint64_t began_ns, cpu_ns;

	begin(WAN_PORTS_MAX, 40 * NS_PER_MS);
	poll(NULL, 0, 500);
	snapshot();
	cpu_ns = counters.cpu_ns;
	began_ns = clock_monotonic_ns();
	poll(NULL, 0, 3000);
	snapshot();
	printf("idle: %u ports: %.3f %% of a core\n", (unsigned)WAN_PORTS_MAX,
	    100.0 * (double)(counters.cpu_ns - cpu_ns) /
		(double)(clock_monotonic_ns() - began_ns));
	wan_fixture_finish(&fixture);
}

static const struct {
	const char *name;
	void (*run)(void);
} benches[] = {{"rtt", bench_rtt}, {"tcp", bench_tcp}, {"packets", bench_packets},
    {"idle", bench_idle}};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t b = 0; b < sizeof(benches) / sizeof(*benches); b++) {
		int is_asked = argc == 1;

		for (int i = 1; i < argc; i++)
			is_asked |= strcmp(argv[i], benches[b].name) == 0;
		if (is_asked)
			benches[b].run();
	}
	return 0;
}
