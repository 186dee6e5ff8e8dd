/* SPDX-License-Identifier: MIT */
#include "harness/control/path_model.h"
#include "base/units.h"

#define FRAME_BYTES        4u  /* length of a message, transports/common/frame */
#define HEADER_BYTES       52u /* of a segment: IP, TCP, timestamps */
#define BUFFER_SEGMENT     UINT64_C(2304) /* a segment in the socket's buffer */
#define BUFFER_WINDOWS     2u
#define BUFFER_WINDOWS_BBR 3u
#define BUFFER_BYTES_MAX   UINT64_C(67108864) /* tcp_wmem of emulated hosts */
#define NOT_YET            UINT64_MAX
#define UNPACED_SEGMENTS   10u

static uint64_t more_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t less_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* What the socket's buffer may hold when its writer is woken. */
static uint64_t buffer_bytes(const struct path *path)
{
	uint64_t windows =
	    path->congestion.kind == CONGESTION_BBR ? BUFFER_WINDOWS_BBR : BUFFER_WINDOWS;
	uint64_t bytes = windows * path->congestion.window_segments * BUFFER_SEGMENT;

	return less_of(bytes, BUFFER_BYTES_MAX) * 5 / 6;
}

void path_init(struct path *path, uint64_t one_way_ns, uint64_t back_ns,
    uint64_t rate_bps, enum congestion_kind kind)
{
	*path = (struct path){
	    .one_way_ns = one_way_ns, .back_ns = back_ns, .rate_bps = rate_bps};
	congestion_init(&path->congestion, kind, one_way_ns + back_ns);
}

static struct path_chunk *chunk_at(struct path *path, uint32_t index)
{
	return &path->chunks[(path->first + index) % PATH_CHUNKS_MAX];
}

static void take_ack(struct path *path)
{
	struct path_chunk *chunk = chunk_at(path, 0);
	uint64_t sending_ns = chunk->sent_ns - chunk->flight_began_ns;
	uint64_t acking_ns = chunk->acked_ns - chunk->delivered_at_ns;
	struct congestion_ack ack = {.now_ns = chunk->acked_ns,
	    .segments = chunk->segments,
	    .under_way = path->under_way - chunk->segments,
	    .delivered_before = chunk->delivered_before,
	    .interval_ns = more_of(sending_ns, acking_ns),
	    .lacked_data = chunk->lacked_data,
	    .after_silence = chunk->after_silence};

	path->first = (path->first + 1) % PATH_CHUNKS_MAX;
	path->n_chunks--;
	path->under_way -= chunk->segments;
	path->acked = chunk->end;
	path->delivered_at_ns = chunk->acked_ns;
	path->flight_began_ns = chunk->sent_ns;
	congestion_acked(&path->congestion, &ack);
	if (path->congestion.delivered > path->lacked_until)
		path->lacked_until = 0;
	chunk->buffer_bytes = buffer_bytes(path);
}

static void take_acks(struct path *path, uint64_t until_ns)
{
	while (path->n_chunks > 0 && chunk_at(path, 0)->acked_ns <= until_ns)
		take_ack(path);
}

/* Returns when it arrives. */
static uint64_t send_chunk(struct path *path, uint64_t bytes, uint64_t end)
{
	uint64_t segments =
	    (bytes + CONGESTION_SEGMENT_BYTES - 1) / CONGESTION_SEGMENT_BYTES;
	uint64_t wire_bits = (bytes + HEADER_BYTES * segments) * BITS_PER_BYTE;
	int after_silence = path->n_chunks == 0;
	uint64_t arrived_ns;

	if (after_silence)
		path->flight_began_ns = path->delivered_at_ns = path->now_ns;
	path->link_free_ns = more_of(path->link_free_ns, path->now_ns);
	if (path->rate_bps > 0)
		path->link_free_ns += wire_bits * NS_PER_S / path->rate_bps;
	arrived_ns = path->link_free_ns + path->one_way_ns;
	*chunk_at(path, path->n_chunks++) = (struct path_chunk){.segments = segments,
	    .end = end,
	    .sent_ns = path->now_ns,
	    .acked_ns = arrived_ns + path->back_ns,
	    .delivered_before = path->congestion.delivered,
	    .delivered_at_ns = path->delivered_at_ns,
	    .flight_began_ns = path->flight_began_ns,
	    .lacked_data = path->lacked_until != 0,
	    .after_silence = after_silence};
	path->under_way += segments;
	path->segments += segments;
	return arrived_ns;
}

/* The next chunk waits for its time at the rate; lateness is forgiven, half of it. */
static void pace(struct path *path, uint64_t bytes)
{
	uint64_t rate = path->congestion.rate_bytes_per_s, time_ns, late_ns;

	if (rate == 0 || path->segments < UNPACED_SEGMENTS)
		return;
	time_ns = bytes * NS_PER_S / rate;
	late_ns = path->now_ns - less_of(path->now_ns, path->may_send_ns);
	path->may_send_ns = path->now_ns + time_ns - less_of(time_ns / 2, late_ns);
}

/* How much of `left` may be sent now; 0 = wait for an acknowledgement. */
static uint64_t allowed(const struct path *path, uint64_t left)
{
	uint64_t wanted = less_of(left, congestion_chunk_bytes(&path->congestion));
	uint64_t room = path->congestion.window_segments -
			less_of(path->congestion.window_segments, path->under_way);

	if (path->n_chunks == PATH_CHUNKS_MAX)
		return 0;
	return less_of(wanted, room * CONGESTION_SEGMENT_BYTES);
}

/* When all but a buffer of what comes before `end` was acknowledged, at `sent_ns` or
 * later, as far as acknowledgements have come. */
static uint64_t left_at(const struct path *path, uint64_t sent_ns, uint64_t end)
{
	uint64_t left_ns;

	if (end - path->acked > buffer_bytes(path))
		return NOT_YET;
	left_ns = more_of(sent_ns, path->delivered_at_ns);
	/* The path's own time is ahead of the sender's: look back. */
	for (uint32_t i = 1; i <= PATH_CHUNKS_MAX - path->n_chunks; i++) {
		const struct path_chunk *chunk =
		    &path->chunks[(path->first + PATH_CHUNKS_MAX - i) % PATH_CHUNKS_MAX];

		if (chunk->end == 0 || end - chunk->end > chunk->buffer_bytes)
			break;
		left_ns = more_of(sent_ns, chunk->acked_ns);
		if (chunk->acked_ns <= sent_ns)
			break;
	}
	return left_ns;
}

/* To when the next chunk may leave. */
static void wait_for_room(struct path *path, uint64_t left)
{
	if (allowed(path, left) == 0)
		congestion_sent(&path->congestion, path->now_ns, path->under_way);
	for (;;) {
		uint64_t next_ack_ns =
		    path->n_chunks > 0 ? chunk_at(path, 0)->acked_ns : UINT64_MAX;

		if (path->may_send_ns > path->now_ns && path->may_send_ns < next_ack_ns)
			path->now_ns = path->may_send_ns;
		else if (path->may_send_ns > path->now_ns || allowed(path, left) == 0)
			path->now_ns = next_ack_ns;
		else
			return;
		take_acks(path, path->now_ns);
	}
}

static void resume(struct path *path, uint64_t sent_ns)
{
	take_acks(path, sent_ns);
	if (path->n_chunks == 0 && path->segments > 0)
		congestion_resumed(&path->congestion, path->now_ns, sent_ns);
	if (path->under_way < path->congestion.window_segments)
		path->lacked_until = path->congestion.delivered + path->under_way;
	path->now_ns = sent_ns;
}

struct path_times path_send(struct path *path, uint64_t sent_ns, uint64_t bytes)
{
	uint64_t left = bytes + FRAME_BYTES;
	struct path_times times = {.left_ns = NOT_YET};

	path->written += left;
	if (sent_ns > path->now_ns || path->segments == 0)
		resume(path, sent_ns);
	while (left > 0) {
		uint64_t chunk;

		wait_for_room(path, left);
		if (times.left_ns == NOT_YET)
			times.left_ns = left_at(path, sent_ns, path->written);
		chunk = allowed(path, left);
		left -= chunk;
		times.arrived_ns = send_chunk(path, chunk, path->written - left);
		pace(path, chunk);
	}
	congestion_sent(&path->congestion, path->now_ns, path->under_way);
	if (times.left_ns == NOT_YET)
		times.left_ns = path->now_ns;
	return times;
}
