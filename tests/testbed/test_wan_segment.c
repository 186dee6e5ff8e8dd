/* SPDX-License-Identifier: MIT */
#include "base/random.h"
#include "testbed/wan_segment.h"
#include "tests/tap.h"
#include "tests/testbed/wan_packets.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <string.h>

static unsigned char packet[WAN_PACKET_MAX_BYTES], run[WAN_PACKET_MAX_BYTES];

static const struct wan_packet_kind kinds[] = {
    {.segment_bytes = 1448, .payload_bytes = 45 * 1448, .tcp_option_bytes = 12},
    {.segment_bytes = 1448, .payload_bytes = 44 * 1448 + 1, .tcp_option_bytes = 12},
    {.segment_bytes = 1448, .payload_bytes = 2 * 1448 - 1, .tcp_flags = 0x99},
    {.segment_bytes = 1001, .payload_bytes = 20000, .tcp_flags = 0x19},
    {.segment_bytes = 536,
	.payload_bytes = 60000,
	.ip_option_bytes = 40,
	.tcp_option_bytes = 40,
	.tcp_flags = 0xff},
    {.segment_bytes = 1, .payload_bytes = 50},
    {.is_udp = 1, .segment_bytes = 1400, .payload_bytes = 40 * 1400},
    {.is_udp = 1, .segment_bytes = 99, .payload_bytes = 4001, .ip_option_bytes = 8},
};
enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

static struct wan_segments parse(uint32_t bytes)
{
	struct wan_segments s;

	assert_int_equal(wan_segments_parse(&s, packet, bytes, bytes), 0);
	return s;
}

/* The wire segments of a run are those of the whole packet, byte for byte. */
static void assert_run(
    const struct wan_segments *s, uint32_t bytes, uint32_t first, uint32_t count)
{
	static unsigned char expected[65536], got[65536];
	struct virtio_net_hdr vnet;
	uint32_t payload, offset, length, wire = 0;

	length = wan_segments_header(s, packet, first, count, run);
	offset = wan_segments_payload(s, first, count, &payload);
	assert_true(offset + payload <= bytes);
	memcpy(run + length, packet + offset, payload);
	length += payload;
	memcpy(&vnet, run, sizeof(vnet));
	assert_int_equal(vnet.gso_type == 0, count == 1);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t one = wan_packets_segment(packet, bytes, first + i, expected);

		assert_true(one > 0 && wan_packets_is_right(expected, one));
		assert_int_equal(wan_packets_segment(run, length, i, got), one);
		assert_memory_equal(got, expected, one);
		wire += one;
	}
	assert_int_equal(wan_packets_segment(run, length, count, got), 0);
	assert_int_equal(wan_segments_bytes(s, first, count), wire);
	length -= WAN_VNET_BYTES;
	wan_packets_complete(run + WAN_VNET_BYTES, length, vnet.csum_offset);
	assert_true(wan_packets_is_right(run + WAN_VNET_BYTES, length));
}

static void runs_are_the_segments_of_the_whole(void **state)
{
	(void)state;
	for (int k = 0; k < KINDS; k++) {
		uint32_t bytes = wan_packets_make(&kinds[k], packet);
		struct wan_segments s = parse(bytes);

		assert_int_equal(
		    s.n, (kinds[k].payload_bytes + kinds[k].segment_bytes - 1) /
			     kinds[k].segment_bytes);
		for (uint32_t first = 0; first < s.n; first++)
			for (uint32_t count = 1; first + count <= s.n;
			     count += 1 + count / 3)
				assert_run(&s, bytes, first, count);
		assert_run(&s, bytes, s.n / 2, s.n - s.n / 2);
	}
}

static void random_superpackets_too(void **state)
{
	struct random_stream stream;

	(void)state;
	random_stream_seed(&stream, 1);
	for (int i = 0; i < 2000; i++) {
		struct wan_packet_kind kind = {.seed = random_stream_next(&stream),
		    .is_udp = (int)random_stream_below(&stream, 2),
		    .ip_option_bytes = 4 * (uint32_t)random_stream_below(&stream, 11),
		    .tcp_option_bytes = 4 * (uint32_t)random_stream_below(&stream, 11),
		    .segment_bytes = 1 + (uint32_t)random_stream_below(&stream, 3000),
		    .tcp_flags = (uint8_t)random_stream_next(&stream)};
		uint32_t bytes, first;
		struct wan_segments s;

		kind.payload_bytes = kind.segment_bytes + 1 +
				     (uint32_t)random_stream_below(&stream, 65400 - 4000);
		bytes = wan_packets_make(&kind, packet);
		s = parse(bytes);
		first = (uint32_t)random_stream_below(&stream, s.n);
		assert_run(&s, bytes, first,
		    1 + (uint32_t)random_stream_below(&stream, s.n - first));
	}
}

static void single_packets_are_one_segment(void **state)
{
	static const struct wan_packet_kind single[] = {{.payload_bytes = 0},
	    {.payload_bytes = 1460}, {.is_udp = 1, .payload_bytes = 8000},
	    {.segment_bytes = 1448, .payload_bytes = 1448},
	    {.segment_bytes = 1448, .payload_bytes = 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(single) / sizeof(*single); i++) {
		uint32_t bytes = wan_packets_make(&single[i], packet);
		struct wan_segments s = parse(bytes);

		assert_int_equal(s.n, 1);
		assert_int_equal(wan_segments_bytes(&s, 0, 1), bytes - WAN_VNET_BYTES);
		assert_memory_equal(&s.destination, packet + WAN_VNET_BYTES + 16, 4);
	}
}

/* One wrong byte each. */
static void unsound_packets_are_refused(void **state)
{
	static const struct {
		const char *what;
		uint32_t at;
		unsigned char value;
	} wrongs[] = {
	    {"IPv6", WAN_VNET_BYTES, 0x65},
	    {"header too short", WAN_VNET_BYTES, 0x44},
	    {"length too short", WAN_VNET_BYTES + 3, 0x01},
	    {"length too long", WAN_VNET_BYTES + 2, 0xff},
	    {"superpacket of UDP that is TCP", 1, 5},
	    {"unknown superpacket", 1, 4},
	    {"whole checksum", 0, 0},
	    {"checksum elsewhere", 6, 21},
	    {"checksum of UDP", 8, 6},
	    {"fragment", WAN_VNET_BYTES + 6, 0x20},
	    {"not TCP", WAN_VNET_BYTES + 9, 50},
	    {"TCP header too short", WAN_VNET_BYTES + 20 + 12, 0x40},
	};
	struct wan_segments s = {.n = 77};

	(void)state;
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(*wrongs); i++) {
		uint32_t bytes = wan_packets_make(&kinds[3], packet);

		parse(bytes);
		packet[wrongs[i].at] = wrongs[i].value;
		print_message("# %s\n", wrongs[i].what);
		assert_int_equal(wan_segments_parse(&s, packet, bytes, bytes), -EBADMSG);
		assert_int_equal(s.n, 77);
	}
}

static void cut_packets_are_refused(void **state)
{
	uint32_t bytes = wan_packets_make(&kinds[2], packet);
	struct wan_segments s;

	(void)state;
	for (uint32_t length = 0; length < bytes; length++)
		assert_int_equal(
		    wan_segments_parse(&s, packet, length, length), -EBADMSG);
	assert_int_equal(wan_segments_parse(&s, packet, bytes, bytes + 1), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(runs_are_the_segments_of_the_whole),
	    cmocka_unit_test(random_superpackets_too),
	    cmocka_unit_test(single_packets_are_one_segment),
	    cmocka_unit_test(unsound_packets_are_refused),
	    cmocka_unit_test(cut_packets_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
