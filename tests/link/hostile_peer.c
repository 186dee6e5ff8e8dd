/* SPDX-License-Identifier: MIT */
#include "tests/link/hostile_peer.h"

#include "engine/memory_network.h"

#include <stdlib.h>
#include <string.h>

#define FRAME_MAX   65536u
#define FLOOD_MAX   64u
#define PATIENCE    4u   /* turns without a word, then a peer that has said all leaves */
#define SILENCE_ONE 200u /* in so many: a silence costs real time */

const char *const hostile_texts[HOSTILE_N_LIES] = {
#define HOSTILE_LIE_TEXT(name, text) [HOSTILE_##name] = text,
    HOSTILE_LIES(HOSTILE_LIE_TEXT)
#undef HOSTILE_LIE_TEXT
};

static void keep(void *user, struct memory_message *message)
{
	struct hostile_frames *said =
	    &((struct hostile_peers *)user)->said[message->from];
	struct hostile_frame *frame;

	if (message->to != 0)
		return;
	if (said->n == said->room) {
		said->room = said->room * 2 + 16;
		said->frames = realloc(said->frames, said->room * sizeof(*said->frames));
		if (said->frames == NULL)
			abort();
	}
	frame = &said->frames[said->n++];
	frame->len = message->len;
	frame->bytes = malloc(message->len);
	if (frame->bytes == NULL)
		abort();
	memcpy(frame->bytes, message->base, message->len);
}

struct recording {
	const struct workload *workload;
	const struct workload_task *task;
};

static int run_party(struct network *net, void *user, struct error *err)
{
	const struct recording *recording = user;
	struct workload_output *out = calloc(1, sizeof(*out));
	int rc = recording->workload->run(net, recording->task, out, err);

	if (rc == 0)
		rc = recording->workload->check(recording->task, out, err);
	free(out);
	return rc;
}

int hostile_record(struct hostile_peers *peers, const struct workload *workload,
    const struct workload_task *task, uint32_t m, struct error *err)
{
	struct memory_network_options options = {
	    .n_parties = m, .on_message = keep, .user = peers};
	struct recording recording = {workload, task};
	struct memory_network *memory;
	int rc;

	memset(peers, 0, sizeof(*peers));
	peers->m = m;
	rc = memory_network_create(&memory, &options, err);
	if (rc < 0)
		return rc;
	rc = memory_network_run(memory, run_party, &recording, NULL, err);
	memory_network_destroy(memory);
	return rc;
}

void hostile_finish(struct hostile_peers *peers)
{
	for (uint32_t p = 0; p < NETWORK_PARTIES_MAX; p++) {
		for (size_t i = 0; i < peers->said[p].n; i++)
			free(peers->said[p].frames[i].bytes);
		free(peers->said[p].frames);
	}
	memset(peers, 0, sizeof(*peers));
}

void hostile_begin(struct hostile_peers *peers, uint64_t seed)
{
	struct random_stream *random = &peers->random;

	random_stream_seed(random, seed);
	peers->liar = (e3_party)(1 + random_stream_below(random, peers->m - 1));
	peers->at = random_stream_below(random, peers->said[peers->liar].n);
	peers->lie = (enum hostile_lie)random_stream_below(random, HOSTILE_SILENCE);
	if (random_stream_below(random, SILENCE_ONE) == 0)
		peers->lie = HOSTILE_SILENCE;
	memset(peers->next, 0, sizeof(peers->next));
	peers->idle_turns = 0;
	peers->has_swapped = 0;
}

static void fill(struct random_stream *random, unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (unsigned char)random_stream_next(random);
}

/* Elements of 2^61-1: 8 bytes, little-endian, three bits clear. */
static void fill_elements(struct random_stream *random, unsigned char *bytes, size_t len)
{
	fill(random, bytes, len);
	for (size_t i = 7; i < len; i += 8)
		bytes[i] &= 0x0f;
}

/* The next honest frame, or what has become of it. Returns its length. */
static size_t distort(struct hostile_peers *peers, unsigned char *bytes)
{
	const struct hostile_frames *said = &peers->said[peers->liar];
	size_t *next = &peers->next[peers->liar];
	const struct hostile_frame *frame = &said->frames[*next];
	struct random_stream *random = &peers->random;
	size_t len = frame->len;
	int is_first = *next == peers->at;

	if (peers->lie == HOSTILE_REORDER && (is_first || peers->has_swapped)) {
		if (is_first && *next + 1 < said->n)
			frame++;
		else if (peers->has_swapped && !is_first)
			frame--;
		peers->has_swapped = is_first;
		len = frame->len;
	}
	memcpy(bytes, frame->bytes, len);
	++*next;
	if (peers->lie == HOSTILE_RANDOM)
		fill(random, bytes, len);
	else if (peers->lie == HOSTILE_ELEMENTS)
		fill_elements(random, bytes, len);
	if (!is_first)
		return len;
	if (peers->lie == HOSTILE_OUTSIDE)
		memset(bytes, 0xff, len);
	else if (peers->lie == HOSTILE_FLIP)
		bytes[random_stream_below(random, len)] ^=
		    (unsigned char)(1u << random_stream_below(random, 8));
	else if (peers->lie == HOSTILE_SHORT)
		len = 1 + random_stream_below(random, len - 1);
	else if (peers->lie == HOSTILE_LONG)
		len += 1 + random_stream_below(random, FRAME_MAX - len);
	else if (peers->lie == HOSTILE_EMPTY)
		len = 0;
	else if (peers->lie == HOSTILE_OVERSIZE)
		len = FRAME_MAX + 1;
	else if (peers->lie == HOSTILE_REPEAT)
		peers->at = --*next;
	if (peers->lie == HOSTILE_REPEAT)
		peers->lie = HOSTILE_NOTHING;
	return len;
}

static int flood(struct hostile_peers *peers, struct e3_channel *channel)
{
	unsigned char bytes[FLOOD_MAX];
	uint64_t n = 1 + random_stream_below(&peers->random, 500);

	for (int is_taken = 1; n > 0 && is_taken; n--) {
		size_t len = 1 + random_stream_below(&peers->random, sizeof(bytes));

		fill(&peers->random, bytes, len);
		is_taken = scripted_deliver(channel, bytes, len);
	}
	return channel->is_open && !channel->is_closing;
}

/* The liar's next word; whether it said one. */
static int lie(struct hostile_peers *peers, struct e3_channel *channel)
{
	static unsigned char bytes[FRAME_MAX + 1];
	size_t next = peers->next[peers->liar];

	if (!channel->is_open || channel->is_paused || channel->is_lost ||
	    channel->is_closing)
		return 0;
	switch (peers->lie) {
	case HOSTILE_SILENCE:
		return 0;
	case HOSTILE_LEAVE:
		scripted_lose(channel, -ESHUTDOWN);
		return 0;
	case HOSTILE_BREAK:
		scripted_lose(channel, -ECONNRESET);
		return 0;
	case HOSTILE_FLOOD:
		return flood(peers, channel);
	case HOSTILE_SKIP:
		if (next == peers->at) {
			peers->next[peers->liar]++;
			return 1;
		}
		break;
	default:
		break;
	}
	return scripted_deliver(channel, bytes, distort(peers, bytes));
}

/* A few words of one peer; whether it said any. */
static int speak(struct hostile_peers *peers, struct e3_channel *channel)
{
	const struct hostile_frames *said = &peers->said[channel->peer];
	uint64_t pace = 1 + random_stream_below(&peers->random, 8);
	size_t *next = &peers->next[channel->peer];
	int has_spoken = 0, is_taken = 1;

	for (; pace > 0 && is_taken && *next < said->n; pace--) {
		if (channel->peer == peers->liar && *next >= peers->at) {
			is_taken = lie(peers, channel);
		} else {
			is_taken = scripted_deliver(
			    channel, said->frames[*next].bytes, said->frames[*next].len);
			*next += (size_t)is_taken;
		}
		has_spoken |= is_taken;
	}
	return has_spoken;
}

int hostile_turn(void *user, struct e3_endpoint *endpoint)
{
	struct hostile_peers *peers = user;
	int has_spoken = 0;

	for (uint32_t p = 1; p < peers->m; p++)
		if (endpoint->channels[p].is_used)
			has_spoken |= speak(peers, &endpoint->channels[p]);
	if (has_spoken) {
		peers->idle_turns = 0;
		return 1;
	}
	if (peers->lie == HOSTILE_SILENCE)
		return 0;
	if (++peers->idle_turns > PATIENCE)
		scripted_lose(&endpoint->channels[peers->liar], -ESHUTDOWN);
	return peers->idle_turns <= PATIENCE;
}
