/* SPDX-License-Identifier: MIT */
#include "base/random.h"
#include "testbed/wan_segment.h"
#include "testbed/wan_store.h"
#include "tests/tap.h"

#include <string.h>

static unsigned char bytes[WAN_PACKET_MAX_BYTES];

static void fill(uint64_t seed)
{
	struct random_stream stream;

	random_stream_seed(&stream, seed);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)random_stream_next(&stream);
}

/* As a read of `length` would. */
static void put_next(struct wan_store *store, const unsigned char *from, uint32_t length)
{
	struct iovec pieces[WAN_PIECES];
	int n_pieces = wan_store_room(store, pieces);

	wan_store_next(store)->bytes = length;
	for (int i = 0; i < n_pieces && length > 0; i++) {
		size_t part = length < pieces[i].iov_len ? length : pieces[i].iov_len;

		memcpy(pieces[i].iov_base, from, part);
		from += part;
		length -= (uint32_t)part;
	}
	assert_int_equal(length, 0);
}

static void assert_holds(const struct wan_store *store, uint32_t packet,
    const unsigned char *expected, uint32_t length)
{
	struct iovec pieces[WAN_PIECES];
	int n_pieces = wan_store_content(store, wan_store_packet(store, packet), pieces);

	for (int i = 0; i < n_pieces; i++) {
		assert_true(pieces[i].iov_len <= length);
		assert_memory_equal(pieces[i].iov_base, expected, pieces[i].iov_len);
		expected += pieces[i].iov_len;
		length -= (uint32_t)pieces[i].iov_len;
	}
	assert_int_equal(length, 0);
}

static const uint32_t lengths[] = {30, WAN_HEAD_BYTES - 1, WAN_HEAD_BYTES,
    WAN_HEAD_BYTES + 1, WAN_HEAD_BYTES + WAN_BLOCK_BYTES,
    WAN_HEAD_BYTES + WAN_BLOCK_BYTES + 1, 45000, WAN_PACKET_MAX_BYTES};
enum { LENGTHS = sizeof(lengths) / sizeof(*lengths) };

static void packets_of_all_lengths_stay_whole(void **state)
{
	struct wan_store store;
	uint32_t ids[LENGTHS];

	(void)state;
	fill(1);
	assert_int_equal(wan_store_init(&store, 1 << 20), 0);
	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < LENGTHS; i++) {
			put_next(&store, bytes + i, lengths[i] - (uint32_t)i);
			ids[i] = wan_store_keep(&store);
			assert_true(ids[i] != WAN_NONE);
		}
		for (int i = 0; i < LENGTHS; i++)
			assert_holds(&store, ids[(i + round) % LENGTHS],
			    bytes + (i + round) % LENGTHS,
			    lengths[(i + round) % LENGTHS] -
				(uint32_t)((i + round) % LENGTHS));
		for (int i = 0; i < LENGTHS; i++)
			wan_store_free(&store, ids[(i * 3 + round) % LENGTHS]);
	}
	wan_store_finish(&store);
	wan_store_finish(&store);
}

static void slices_are_copies(void **state)
{
	struct random_stream stream;
	struct wan_store store;

	(void)state;
	fill(2);
	random_stream_seed(&stream, 2);
	assert_int_equal(wan_store_init(&store, 1 << 20), 0);
	put_next(&store, bytes, WAN_PACKET_MAX_BYTES);
	for (int i = 0; i < 2000; i++) {
		static unsigned char expected[WAN_PACKET_MAX_BYTES];
		uint32_t offset = (uint32_t)random_stream_below(&stream, 65000);
		uint32_t length = 1 + (uint32_t)random_stream_below(
					  &stream, WAN_PACKET_MAX_BYTES - offset - 50);
		uint32_t id = wan_store_slice(&store, bytes + 7, 50, offset, length);

		assert_true(id != WAN_NONE);
		memcpy(expected, bytes + 7, 50);
		memcpy(expected + 50, bytes + offset, length);
		assert_holds(&store, id, expected, length + 50);
		wan_store_free(&store, id);
	}
	wan_store_finish(&store);
}

/* Fills the store with packets of one length, and empties it. Returns their number. */
static uint32_t fill_up(struct wan_store *store, uint32_t length)
{
	static uint32_t ids[4096];
	uint32_t n = 0;

	put_next(store, bytes, length);
	while ((ids[n] = wan_store_keep(store)) != WAN_NONE) {
		put_next(store, bytes, length);
		n++;
	}
	assert_int_equal(wan_store_slice(store, bytes, 50, 50, length - 50), WAN_NONE);
	for (uint32_t i = 0; i < n; i++)
		assert_holds(store, ids[i], bytes, length);
	for (uint32_t i = 0; i < n; i++)
		wan_store_free(store, ids[i]);
	return n;
}

/* A full store refuses, loses nothing it holds, and recovers whole. */
static void exhaustion_is_survived(void **state)
{
	static const uint32_t sizes[] = {1000, 20000, 60000, 12000};
	enum { SIZES = sizeof(sizes) / sizeof(*sizes) };
	uint32_t counts[SIZES];
	struct wan_store store;

	(void)state;
	fill(3);
	assert_int_equal(wan_store_init(&store, 1 << 20), 0);
	for (int round = 0; round < 3 * SIZES; round++) {
		uint32_t n = fill_up(&store, sizes[round % SIZES]);

		assert_true(n > 5);
		if (round < SIZES)
			counts[round] = n;
		assert_int_equal(n, counts[round % SIZES]);
	}
	wan_store_finish(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(packets_of_all_lengths_stay_whole),
	    cmocka_unit_test(slices_are_copies),
	    cmocka_unit_test(exhaustion_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
