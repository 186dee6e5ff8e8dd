/* SPDX-License-Identifier: MIT */
/* The frame reader, the greeting bytes and the send queue, fed in every wrong way. */
#include "base/random.h"
#include "tests/tap.h"
#include "transports/common/frame.h"
#include "transports/common/hello.h"
#include "transports/common/send_queue.h"
#include "transports/common/wire_bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX  300000u
#define STREAM_BYTES 2000000u
#define FUZZ_STREAMS 3000
#define FUZZ_BYTES   4000u

struct feed {
	struct frame_reader reader;
	const unsigned char *bytes;
	size_t at, len;
};

/* Receive at most `max` bytes, as recv() into the room would. */
static void receive(struct feed *feed, size_t max)
{
	struct iovec iov[2];
	size_t room, n = feed->len - feed->at, given = 0;
	int pieces = frame_room(&feed->reader, iov, &room);

	assert_true(room > 0);
	n = n < max ? n : max;
	n = n < room ? n : room;
	for (int i = 0; i < pieces && given < n; i++) {
		size_t step = n - given < iov[i].iov_len ? n - given : iov[i].iov_len;

		if (step > 0)
			memcpy(iov[i].iov_base, feed->bytes + feed->at + given, step);
		given += step;
	}
	assert_int_equal(given, n);
	feed->at += n;
	frame_received(&feed->reader, n);
}

static unsigned char byte_of(uint32_t message, size_t at)
{
	return (unsigned char)(message * 37 + at * 11 + (at >> 9));
}

static size_t write_stream(unsigned char *out, struct random_stream *random, uint32_t *n)
{
	static const uint32_t favourites[] = {0, 1, 4, FRAME_SMALL_BYTES - 1,
	    FRAME_SMALL_BYTES, FRAME_SMALL_BYTES + 1, FRAME_BUFFER_BYTES - 4,
	    FRAME_BUFFER_BYTES - 3, FRAME_BUFFER_BYTES, MESSAGE_MAX};
	size_t used = 0;

	for (*n = 0;; ++*n) {
		uint32_t len = (uint32_t)random_stream_below(random, 40000);

		if (*n % 3 == 0)
			len = favourites[random_stream_below(random, 10)];
		if (*n % 3 == 1)
			len = (uint32_t)random_stream_below(random, 100);
		if (used + 4 + len > STREAM_BYTES)
			return used;
		wire_store_32(out + used, len);
		for (uint32_t i = 0; i < len; i++)
			out[used + 4 + i] = byte_of(*n, i);
		used += 4 + len;
	}
}

static unsigned char place_bytes[MESSAGE_MAX];

static void *place(void *user, size_t len)
{
	int *n_placed = user;

	assert_true(len <= MESSAGE_MAX);
	return ++*n_placed % 3 == 0 ? NULL : place_bytes;
}

static void every_split_gives_the_same_messages(void **state)
{
	unsigned char *stream = malloc(STREAM_BYTES);
	static const size_t steps[] = {1, 7, 1448, 65536, STREAM_BYTES, 0};
	struct random_stream random;

	(void)state;
	random_stream_seed(&random, 1);
	for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
		struct feed feed = {.bytes = stream};
		uint32_t n_messages, n = 0;
		struct e3_iov message;
		int n_placed = 0, rc;

		feed.len = write_stream(stream, &random, &n_messages);
		assert_int_equal(
		    frame_reader_init(&feed.reader, MESSAGE_MAX, place, &n_placed), 0);
		while (feed.at < feed.len) {
			receive(&feed, steps[s] != 0
					   ? steps[s]
					   : random_stream_below(&random, 70000));
			while ((rc = frame_next(&feed.reader, &message)) > 0) {
				const unsigned char *bytes = message.base;

				for (size_t i = 0; i < message.len; i++)
					if (bytes[i] != byte_of(n, i))
						fail_msg("message %u, byte %zu", n, i);
				n++;
			}
			assert_int_equal(rc, 0);
		}
		assert_int_equal(n, n_messages);
		assert_true(frame_is_between(&feed.reader));
		assert_true(n_placed > 0);
		frame_reader_finish(&feed.reader);
	}
	free(stream);
}

/* A peer announces the maximum and sends little: memory follows what has come. */
static void announced_bytes_cost_nothing(void **state)
{
	unsigned char bytes[5004] = {0};
	struct feed feed = {.bytes = bytes, .len = sizeof(bytes)};
	struct e3_iov message;

	(void)state;
	assert_int_equal(frame_reader_init(&feed.reader, 1u << 28, NULL, NULL), 0);
	wire_store_32(bytes, 1u << 28);
	receive(&feed, sizeof(bytes));
	assert_int_equal(frame_next(&feed.reader, &message), 0);
	assert_true(feed.reader.own_bytes <= 1u << 20);
	assert_false(frame_is_between(&feed.reader));
	frame_reader_finish(&feed.reader);
}

static void too_long_is_a_protocol_error(void **state)
{
	static const uint32_t lens[] = {
	    MESSAGE_MAX + 1, 0x7fffffff, 0x80000000, 0xffffffff};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		unsigned char bytes[4];
		struct feed feed = {.bytes = bytes, .len = 4};
		struct e3_iov message;

		frame_reader_init(&feed.reader, MESSAGE_MAX, NULL, NULL);
		wire_store_32(bytes, lens[i]);
		receive(&feed, 4);
		assert_int_equal(frame_next(&feed.reader, &message), -EPROTO);
		frame_reader_finish(&feed.reader);
	}
}

/* Random bytes in frames, until a byte too many shifts everything behind it. */
static void random_streams_end_or_err(void **state)
{
	unsigned char bytes[FUZZ_BYTES];
	struct random_stream random;
	int n_errors = 0, n_messages = 0;

	(void)state;
	random_stream_seed(&random, 2);
	for (int stream = 0; stream < FUZZ_STREAMS; stream++) {
		struct feed feed = {.bytes = bytes, .len = sizeof(bytes)};
		struct e3_iov message;
		int rc = 0;

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (unsigned char)random_stream_next(&random);
		for (size_t i = 0; i + 4 <= sizeof(bytes);) {
			uint32_t len = (uint32_t)random_stream_below(&random, 200);

			wire_store_32(bytes + i, len);
			i += 4 + len + (random_stream_below(&random, 30) == 0);
		}
		frame_reader_init(&feed.reader, MESSAGE_MAX, NULL, NULL);
		while (feed.at < feed.len && rc >= 0) {
			receive(&feed, 1 + random_stream_below(&random, 600));
			while ((rc = frame_next(&feed.reader, &message)) > 0)
				n_messages++;
		}
		n_errors += rc < 0;
		frame_reader_finish(&feed.reader);
	}
	assert_true(n_errors > 100);
	assert_true(n_messages > 1000);
}

static void hello_both_ways_and_damaged(void **state)
{
	struct hello hello = {1, 2, 10, 7, "0123456789abcde"}, back;
	unsigned char bytes[HELLO_BYTES];

	(void)state;
	hello_encode(bytes, &hello);
	assert_int_equal(hello_decode(&back, bytes), 0);
	assert_true(hello_equal(&hello, &back));
	for (size_t bit = 0; bit < 8 * HELLO_BYTES; bit++) {
		bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
		if (hello_decode(&back, bytes) == 0)
			assert_false(hello_equal(&hello, &back));
		bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
}

static void where_both_ways_and_damaged(void **state)
{
	struct hello_where where, back;
	unsigned char bytes[HELLO_WHERE_BYTES + 1];

	(void)state;
	assert_int_equal(hello_where_make(&where), 0);
	assert_true(memcmp(where.dial_token, where.answer_token, HELLO_TOKEN_BYTES) != 0);
	where.port = 4711;
	hello_where_encode(bytes, &where);
	assert_int_equal(
	    hello_where_decode(&back, (struct e3_iov){bytes, HELLO_WHERE_BYTES}), 0);
	assert_memory_equal(&where, &back, sizeof(where));
	for (size_t len = 0; len <= sizeof(bytes); len++)
		if (len != HELLO_WHERE_BYTES)
			assert_int_equal(
			    hello_where_decode(&back, (struct e3_iov){bytes, len}),
			    -EPROTO);
	wire_store_32(bytes + 4, 0);
	assert_int_equal(
	    hello_where_decode(&back, (struct e3_iov){bytes, HELLO_WHERE_BYTES}),
	    -EPROTO);
	wire_store_32(bytes + 4, 65536);
	assert_int_equal(
	    hello_where_decode(&back, (struct e3_iov){bytes, HELLO_WHERE_BYTES}),
	    -EPROTO);
}

static int n_done;

static void on_done(struct e3_send *send, int status)
{
	(void)send;
	assert_int_equal(status, 0);
	n_done++;
}

/* Whatever the kernel takes at a time, the same bytes leave in the same order. */
static void queue_sends_every_byte_once(void **state)
{
	static unsigned char source[3000], sent[200 * 3004];
	struct e3_send sends[200];
	struct send_queue queue;
	struct random_stream random;
	size_t due = 0, got = 0;

	(void)state;
	random_stream_seed(&random, 3);
	for (size_t i = 0; i < sizeof(source); i++)
		source[i] = (unsigned char)(i * 13);
	send_queue_init(&queue);
	n_done = 0;
	for (uint32_t i = 0; i < 200; i++) {
		struct e3_iov iov[12];
		uint32_t n = (uint32_t)random_stream_below(&random, 12);
		unsigned char header[4];
		size_t len = 0;

		for (uint32_t p = 0; p < n; p++) {
			iov[p].len = random_stream_below(&random, 3) == 0
					 ? 0
					 : random_stream_below(&random, 250);
			iov[p].base = source + len;
			len += iov[p].len;
		}
		wire_store_32(header, (uint32_t)len);
		sends[i].done = on_done;
		assert_non_null(
		    send_queue_append(&queue, &sends[i], header, 4, iov, n, 0));
		due += 4 + len;
	}
	assert_int_equal(queue.queued_bytes, due);
	while (got < due) {
		struct iovec pieces[16];
		uint32_t n = send_queue_gather(&queue, pieces, 16);
		size_t take = random_stream_below(&random, 700), taken = 0;

		for (uint32_t p = 0; p < n && taken < take; p++) {
			size_t step = take - taken < pieces[p].iov_len
					  ? take - taken
					  : pieces[p].iov_len;

			memcpy(sent + got + taken, pieces[p].iov_base, step);
			taken += step;
		}
		got += taken;
		send_queue_sent(&queue, taken);
	}
	send_queue_complete(&queue);
	assert_int_equal(n_done, 200);
	assert_int_equal(queue.queued_bytes, 0);
	for (size_t at = 0; at < due;) {
		uint32_t len = wire_load_32(sent + at);

		assert_memory_equal(sent + at + 4, source, len);
		at += 4 + len;
	}
	send_queue_finish(&queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_split_gives_the_same_messages),
	    cmocka_unit_test(announced_bytes_cost_nothing),
	    cmocka_unit_test(too_long_is_a_protocol_error),
	    cmocka_unit_test(random_streams_end_or_err),
	    cmocka_unit_test(hello_both_ways_and_damaged),
	    cmocka_unit_test(where_both_ways_and_damaged),
	    cmocka_unit_test(queue_sends_every_byte_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
