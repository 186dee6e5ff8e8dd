/* SPDX-License-Identifier: MIT */
#include "testbed/wan_loop.h"
#include "base/clock.h"
#include "base/units.h"
#include "testbed/wan_link.h"
#include "testbed/wan_queue.h"
#include "testbed/wan_segment.h"
#include "testbed/wan_store.h"
#include "testbed/wan_wake.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define READS_MAX       32
#define WRITES_MAX      64
#define MEMORY_BYTES    (UINT64_C(1) << 30) /* at most, or an eighth of the machine's */
#define MEMORY_PART     8
#define IDLE_RELEASE_MS 10000

/* epoll_event.data.u32: a port, or one of these. */
#define EVENT_TIMER   (WAN_PORTS_MAX)
#define EVENT_CONTROL (WAN_PORTS_MAX + 1u)

struct port {
	int fd;
	uint32_t address;
};

struct path {
	struct wan_link link;
	uint32_t n_queued;
};

struct wan_loop {
	uint32_t n_ports, n_hosts;
	struct port ports[WAN_PORTS_MAX];
	struct path paths[WAN_PORTS_MAX][WAN_PORTS_MAX];
	struct wan_counters_shared *shared;
	struct wan_store store;
	struct wan_queue queue;
	struct wan_wake wake;
	uint64_t armed_ns; /* what the timer was last set to */
	int epoll_fd, timer_fd, control_fd;
	int latency_fd; /* /dev/cpu_dma_latency at 0: idle CPUs wake at once; or -1 */
	bool is_over;
};

static uint64_t memory_bytes(void)
{
	uint64_t part = (uint64_t)sysconf(_SC_PHYS_PAGES) *
			(uint64_t)sysconf(_SC_PAGESIZE) / MEMORY_PART;

	return part < MEMORY_BYTES ? part : MEMORY_BYTES;
}

static int watch(struct wan_loop *loop, int fd, uint32_t events, uint32_t what)
{
	struct epoll_event event = {.events = events, .data.u32 = what};

	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* The timer is edge-triggered: it need not be read, setting it anew is enough. */
static int watch_all(struct wan_loop *loop)
{
	int rc;

	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (loop->epoll_fd < 0 || loop->timer_fd < 0)
		return -errno;
	rc = watch(loop, loop->timer_fd, EPOLLIN | EPOLLET, EVENT_TIMER);
	if (rc == 0)
		rc = watch(loop, loop->control_fd, EPOLLIN, EVENT_CONTROL);
	for (uint32_t p = 0; rc == 0 && p < loop->n_ports; p++)
		rc = watch(loop, loop->ports[p].fd, EPOLLIN, p);
	return rc;
}

struct wan_loop *wan_loop_create(const struct wan_config *config, const int *tun_fds,
    int control_fd, struct wan_counters_shared *shared, struct error *err)
{
	struct wan_loop *loop = calloc(1, sizeof(*loop));
	int rc;

	if (loop == NULL) {
		error_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	loop->n_ports = config->n_ports;
	loop->n_hosts = config->n_hosts;
	loop->shared = shared;
	loop->control_fd = control_fd;
	loop->latency_fd = loop->epoll_fd = loop->timer_fd = -1;
	wan_wake_init(&loop->wake);
	for (uint32_t from = 0; from < loop->n_ports; from++) {
		loop->ports[from].fd = tun_fds[from];
		inet_pton(
		    AF_INET, config->ports[from].address, &loop->ports[from].address);
		for (uint32_t to = 0; to < loop->n_ports; to++)
			wan_link_init(&loop->paths[from][to].link,
			    &config->links[from][to], config->seed, from, to);
	}
	rc = wan_store_init(&loop->store, memory_bytes());
	if (rc == 0)
		rc = wan_queue_init(&loop->queue, wan_store_capacity(&loop->store));
	if (rc == 0)
		rc = watch_all(loop);
	if (rc == 0)
		return loop;
	error_set_errno(err, rc, "prepare to forward");
	wan_loop_destroy(loop);
	return NULL;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void wan_loop_destroy(struct wan_loop *loop)
{
	if (loop == NULL)
		return;
	close_fd(loop->latency_fd);
	close_fd(loop->timer_fd);
	close_fd(loop->epoll_fd);
	wan_queue_finish(&loop->queue);
	wan_store_finish(&loop->store);
	free(loop);
}

static struct testbed_pair *pair_of(struct wan_loop *loop, uint32_t from, uint32_t to)
{
	return &loop->shared->pairs[from][to];
}

/* Small packets are many: write() saves the kernel the list. */
static ssize_t write_pieces(int fd, const struct iovec *pieces, int n_pieces)
{
	if (n_pieces == 1)
		return write(fd, pieces->iov_base, pieces->iov_len);
	return writev(fd, pieces, n_pieces);
}

static void deliver(
    struct wan_loop *loop, const struct wan_packet *packet, uint64_t late_ns)
{
	struct testbed_pair *pair = pair_of(loop, packet->from, packet->to);
	struct iovec pieces[WAN_PIECES];
	int n_pieces = wan_store_content(&loop->store, packet, pieces);

	if (write_pieces(loop->ports[packet->to].fd, pieces, n_pieces) < 0) {
		pair->dropped_emulator += packet->n_segments;
		return;
	}
	pair->packets += packet->n_segments;
	pair->bytes += packet->wire_bytes;
	if (packet->from < loop->n_hosts && packet->to < loop->n_hosts)
		histogram_record(&loop->shared->lateness_ns, late_ns);
}

/* Writes what is due, some at most. Returns the time. */
static uint64_t flush(struct wan_loop *loop)
{
	uint64_t now_ns = clock_monotonic_ns();

	for (int i = 0; i < WRITES_MAX; i++) {
		const struct wan_queue_entry *first = wan_queue_first(&loop->queue);
		const struct wan_packet *packet;
		uint64_t due_ns;
		uint32_t id;

		if (first == NULL || first->due_ns > now_ns)
			break;
		due_ns = first->due_ns;
		id = wan_queue_pop(&loop->queue);
		packet = wan_store_packet(&loop->store, id);
		deliver(loop, packet, now_ns - due_ns);
		loop->paths[packet->from][packet->to].n_queued--;
		wan_store_free(&loop->store, id);
		now_ns = clock_monotonic_ns();
	}
	return now_ns;
}

static void enqueue(struct wan_loop *loop, uint32_t id, uint64_t due_ns)
{
	const struct wan_packet *packet = wan_store_packet(&loop->store, id);

	loop->paths[packet->from][packet->to].n_queued++;
	wan_queue_push(
	    &loop->queue, due_ns, id); /* has room for all that the store has */
}

/* The next packet as it is. */
static void forward_whole(struct wan_loop *loop, uint64_t left_ns)
{
	struct wan_packet *packet = wan_store_next(&loop->store);
	struct path *path = &loop->paths[packet->from][packet->to];
	uint64_t due_ns = wan_link_due(&path->link, left_ns);
	uint64_t now_ns = clock_monotonic_ns();
	uint32_t id;

	if (due_ns <= now_ns && path->n_queued == 0) {
		deliver(loop, packet, now_ns - due_ns);
		return;
	}
	id = wan_store_keep(&loop->store);
	if (id == WAN_NONE)
		pair_of(loop, packet->from, packet->to)->dropped_emulator +=
		    packet->n_segments;
	else
		enqueue(loop, id, due_ns);
}

/* Some segments of the next packet, as a packet of their own. */
static void forward_run(struct wan_loop *loop, const struct wan_segments *s,
    uint32_t first, uint32_t count, uint64_t left_ns)
{
	const struct wan_packet *whole = wan_store_next(&loop->store);
	struct path *path = &loop->paths[whole->from][whole->to];
	unsigned char header[WAN_HEADER_MAX_BYTES];
	uint32_t offset, bytes, header_bytes, id;
	struct wan_packet *run;

	if (count == s->n) {
		forward_whole(loop, left_ns);
		return;
	}
	header_bytes = wan_segments_header(s, whole->head, first, count, header);
	offset = wan_segments_payload(s, first, count, &bytes);
	id = wan_store_slice(&loop->store, header, header_bytes, offset, bytes);
	if (id == WAN_NONE) {
		pair_of(loop, whole->from, whole->to)->dropped_emulator += count;
		return;
	}
	run = wan_store_packet(&loop->store, id);
	run->from = whole->from;
	run->to = whole->to;
	run->n_segments = count;
	run->wire_bytes = wan_segments_bytes(s, first, count);
	enqueue(loop, id, wan_link_due(&path->link, left_ns));
}

/* Each segment has its own fate; those that pass go on in runs. */
static void forward_segments(
    struct wan_loop *loop, const struct wan_segments *s, uint64_t now_ns)
{
	const struct wan_packet *packet = wan_store_next(&loop->store);
	uint32_t from = packet->from, to = packet->to;
	struct testbed_pair *pair = pair_of(loop, from, to);
	struct wan_link *link = &loop->paths[from][to].link;
	uint32_t burst = wan_link_burst(link, wan_segments_bytes(s, 0, 1)), count = 0;
	uint64_t run_left_ns = now_ns, left_ns;

	for (uint32_t i = 0; i < s->n; i++) {
		enum wan_fate fate =
		    wan_link_segment(link, now_ns, wan_segments_bytes(s, i, 1), &left_ns);

		if (count > 0 && (fate != WAN_PASSES || count == burst)) {
			forward_run(loop, s, i - count, count, run_left_ns);
			count = 0;
		}
		if (fate == WAN_LOST)
			pair->dropped_loss++;
		else if (fate == WAN_NO_ROOM)
			pair->dropped_queue++;
		else
			count++, run_left_ns = left_ns;
	}
	if (count > 0)
		forward_run(loop, s, s->n - count, count, run_left_ns);
}

static uint32_t port_of(const struct wan_loop *loop, uint32_t address)
{
	uint32_t port = 0;

	while (port < loop->n_ports && loop->ports[port].address != address)
		port++;
	return port;
}

/* The next packet has been read from a port. */
static void forward(struct wan_loop *loop, uint32_t from)
{
	struct wan_packet *packet = wan_store_next(&loop->store);
	uint32_t head_bytes =
	    packet->bytes < WAN_HEAD_BYTES ? packet->bytes : WAN_HEAD_BYTES;
	struct wan_segments s;
	uint32_t to;

	if (wan_segments_parse(&s, packet->head, head_bytes, packet->bytes) < 0 ||
	    (to = port_of(loop, s.destination)) >= loop->n_ports || to == from) {
		loop->shared->undeliverable++;
		return;
	}
	packet->from = (uint8_t)from;
	packet->to = (uint8_t)to;
	packet->n_segments = s.n;
	packet->wire_bytes = wan_segments_bytes(&s, 0, s.n);
	forward_segments(loop, &s, clock_monotonic_ns());
}

/* Its host removed the device: nothing will come from it again. */
static void port_removed(struct wan_loop *loop, uint32_t port)
{
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, loop->ports[port].fd, NULL);
	loop->shared->removed_ports |= 1u << port;
}

static void on_port_readable(struct wan_loop *loop, uint32_t port)
{
	struct iovec room[WAN_PIECES];

	for (int i = 0; i < READS_MAX; i++) {
		int n_pieces = wan_store_room(&loop->store, room);
		ssize_t got = readv(loop->ports[port].fd, room, n_pieces);

		if (got < 0) {
			if (errno != EAGAIN && errno != EINTR)
				port_removed(loop, port);
			return;
		}
		wan_store_next(&loop->store)->bytes = (uint32_t)got;
		forward(loop, port);
	}
}

static void on_control_readable(struct wan_loop *loop)
{
	struct wan_loop_order order;
	struct wan_loop_answer answer = {0};
	ssize_t got = recv(loop->control_fd, &order, sizeof(order), MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got != (ssize_t)sizeof(order)) {
		loop->is_over = true;
		return;
	}
	answer.sequence = order.sequence;
	if (order.from >= loop->n_ports || order.to >= loop->n_ports)
		answer.code = -EINVAL;
	else
		wan_link_change(&loop->paths[order.from][order.to].link, &order.link);
	/* When it can't be sent, the other side has a deadline. */
	send(loop->control_fd, &answer, sizeof(answer), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Holding costs power, so not while nothing happens for long. Without the right to open
 * the device, CPUs wake later and the lateness shows it. */
static void hold_latency(struct wan_loop *loop, bool is_held)
{
	static const int32_t none = 0;

	if (is_held == (loop->latency_fd >= 0))
		return;
	if (!is_held) {
		close(loop->latency_fd);
		loop->latency_fd = -1;
		return;
	}
	loop->latency_fd = open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC);
	if (loop->latency_fd >= 0 && write(loop->latency_fd, &none, sizeof(none)) < 0)
		hold_latency(loop, false);
}

static void arm(struct wan_loop *loop)
{
	uint64_t target_ns = loop->wake.target_ns;
	struct itimerspec spec = {.it_value = {.tv_sec = (time_t)(target_ns / NS_PER_S),
				      .tv_nsec = (long)(target_ns % NS_PER_S)}};

	if (loop->armed_ns == target_ns)
		return;
	timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
	loop->armed_ns = target_ns;
}

/* How long epoll may wait: 0 to go on or to spin; else a bound in case no timer ends it.
 */
static int plan_wait_ms(struct wan_loop *loop, uint64_t now_ns)
{
	const struct wan_queue_entry *first = wan_queue_first(&loop->queue);

	if (first == NULL)
		return IDLE_RELEASE_MS;
	if (first->due_ns <= now_ns ||
	    !wan_wake_sleeps(&loop->wake, now_ns, first->due_ns))
		return 0;
	arm(loop);
	return (int)((first->due_ns - now_ns) / NS_PER_MS) + 1;
}

static void handle(struct wan_loop *loop, const struct epoll_event *event)
{
	if (event->data.u32 == EVENT_CONTROL) {
		on_control_readable(loop);
	} else if (event->data.u32 == EVENT_TIMER) {
		wan_wake_woken(&loop->wake, clock_monotonic_ns());
	} else {
		hold_latency(loop, true);
		on_port_readable(loop, event->data.u32);
	}
}

int wan_loop_run(struct wan_loop *loop)
{
	struct epoll_event events[WAN_PORTS_MAX + 2];
	int wait_ms = 0;

	hold_latency(loop, true);
	while (!loop->is_over) {
		int n_events = epoll_wait(loop->epoll_fd, events,
		    (int)(sizeof(events) / sizeof(*events)), wait_ms);

		if (n_events < 0 && errno != EINTR)
			return -errno;
		if (n_events == 0 && wait_ms == IDLE_RELEASE_MS)
			hold_latency(loop, false);
		for (int i = 0; i < n_events; i++) {
			handle(loop, &events[i]);
			flush(loop);
		}
		wait_ms = plan_wait_ms(loop, flush(loop));
	}
	return 0;
}
