/* SPDX-License-Identifier: MIT */
/* Damaged and random packets through parser and splitter, in buffers that end where the
 * packet ends, so that the sanitizers see a byte too far. */
#include "base/random.h"
#include "testbed/wan_segment.h"
#include "tests/tap.h"
#include "tests/testbed/wan_packets.h"

#include <stdlib.h>
#include <string.h>

#define ROUNDS 60000

static struct random_stream stream;

static uint32_t below(uint32_t bound)
{
	return (uint32_t)random_stream_below(&stream, bound);
}

static uint32_t make(unsigned char *out)
{
	struct wan_packet_kind kind = {.seed = random_stream_next(&stream),
	    .is_udp = (int)below(2),
	    .ip_option_bytes = 4 * below(11),
	    .tcp_option_bytes = 4 * below(11),
	    .segment_bytes = below(2) ? below(65536) : below(20),
	    .payload_bytes = below(4) ? below(1000) : below(65400),
	    .tcp_flags = (uint8_t)below(256)};

	return wan_packets_make(&kind, out);
}

/* Mostly in the headers, where it matters. */
static void damage(unsigned char *at, uint32_t bytes)
{
	for (uint32_t count = below(4); count > 0; count--) {
		uint32_t reach = below(2) && bytes > 60 ? 60 : bytes;

		at[below(reach)] = below(2) ? (unsigned char)below(256)
					    : (unsigned char)(255 * below(2));
	}
}

static void split(const unsigned char *head, uint32_t bytes, const struct wan_segments *s)
{
	unsigned char header[WAN_HEADER_MAX_BYTES];
	uint32_t first = below(s->n), count = 1 + below(s->n - first), payload, offset;

	assert_true(wan_segments_bytes(s, 0, s->n) >= bytes - WAN_VNET_BYTES);
	if (s->n == 1)
		return;
	assert_true(
	    wan_segments_header(s, head, first, count, header) <= WAN_HEADER_MAX_BYTES);
	offset = wan_segments_payload(s, first, count, &payload);
	assert_true(payload > 0 && offset + payload <= bytes);
	assert_true(s->header_bytes + payload <= 65535);
}

static void damaged_packets(void **state)
{
	static unsigned char made[WAN_PACKET_MAX_BYTES];
	uint32_t n_sound = 0, n_split = 0;

	(void)state;
	random_stream_seed(&stream, 1);
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t bytes = make(made), head_bytes;
		unsigned char *head;
		struct wan_segments s;

		damage(made, bytes);
		if (below(8) == 0)
			bytes = 1 + below(bytes);
		head_bytes = bytes < 1552 ? bytes : 1552;
		head = malloc(head_bytes);
		memcpy(head, made, head_bytes);
		if (wan_segments_parse(&s, head, head_bytes, bytes) == 0) {
			n_sound++;
			n_split += s.n > 1;
			split(head, bytes, &s);
		}
		free(head);
	}
	assert_true(n_sound > ROUNDS / 10 && n_sound < ROUNDS);
	assert_true(n_split > ROUNDS / 100);
}

static void noise(void **state)
{
	(void)state;
	random_stream_seed(&stream, 2);
	for (int round = 0; round < ROUNDS * 10; round++) {
		uint32_t bytes = 1 + below(200);
		unsigned char *head = malloc(bytes);
		struct wan_segments s;

		for (uint32_t i = 0; i < bytes; i++)
			head[i] = (unsigned char)random_stream_next(&stream);
		if (bytes > WAN_VNET_BYTES + 4) {
			head[1] = (unsigned char)below(6);
			head[WAN_VNET_BYTES] = (unsigned char)(0x45 + below(11));
			head[WAN_VNET_BYTES + 2] = 0;
			head[WAN_VNET_BYTES + 3] =
			    (unsigned char)(bytes - WAN_VNET_BYTES);
		}
		if (wan_segments_parse(&s, head, bytes, bytes) == 0)
			split(head, bytes, &s);
		free(head);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(damaged_packets),
	    cmocka_unit_test(noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
