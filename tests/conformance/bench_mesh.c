/* SPDX-License-Identifier: MIT */
#include "tests/conformance/bench_mesh.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIGNAL_BYTES 4096

static int floor_fds[BENCH_PARTIES_MAX][BENCH_PARTIES_MAX];
static int signal_fds[BENCH_PARTIES_MAX][BENCH_PARTIES_MAX];

void bench_fail(const struct bench_mesh *mesh, const char *what)
{
	fprintf(stderr, "party %u: %s\n", mesh->self, what);
	_exit(1);
}

static struct bench_mesh own; /* one process, one party */

static void on_opened(void *user, int status)
{
	struct bench_peer *peer = user;

	if (status < 0)
		bench_fail(&own, strerror(-status));
	peer->is_open = 1;
}

static void on_message(void *user, struct e3_iov message, uint64_t arrived_ns)
{
	struct bench_peer *peer = user;

	(void)arrived_ns;
	peer->n_received++;
	peer->received_bytes += message.len;
}

static void on_writable(void *user)
{
	((struct bench_peer *)user)->is_writable = 1;
}

static void on_lost(void *user, int status)
{
	(void)user;
	if (status != -ESHUTDOWN)
		bench_fail(&own, strerror(-status));
}

static void on_violated(void *user, const struct error *why)
{
	(void)user;
	bench_fail(&own, why->text);
}

static void *on_place(void *user, size_t len)
{
	(void)len;
	return ((struct bench_peer *)user)->room;
}

static const struct link_events events = {
    .opened = on_opened,
    .message = on_message,
    .writable = on_writable,
    .lost = on_lost,
    .violated = on_violated,
    .place = on_place,
};

static e3_nanos host_now(void *ctx)
{
	(void)ctx;
	return clock_monotonic_ns();
}

__attribute__((format(printf, 3, 4))) static void host_log(
    void *ctx, uint32_t level, const char *fmt, ...)
{
	va_list args;

	(void)ctx;
	if (level > E3_LOG_WARN)
		return;
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

static int host_signal(void *ctx, e3_party peer, struct e3_iov message)
{
	struct bench_mesh *mesh = ctx;

	return send(mesh->peers[peer].signal_fd, message.base, message.len, 0) < 0
		   ? -errno
		   : 0;
}

void bench_turn(struct bench_mesh *mesh)
{
	unsigned char bytes[SIGNAL_BYTES];

	for (uint32_t p = 0; p < mesh->m; p++) {
		ssize_t n;

		if (p == mesh->self)
			continue;
		n = recv(mesh->peers[p].signal_fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n > 0)
			mesh->plugin->table.endpoint_signal(
			    mesh->endpoint, p, (struct e3_iov){bytes, (size_t)n});
	}
	uv_run(&mesh->loop, UV_RUN_NOWAIT);
	sched_yield();
}

static void open_links(struct bench_mesh *mesh, const char *transport)
{
	static const char *addresses[BENCH_PARTIES_MAX];
	struct error err = {0};

	for (uint32_t p = 0; p < mesh->m; p++)
		addresses[p] = "127.0.0.1";
	uv_loop_init(&mesh->loop);
	mesh->host = (struct e3_host){.struct_size = sizeof(mesh->host),
	    .ctx = mesh,
	    .loop = &mesh->loop,
	    .now = host_now,
	    .log = host_log,
	    .addresses = addresses,
	    .signal = host_signal};
	if (plugin_load(transport, &mesh->plugin, &err) < 0)
		bench_fail(mesh, err.text);
	if (mesh->plugin->table.endpoint_create(
		&mesh->host, mesh->self, mesh->m, NULL, &mesh->endpoint) < 0)
		bench_fail(mesh, "endpoint_create");
	for (uint32_t p = 0; p < mesh->m; p++)
		if (p != mesh->self &&
		    link_open(&mesh->plugin->table, mesh->endpoint, p, 0, &events,
			&mesh->peers[p], &mesh->peers[p].link, &err) < 0)
			bench_fail(mesh, err.text);
	for (uint32_t p = 0; p < mesh->m; p++)
		while (p != mesh->self && !mesh->peers[p].is_open)
			bench_turn(mesh);
}

static void on_closed(void *user)
{
	((struct bench_peer *)user)->is_open = 0;
}

static void close_links(struct bench_mesh *mesh)
{
	for (uint32_t p = 0; p < mesh->m; p++)
		if (p != mesh->self)
			link_close(mesh->peers[p].link, on_closed);
	for (uint32_t p = 0; p < mesh->m; p++)
		while (p != mesh->self && mesh->peers[p].is_open)
			bench_turn(mesh);
	mesh->plugin->table.endpoint_destroy(mesh->endpoint);
	uv_run(&mesh->loop, UV_RUN_DEFAULT);
}

static int join(uint32_t a, uint32_t b)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t bytes = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0), pair[2], one = 1;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	floor_fds[a][b] = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&at, bytes) < 0 ||
	    listen(listener, 1) < 0 ||
	    getsockname(listener, (struct sockaddr *)&at, &bytes) < 0 ||
	    connect(floor_fds[a][b], (struct sockaddr *)&at, bytes) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
		return -1;
	floor_fds[b][a] = accept(listener, NULL, NULL);
	close(listener);
	setsockopt(floor_fds[a][b], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(floor_fds[b][a], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	signal_fds[a][b] = pair[0];
	signal_fds[b][a] = pair[1];
	return 0;
}

static void become(uint32_t self, uint32_t m, const char *transport,
    void (*party)(struct bench_mesh *mesh))
{
	own.self = self;
	own.m = m;
	for (uint32_t p = 0; p < m; p++) {
		own.peers[p].floor_fd = floor_fds[self][p];
		own.peers[p].signal_fd = signal_fds[self][p];
	}
	open_links(&own, transport);
	party(&own);
	fflush(stdout);
	close_links(&own);
	_exit(0);
}

int bench_run(const char *transport, uint32_t m, void (*party)(struct bench_mesh *mesh))
{
	int failed = 0, status;

	for (uint32_t a = 0; a < m; a++)
		for (uint32_t b = 0; b < a; b++)
			if (join(a, b) < 0)
				return 1;
	for (uint32_t p = 0; p < m; p++)
		if (fork() == 0)
			become(p, m, transport, party);
	for (uint32_t p = 0; p < m; p++)
		if (wait(&status) < 0 || status != 0)
			failed = 1;
	for (uint32_t a = 0; a < m; a++)
		for (uint32_t b = 0; b < m; b++)
			if (a != b) {
				close(floor_fds[a][b]);
				close(signal_fds[a][b]);
			}
	return failed;
}
