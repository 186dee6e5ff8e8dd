/* SPDX-License-Identifier: MIT */
/* The emulator between real namespaces. Bounds on time are generous: a lower bound is the
 * emulator's promise, an upper one only tells that nothing hangs. */
#include "base/clock.h"
#include "base/random.h"
#include "base/sort.h"
#include "base/units.h"
#include "tests/tap.h"
#include "tests/testbed/wan_case.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/udp.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEADLINE_MS 10000
#define UDP_HEADERS 28u

static struct testbed_counters counters;

static void connect_to(int sock, uint32_t port, uint16_t number)
{
	struct sockaddr_in address = wan_fixture_address(port, number);

	assert_int_equal(
	    connect(sock, (const struct sockaddr *)&address, sizeof(address)), 0);
}

/* One datagram there and one back. */
static uint64_t round_trip_ns(int near, int far)
{
	uint64_t began_ns = clock_monotonic_ns();
	struct sockaddr_in from;
	socklen_t length = sizeof(from);
	char byte = 'x';

	assert_int_equal(send(near, &byte, 1, 0), 1);
	assert_true(wan_fixture_readable(far, DEADLINE_MS));
	assert_int_equal(
	    recvfrom(far, &byte, 1, 0, (struct sockaddr *)&from, &length), 1);
	assert_int_equal(sendto(far, &byte, 1, 0, (struct sockaddr *)&from, length), 1);
	assert_true(wan_fixture_readable(near, DEADLINE_MS));
	assert_int_equal(recv(near, &byte, 1, 0), 1);
	return clock_monotonic_ns() - began_ns;
}

/* A socket that takes them, so that nobody answers that there is none. */
static int sink_at(uint32_t port)
{
	return wan_fixture_bound(&wan_case, port, SOCK_DGRAM, 7);
}

static uint64_t median_round_trip_ns(uint32_t from, uint32_t to, uint64_t *least_ns)
{
	enum { COUNT = 21 };
	uint64_t times[COUNT];
	int near = wan_fixture_bound(&wan_case, from, SOCK_DGRAM, 0);
	int far = sink_at(to);

	connect_to(near, to, 7);
	for (int i = 0; i < COUNT; i++)
		times[i] = round_trip_ns(near, far);
	close(near);
	close(far);
	sort_u64(times, COUNT);
	*least_ns = times[0];
	return times[COUNT / 2];
}

static void delays_of_ordered_pairs(void **state)
{
	static const uint64_t one_way_ms[3][3] = {{0, 3, 20}, {9, 0, 1}, {7, 4, 0}};
	uint64_t least_ns, median_ns, nominal_ns;

	(void)state;
	wan_case_make(3);
	for (uint32_t a = 0; a < 3; a++)
		for (uint32_t b = 0; b < 3; b++)
			wan_case.config.links[a][b].one_way_ns =
			    one_way_ms[a][b] * NS_PER_MS;
	wan_case_start();
	for (uint32_t a = 0; a < 3; a++) {
		uint32_t b = (a + 1) % 3;

		nominal_ns = (one_way_ms[a][b] + one_way_ms[b][a]) * NS_PER_MS;
		median_ns = median_round_trip_ns(a, b, &least_ns);
		assert_true(least_ns > nominal_ns);
		assert_true(median_ns < nominal_ns + 5 * NS_PER_MS);
	}
	assert_int_equal(wan_counters(wan_case.wan, &counters, NULL), 0);
	assert_true(counters.lateness_ns.total == 3 * 2 * 21);
	assert_true(counters.cpu_ns > 0);
}

static void send_datagrams(uint32_t from, uint32_t to, int count, uint32_t bytes)
{
	static const char zeros[1472];
	struct sockaddr_in address = wan_fixture_address(to, 7);
	int sock = wan_fixture_socket(&wan_case, from, SOCK_DGRAM);

	for (int i = 0; i < count; i++)
		assert_int_equal(sendto(sock, zeros, bytes, 0,
				     (const struct sockaddr *)&address, sizeof(address)),
		    bytes);
	close(sock);
}

static struct testbed_pair pair_now(uint32_t from, uint32_t to)
{
	struct error err = {0};

	if (wan_counters(wan_case.wan, &counters, &err) < 0)
		fail_msg("%s", err.text);
	return counters.pairs[from][to];
}

static uint64_t settled(const struct testbed_pair *pair)
{
	return pair->packets + pair->dropped_loss + pair->dropped_queue +
	       pair->dropped_emulator;
}

/* Until so many packets of the pair have met their fate. */
static struct testbed_pair await_settled(uint32_t from, uint32_t to, uint64_t count)
{
	uint64_t end_ns = clock_monotonic_ns() + DEADLINE_MS * NS_PER_MS;
	struct testbed_pair pair = pair_now(from, to);

	while (settled(&pair) < count && clock_monotonic_ns() < end_ns) {
		poll(NULL, 0, 1);
		pair = pair_now(from, to);
	}
	assert_true(settled(&pair) == count);
	return pair;
}

static void counters_are_exact(void **state)
{
	struct testbed_pair pair;
	int sinks[2];

	(void)state;
	wan_case_make(3);
	wan_case.config.links[0][1].one_way_ns = 2 * NS_PER_MS;
	wan_case.config.links[1][2] = (struct testbed_link){
	    .rate_bps = 8000000, .queue_bytes = 10 * (1000 + UDP_HEADERS)};
	wan_case_start();
	sinks[0] = sink_at(1);
	sinks[1] = sink_at(2);
	send_datagrams(0, 1, 300, 100);
	send_datagrams(0, 2, 200, 1472);
	send_datagrams(1, 2, 100, 1000);
	pair = await_settled(0, 1, 300);
	assert_true(pair.packets == 300 && pair.bytes == 300 * (100 + UDP_HEADERS));
	pair = await_settled(0, 2, 200);
	assert_true(pair.packets == 200 && pair.bytes == 200 * 1500);
	pair = await_settled(1, 2, 100);
	assert_true(pair.packets >= 10 && pair.dropped_queue > 0);
	assert_true(pair.bytes == pair.packets * (1000 + UDP_HEADERS));
	pair = pair_now(1, 0);
	assert_true(settled(&pair) == 0 && pair.bytes == 0);
	assert_true(counters.undeliverable == 0 && counters.tun_dropped[0] == 0);
	close(sinks[0]);
	close(sinks[1]);
}

/* One send() of 20 datagrams crosses as one packet and counts as 20. */
static void superpackets_count_as_segments(void **state)
{
	static const char zeros[20 * 1000];
	int segment_bytes = 1000, sock, sink;
	struct testbed_pair pair;

	(void)state;
	wan_case_make(2);
	wan_case.config.links[0][1].loss = 0.25;
	wan_case_start();
	sock = wan_fixture_bound(&wan_case, 0, SOCK_DGRAM, 0);
	sink = sink_at(1);
	connect_to(sock, 1, 7);
	if (setsockopt(sock, IPPROTO_UDP, UDP_SEGMENT, &segment_bytes,
		sizeof(segment_bytes)) < 0)
		skip_because("this kernel has no UDP_SEGMENT");
	for (int i = 0; i < 100; i++)
		assert_int_equal(send(sock, zeros, sizeof(zeros), 0), sizeof(zeros));
	close(sock);
	close(sink);
	pair = await_settled(0, 1, 2000);
	assert_in_range(pair.dropped_loss, 300, 700);
	assert_true(pair.bytes == pair.packets * (1000 + UDP_HEADERS));
}

static void links_change_while_forwarding(void **state)
{
	struct testbed_link slow = {.one_way_ns = 30 * NS_PER_MS}, cut = {.loss = 1};
	uint64_t least_ns, median_ns;
	struct testbed_pair before, after;
	struct error err = {0};

	(void)state;
	wan_case_make(2);
	wan_case_start();
	median_ns = median_round_trip_ns(0, 1, &least_ns);
	assert_true(median_ns < 20 * NS_PER_MS);
	assert_int_equal(wan_set_link(wan_case.wan, 0, 1, &slow, NULL), 0);
	median_round_trip_ns(0, 1, &least_ns);
	assert_true(least_ns > 30 * NS_PER_MS);
	assert_int_equal(wan_set_link(wan_case.wan, 0, 1, &cut, NULL), 0);
	before = pair_now(0, 1);
	send_datagrams(0, 1, 50, 10);
	after = await_settled(0, 1, settled(&before) + 50);
	assert_true(after.dropped_loss == before.dropped_loss + 50);
	assert_int_equal(wan_set_link(wan_case.wan, 0, 2, &slow, &err), -EINVAL);
	slow.loss = 2;
	assert_int_equal(wan_set_link(wan_case.wan, 0, 1, &slow, &err), -EINVAL);
	assert_non_null(strstr(err.text, "link 0-1"));
}

/* Which of the numbered datagrams arrive over a lossy path. */
static void lossy_arrivals(uint64_t seed, unsigned char *has_arrived, uint16_t count)
{
	int near, far;
	uint16_t number;

	wan_case_make(2);
	wan_case.config.seed = seed;
	wan_case.config.links[0][1] =
	    (struct testbed_link){.loss = 0.1, .one_way_ns = NS_PER_MS};
	wan_case_start();
	near = wan_fixture_bound(&wan_case, 0, SOCK_DGRAM, 0);
	far = sink_at(1);
	connect_to(near, 1, 7);
	memset(has_arrived, 0, count);
	for (number = 0; number < count; number++) {
		assert_int_equal(send(near, &number, sizeof(number), 0), sizeof(number));
		if (number % 50 == 49)
			await_settled(0, 1, number + 1u);
	}
	while (recv(far, &number, sizeof(number), MSG_DONTWAIT) == sizeof(number))
		has_arrived[number] = 1;
	close(near);
	close(far);
	wan_case_finish(NULL);
}

static void same_seed_same_losses(void **state)
{
	enum { COUNT = 1000 };
	static unsigned char first[COUNT], again[COUNT], other[COUNT];

	(void)state;
	lossy_arrivals(5, first, COUNT);
	lossy_arrivals(5, again, COUNT);
	lossy_arrivals(6, other, COUNT);
	assert_memory_equal(first, again, COUNT);
	assert_memory_not_equal(first, other, COUNT);
}

static unsigned char pattern(size_t at)
{
	return (unsigned char)(at * 2654435761u >> 24);
}

/* A TCP stream of superpackets through losses and a slow link arrives whole. */
static void stream_survives_splitting(void **state)
{
	enum { TOTAL = 3000000, PART = 60000 };
	static unsigned char out[TOTAL], in[PART];
	uint64_t end_ns = clock_monotonic_ns() + 60 * NS_PER_S;
	size_t sent = 0, got = 0;
	struct testbed_pair pair;
	int listener, near, far;

	(void)state;
	wan_case_make(2);
	wan_case.config.links[0][1] = (struct testbed_link){
	    .loss = 0.005, .one_way_ns = NS_PER_MS, .rate_bps = 200000000};
	wan_case_start();
	for (size_t i = 0; i < TOTAL; i++)
		out[i] = pattern(i);
	listener = wan_fixture_bound(&wan_case, 1, SOCK_STREAM, 9);
	assert_int_equal(listen(listener, 1), 0);
	near = wan_fixture_bound(&wan_case, 0, SOCK_STREAM, 0);
	connect_to(near, 1, 9);
	assert_true(wan_fixture_readable(listener, DEADLINE_MS));
	far = accept(listener, NULL, NULL);
	while (got < TOTAL && clock_monotonic_ns() < end_ns) {
		ssize_t n = send(near, out + sent,
		    TOTAL - sent < PART ? TOTAL - sent : PART, MSG_DONTWAIT);

		sent += n > 0 ? (size_t)n : 0;
		wan_fixture_readable(far, 5);
		n = recv(far, in, sizeof(in), MSG_DONTWAIT);
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(in[i], pattern(got++));
	}
	assert_int_equal(got, TOTAL);
	close(near);
	close(far);
	close(listener);
	pair = pair_now(0, 1);
	assert_true(pair.dropped_loss > 0 && pair.dropped_emulator == 0);
	assert_true(pair.packets >= TOTAL / 1460 && pair.bytes > TOTAL);
}

/* A host's root can write anything into its device. */
static void rubbish_is_counted_and_dropped(void **state)
{
	struct sockaddr_ll to = {
	    .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP)};
	uint64_t least_ns, end_ns;
	struct random_stream stream;
	unsigned char bytes[1500];
	int home, raw;

	(void)state;
	wan_case_make(2);
	wan_case_start();
	home = wan_fixture_enter(&wan_case, 0);
	raw = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	to.sll_ifindex = (int)if_nametoindex("wan0");
	wan_fixture_leave(home);
	random_stream_seed(&stream, 1);
	for (uint32_t i = 0; i < 2000; i++) {
		size_t length = 1 + random_stream_below(&stream, sizeof(bytes));

		for (size_t b = 0; b < length; b++)
			bytes[b] = (unsigned char)random_stream_next(&stream);
		sendto(raw, bytes, length, 0, (struct sockaddr *)&to, sizeof(to));
	}
	close(raw);
	send_datagrams(0, 200, 10, 10);
	end_ns = clock_monotonic_ns() + DEADLINE_MS * NS_PER_MS;
	do
		pair_now(0, 1);
	while (counters.undeliverable < 2010 && clock_monotonic_ns() < end_ns);
	assert_in_range(counters.undeliverable, 2009, 2010);
	median_round_trip_ns(0, 1, &least_ns);
	assert_int_equal(wan_check(wan_case.wan, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(delays_of_ordered_pairs, wan_case_finish),
	    cmocka_unit_test_teardown(counters_are_exact, wan_case_finish),
	    cmocka_unit_test_teardown(superpackets_count_as_segments, wan_case_finish),
	    cmocka_unit_test_teardown(links_change_while_forwarding, wan_case_finish),
	    cmocka_unit_test_teardown(same_seed_same_losses, wan_case_finish),
	    cmocka_unit_test_teardown(stream_survives_splitting, wan_case_finish),
	    cmocka_unit_test_teardown(rubbish_is_counted_and_dropped, wan_case_finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
