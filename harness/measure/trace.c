/* SPDX-License-Identifier: MIT */
/*
 * Numbers in LEB128. First the time the run began; then, a round:
 *
 *	started - end of the round before, ended - started, needed,
 *	mask of peers sent to, mask of peers due, mask of peers arrived,
 *	bytes to each peer sent to, bytes from each peer due,
 *	zigzag(arrived - started) of each peer arrived
 */
#include "harness/measure/trace.h"

#include "harness/measure/packed_text.h"

#include <stdlib.h>
#include <string.h>

#define COOKIE            0x1374d101u /* "E3TRA" in base64 */
#define NUMBER_BYTES_MAX  10u
#define ROUND_BYTES_MAX   (NUMBER_BYTES_MAX * (6 + 3 * NETWORK_PARTIES_MAX))
#define TRACE_BYTES_MAX   (8u << 20)
#define MESSAGE_BYTES_MAX (UINT64_C(1) << 40)
#define TIME_MAX_NS       (UINT64_C(1) << 62)

void trace_init(struct trace *trace)
{
	*trace = (struct trace){.is_whole = 1};
}

void trace_finish(struct trace *trace)
{
	free(trace->bytes);
	*trace = (struct trace){0};
}

static int reserve(struct trace *trace, size_t more)
{
	size_t room = trace->room;
	unsigned char *bytes;

	if (trace->len + more <= trace->room)
		return 0;
	while (room < trace->len + more)
		room = room == 0 ? 4096 : 2 * room;
	bytes = realloc(trace->bytes, room);
	if (bytes == NULL)
		return -ENOMEM;
	trace->bytes = bytes;
	trace->room = room;
	return 0;
}

static unsigned char *put(unsigned char *at, uint64_t number)
{
	while (number > 0x7f) {
		*at++ = (unsigned char)(number | 0x80);
		number >>= 7;
	}
	*at++ = (unsigned char)number;
	return at;
}

static unsigned char *put_signed(unsigned char *at, int64_t number)
{
	return put(at, (uint64_t)number << 1 ^ (uint64_t)(number >> 63));
}

static uint32_t mask_of(const uint64_t *values, uint32_t n)
{
	uint32_t mask = 0;

	for (uint32_t p = 0; p < n; p++)
		mask |= (uint32_t)(values[p] != 0) << p;
	return mask;
}

int trace_begin(struct trace *trace, uint64_t now_ns)
{
	if (reserve(trace, NUMBER_BYTES_MAX) < 0) {
		trace->is_whole = 0;
		return -ENOMEM;
	}
	trace->len = (size_t)(put(trace->bytes, now_ns) - trace->bytes);
	trace->ended_ns = now_ns;
	return 0;
}

/* What trace_add() appends; returns its end. */
static unsigned char *put_round(unsigned char *at, const struct trace *trace,
    const struct recorder_round *round, uint32_t n_parties)
{
	uint32_t arrived = 0;

	at = put(at, round->started_ns - trace->ended_ns);
	at = put(at, round->ended_ns - round->started_ns);
	at = put(at, round->needed);
	at = put(at, mask_of(round->bytes_out, n_parties));
	at = put(at, mask_of(round->bytes_in, n_parties));
	for (uint32_t p = 0; p < n_parties; p++)
		if (round->bytes_in[p] != 0 && round->arrived_ns[p] != 0 &&
		    round->arrived_ns[p] <= round->ended_ns)
			arrived |= 1u << p;
	at = put(at, arrived);
	for (uint32_t p = 0; p < n_parties; p++)
		if (round->bytes_out[p] != 0)
			at = put(at, round->bytes_out[p]);
	for (uint32_t p = 0; p < n_parties; p++)
		if (round->bytes_in[p] != 0)
			at = put(at, round->bytes_in[p]);
	for (uint32_t p = 0; p < n_parties; p++)
		if ((arrived >> p & 1) != 0)
			at = put_signed(
			    at, (int64_t)(round->arrived_ns[p] - round->started_ns));
	return at;
}

int trace_add(struct trace *trace, const struct recorder_round *round, uint32_t n_parties)
{
	if (trace->n_rounds == TRACE_ROUNDS_MAX ||
	    trace->len + ROUND_BYTES_MAX > TRACE_BYTES_MAX ||
	    round->started_ns < trace->ended_ns || round->ended_ns < round->started_ns)
		trace->is_whole = 0;
	if (!trace->is_whole)
		return 0;
	if (reserve(trace, ROUND_BYTES_MAX) < 0) {
		trace->is_whole = 0;
		return -ENOMEM;
	}
	trace->len =
	    (size_t)(put_round(trace->bytes + trace->len, trace, round, n_parties) -
		     trace->bytes);
	trace->ended_ns = round->ended_ns;
	trace->n_rounds++;
	return 0;
}

char *trace_encode(const struct trace *trace)
{
	return packed_text_make(COOKIE, trace->bytes, trace->len);
}

struct reader {
	const unsigned char *at, *end;
	int is_bad;
};

/* At most `max`; a longer number or the end of the text marks the reader bad. */
static uint64_t get(struct reader *reader, uint64_t max)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 63 && reader->at < reader->end; shift += 7) {
		unsigned char byte = *reader->at++;

		number |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) != 0)
			continue;
		if (number > max)
			break;
		return number;
	}
	reader->is_bad = 1;
	return 0;
}

static void get_each(struct reader *reader, uint32_t mask, uint64_t *values, uint64_t max)
{
	for (uint32_t p = 0; p < NETWORK_PARTIES_MAX; p++) {
		if ((mask >> p & 1) == 0)
			continue;
		values[p] = get(reader, max);
		if (values[p] == 0)
			reader->is_bad = 1;
	}
}

static void get_arrivals(
    struct reader *reader, uint32_t mask, struct recorder_round *round)
{
	for (uint32_t p = 0; p < NETWORK_PARTIES_MAX; p++) {
		uint64_t zigzag, at;

		if ((mask >> p & 1) == 0)
			continue;
		zigzag = get(reader, TIME_MAX_NS);
		at = round->started_ns + (zigzag >> 1 ^ -(zigzag & 1));
		if (at == 0 || at > round->ended_ns)
			reader->is_bad = 1;
		round->arrived_ns[p] = at;
	}
}

static void get_round(struct reader *reader, uint64_t before_ns, uint32_t peers,
    struct recorder_round *round)
{
	uint32_t out, in, arrived;

	*round = (struct recorder_round){0};
	round->started_ns = before_ns + get(reader, TIME_MAX_NS - before_ns);
	round->ended_ns =
	    round->started_ns + get(reader, TIME_MAX_NS - round->started_ns);
	round->needed = (uint32_t)get(reader, NETWORK_PARTIES_MAX);
	out = (uint32_t)get(reader, UINT32_MAX);
	in = (uint32_t)get(reader, UINT32_MAX);
	arrived = (uint32_t)get(reader, UINT32_MAX);
	if ((out & ~peers) != 0 || (in & ~peers) != 0 || (arrived & ~in) != 0)
		reader->is_bad = 1;
	if (reader->is_bad)
		return;
	get_each(reader, out, round->bytes_out, MESSAGE_BYTES_MAX);
	get_each(reader, in, round->bytes_in, MESSAGE_BYTES_MAX);
	get_arrivals(reader, arrived, round);
}

static int get_rounds(struct reader *reader, uint32_t peers, struct trace_rounds *trace)
{
	uint64_t before_ns = trace->began_ns = get(reader, TIME_MAX_NS);

	while (!reader->is_bad && reader->at < reader->end) {
		if (trace->n_rounds == TRACE_ROUNDS_MAX)
			return -EINVAL;
		get_round(reader, before_ns, peers, &trace->rounds[trace->n_rounds]);
		before_ns = trace->rounds[trace->n_rounds++].ended_ns;
	}
	return reader->is_bad ? -EINVAL : 0;
}

int trace_decode(const char *text, uint32_t self, uint32_t n_parties,
    struct trace_rounds *out, struct error *err)
{
	uint32_t peers = ((1u << n_parties) - 1) & ~(1u << self);
	struct trace_rounds trace = {0};
	struct reader reader = {0};
	unsigned char *bytes;
	size_t len;
	int rc = packed_text_open(COOKIE, text, TRACE_BYTES_MAX, &bytes, &len, err);

	if (rc < 0) {
		error_wrap(err, "trace");
		return rc;
	}
	/* Not touched before it is filled: only what is used takes memory. */
	trace.rounds = malloc(TRACE_ROUNDS_MAX * sizeof(*trace.rounds));
	reader.at = bytes;
	reader.end = bytes + len;
	if (trace.rounds == NULL)
		rc = error_set(err, -ENOMEM, "trace: out of memory");
	else if (get_rounds(&reader, peers, &trace) < 0)
		rc = error_set(
		    err, -EINVAL, "trace: holds what no party can have recorded");
	free(bytes);
	if (rc < 0) {
		free(trace.rounds);
		return rc;
	}
	*out = trace;
	return 0;
}
