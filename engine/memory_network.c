/* SPDX-License-Identifier: MIT */
#include "engine/memory_network.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define NEVER            UINT64_MAX
#define REAL_DEADLINE_NS 60000000000u
#define NS_PER_S         1000000000u

struct message {
	struct message *next;
	uint64_t arrival_ns; /* NEVER = lost: the receiver knows that it will not come */
	uint64_t take_ns;    /* the receiver's computing for it */
	size_t len, capacity;
	unsigned char *base;
};

/* Messages of one ordered pair, oldest first. */
struct pipe {
	struct message *first, **last;
	struct message *held;
	uint64_t number;
};

struct party {
	struct network net; /* first */
	struct memory_network *memory;
	struct memory_counters counters;
	pthread_cond_t woken;
	uint64_t buffers_free_ns; /* when all it has sent is out of its buffers */
	uint64_t work_began_ns;   /* CPU time of its thread */
	int is_working, has_left;
};

struct memory_network {
	struct memory_network_options options;
	uint64_t delay_ns[NETWORK_PARTIES_MAX][NETWORK_PARTIES_MAX];
	pthread_mutex_t lock; /* of pipes, spares and has_left */
	pthread_mutex_t hook; /* of on_message */
	struct pipe pipes[NETWORK_PARTIES_MAX][NETWORK_PARTIES_MAX]; /* [from][to] */
	struct party parties[NETWORK_PARTIES_MAX];
	struct message *spares; /* used messages, whose memory is warm */
};

static void message_free(struct message *message)
{
	if (message == NULL)
		return;
	free(message->base);
	free(message);
}

static void pipe_push(struct pipe *pipe, struct message *message)
{
	message->next = NULL;
	*pipe->last = message;
	pipe->last = &message->next;
}

static struct message *pipe_pop(struct pipe *pipe)
{
	struct message *message = pipe->first;

	pipe->first = message->next;
	if (pipe->first == NULL)
		pipe->last = &pipe->first;
	return message;
}

/* A spare one with room for `len` bytes, NULL if there is none. */
static struct message *take_spare(struct memory_network *memory, size_t len)
{
	struct message **at, *found = NULL;

	pthread_mutex_lock(&memory->lock);
	for (at = &memory->spares; *at != NULL && found == NULL; at = &(*at)->next)
		if ((*at)->capacity >= len) {
			found = *at;
			*at = found->next;
			break;
		}
	pthread_mutex_unlock(&memory->lock);
	return found;
}

static struct message *message_new(size_t len)
{
	struct message *message = calloc(1, sizeof(*message));

	if (message == NULL)
		return NULL;
	message->capacity = len > 0 ? len : 1;
	message->base = malloc(message->capacity);
	if (message->base != NULL)
		return message;
	free(message);
	return NULL;
}

static struct message *message_make(
    struct memory_network *memory, const void *base, size_t len, uint64_t arrival_ns)
{
	struct message *message = take_spare(memory, len);

	if (message == NULL)
		message = message_new(len);
	if (message == NULL)
		return NULL;
	memcpy(message->base, base, len);
	message->len = len;
	message->arrival_ns = arrival_ns;
	message->take_ns = 0;
	return message;
}

/* Under the lock. */
static void message_done(struct memory_network *memory, struct message *message)
{
	message->next = memory->spares;
	memory->spares = message;
}

/* Deliver one message to `to`, and what was held back for it. Takes `message`. */
static void deliver(struct memory_network *memory, struct pipe *pipe, uint32_t to,
    struct message *message, int is_held)
{
	pthread_mutex_lock(&memory->lock);
	if (is_held && pipe->held == NULL) {
		pipe->held = message;
	} else {
		pipe_push(pipe, message);
		if (pipe->held != NULL)
			pipe_push(pipe, pipe->held);
		pipe->held = NULL;
	}
	pthread_cond_signal(&memory->parties[to].woken);
	pthread_mutex_unlock(&memory->lock);
}

/* Let the test's hook have its way with a message. */
static int deliver_hooked(
    struct memory_network *memory, uint32_t from, uint32_t to, struct message *message)
{
	struct pipe *pipe = &memory->pipes[from][to];
	struct memory_message view = {.from = from,
	    .to = to,
	    .number = pipe->number++,
	    .base = message->base,
	    .len = message->len,
	    .copies = 1,
	    .sent_ns = memory->parties[from].counters.now_ns,
	    .delay_ns = memory->delay_ns[from][to],
	    .left_ns = memory->parties[from].counters.now_ns};

	if (memory->options.on_message != NULL) {
		pthread_mutex_lock(&memory->hook);
		memory->options.on_message(memory->options.user, &view);
		pthread_mutex_unlock(&memory->hook);
		/* realloc() may shrink in place: an equal address proves nothing. */
		message->capacity = view.len;
	}
	message->base = view.base;
	message->len = view.len;
	message->take_ns = view.take_ns;
	memory->parties[from].counters.now_ns += view.give_ns;
	message->arrival_ns = view.copies == 0 ? NEVER : view.sent_ns + view.delay_ns;
	if (view.left_ns > memory->parties[from].buffers_free_ns)
		memory->parties[from].buffers_free_ns = view.left_ns;
	for (uint32_t i = 1; i < view.copies; i++) {
		struct message *copy =
		    message_make(memory, view.base, view.len, message->arrival_ns);

		if (copy == NULL) {
			message_free(message);
			return -ENOMEM;
		}
		copy->take_ns = view.take_ns;
		deliver(memory, pipe, to, copy, 0);
	}
	deliver(memory, pipe, to, message, view.is_held);
	return 0;
}

static int send_all(struct party *party, const struct network_round *round)
{
	struct memory_network *memory = party->memory;
	uint32_t self = party->net.self;

	for (uint32_t p = 0; p < party->net.n_parties; p++) {
		const struct network_out *out = &round->out[p];
		struct message *message;

		if (p == self || out->len == 0)
			continue;
		party->counters.messages++;
		party->counters.messages_to[p]++;
		party->counters.bytes += out->len;
		party->counters.bytes_to[p] += out->len;
		message = message_make(memory, out->base, out->len,
		    party->counters.now_ns + memory->delay_ns[self][p]);
		if (message == NULL || deliver_hooked(memory, self, p, message) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Under the lock: until every peer that owes a message has sent it or left. Returns the
 * peer that let the real deadline pass, or -1. */
static int wait_for_due(struct party *party, uint32_t due)
{
	struct memory_network *memory = party->memory;
	uint64_t end_ns = clock_monotonic_ns() + memory->options.real_deadline_ns;
	struct timespec end = {
	    .tv_sec = (time_t)(end_ns / NS_PER_S), .tv_nsec = (long)(end_ns % NS_PER_S)};

	for (uint32_t p = 0; p < party->net.n_parties; p++) {
		const struct pipe *pipe = &memory->pipes[p][party->net.self];

		if ((due >> p & 1) == 0)
			continue;
		while (pipe->first == NULL && !memory->parties[p].has_left)
			if (pthread_cond_timedwait(&party->woken, &memory->lock, &end) ==
			    ETIMEDOUT)
				return (int)p;
	}
	return -1;
}

/* The peer of `among` whose message comes first, n_parties if none does. */
static uint32_t earliest(const struct party *party, uint32_t among)
{
	uint32_t best = party->net.n_parties;
	uint64_t best_ns = NEVER;

	for (uint32_t p = 0; p < party->net.n_parties; p++) {
		const struct message *first =
		    party->memory->pipes[p][party->net.self].first;

		if ((among >> p & 1) == 0 || first == NULL ||
		    first->arrival_ns >= best_ns)
			continue;
		best = p;
		best_ns = first->arrival_ns;
	}
	return best;
}

static int missing(const struct party *party, uint32_t among, struct error *err)
{
	uint32_t p = 0;

	while ((among >> p & 1) == 0)
		p++;
	if (party->memory->pipes[p][party->net.self].first == NULL)
		return error_set(err, -ECONNRESET, "party %u left", p);
	return error_set(err, -ETIMEDOUT, "party %u sent nothing in time", p);
}

static void wait_until(struct party *party, uint64_t until_ns)
{
	if (until_ns > party->counters.now_ns)
		party->counters.now_ns = until_ns;
}

/* Around each stay in the network, in the party's thread. */
static void work_ended(struct party *party)
{
	if (party->is_working)
		party->counters.now_ns +=
		    (uint64_t)(party->memory->options.work_stretch *
			       (double)(clock_thread_cpu_ns() - party->work_began_ns));
	party->is_working = 0;
}

static void work_began(struct party *party)
{
	if (!party->memory->options.counts_work)
		return;
	party->work_began_ns = clock_thread_cpu_ns();
	party->is_working = 1;
}

/* Take the messages due, the first `needed` of them by arrival. Under the lock. */
static int choose(
    struct party *party, struct network_round *round, uint32_t due, struct error *err)
{
	struct memory_network *memory = party->memory;
	uint64_t start_ns = party->counters.now_ns;
	uint32_t left = due;
	uint32_t n_due = (uint32_t)__builtin_popcount(due);
	uint32_t needed =
	    round->needed == 0 || round->needed > n_due ? n_due : round->needed;

	for (uint32_t taken = 0; taken < needed; taken++) {
		uint32_t p = earliest(party, left);
		const struct message *first;

		if (p == party->net.n_parties)
			return missing(party, left, err);
		first = memory->pipes[p][party->net.self].first;
		if (memory->options.deadline_ns > 0 &&
		    first->arrival_ns > start_ns + memory->options.deadline_ns)
			return error_set(
			    err, -ETIMEDOUT, "party %u sent nothing in time", p);
		wait_until(party, first->arrival_ns);
		party->counters.now_ns += first->take_ns;
		round->arrived |= 1u << p;
		left &= ~(1u << p);
	}
	return 0;
}

/* Move chosen messages into the caller's buffers, drop the others. Under the lock. */
static int collect(
    struct party *party, struct network_round *round, uint32_t due, struct error *err)
{
	int rc = 0;

	for (uint32_t p = 0; p < party->net.n_parties; p++) {
		struct pipe *pipe = &party->memory->pipes[p][party->net.self];
		struct message *message;

		if ((due >> p & 1) == 0 || pipe->first == NULL)
			continue;
		message = pipe_pop(pipe);
		if (message->arrival_ns != NEVER && message->len != round->in[p].len)
			rc = error_set(err, -EPROTO,
			    "party %u sent %zu bytes where %zu are due", p, message->len,
			    round->in[p].len);
		else if (round->arrived >> p & 1)
			memcpy(round->in[p].base, message->base, message->len);
		message_done(party->memory, message);
	}
	return rc;
}

static int receive_due(
    struct party *party, struct network_round *round, uint32_t due, struct error *err)
{
	int late, rc;

	pthread_mutex_lock(&party->memory->lock);
	late = wait_for_due(party, due);
	rc = late >= 0 ? error_set(err, -ETIMEDOUT, "party %d sent nothing in time", late)
		       : choose(party, round, due, err);
	if (rc == 0)
		rc = collect(party, round, due, err);
	pthread_mutex_unlock(&party->memory->lock);
	return rc;
}

static int exchange(struct network *net, struct network_round *round, struct error *err)
{
	struct party *party = (struct party *)net;
	uint64_t free_ns = party->buffers_free_ns; /* those of the round before */
	uint32_t due = 0;
	int sends = 0, rc = 0;

	work_ended(party);
	round->arrived = 0;
	for (uint32_t p = 0; p < net->n_parties; p++) {
		if (p != net->self && round->in[p].len > 0)
			due |= 1u << p;
		sends |= p != net->self && round->out[p].len > 0;
	}
	party->counters.rounds += due != 0 || sends;
	if (send_all(party, round) < 0)
		return error_set(err, -ENOMEM, "no memory for a message");
	if (due != 0)
		rc = receive_due(party, round, due, err);
	wait_until(party, free_ns);
	work_began(party);
	return rc;
}

/* Messages are copied when they are sent: only the virtual clock waits. */
static int flush(struct network *net, struct error *err)
{
	struct party *party = (struct party *)net;

	(void)err;
	work_ended(party);
	wait_until(party, party->buffers_free_ns);
	work_began(party);
	return 0;
}

static void mark(struct network *net, const char *name)
{
	const struct memory_network_options *options =
	    &((struct party *)net)->memory->options;

	if (options->on_phase != NULL)
		options->on_phase(options->user, net->self, name);
}

static const struct network_ops memory_ops = {
    .exchange = exchange, .flush = flush, .mark = mark};

static int party_init(struct memory_network *memory, uint32_t self)
{
	struct party *party = &memory->parties[self];
	pthread_condattr_t attr;
	int rc;

	party->net.ops = &memory_ops;
	party->net.self = self;
	party->net.n_parties = memory->options.n_parties;
	party->memory = memory;
	for (uint32_t to = 0; to < memory->options.n_parties; to++)
		memory->pipes[self][to].last = &memory->pipes[self][to].first;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	rc = pthread_cond_init(&party->woken, &attr);
	pthread_condattr_destroy(&attr);
	return -rc;
}

int memory_network_create(struct memory_network **ret,
    const struct memory_network_options *options, struct error *err)
{
	struct memory_network *memory;

	if (options->n_parties == 0 || options->n_parties > NETWORK_PARTIES_MAX)
		return error_set(err, -EINVAL, "a network has 1 to %u parties, not %u",
		    NETWORK_PARTIES_MAX, options->n_parties);
	memory = calloc(1, sizeof(*memory));
	if (memory == NULL)
		return error_set(err, -ENOMEM, "no memory for a network");
	memory->options = *options;
	if (options->work_stretch == 0)
		memory->options.work_stretch = 1;
	if (options->real_deadline_ns == 0)
		memory->options.real_deadline_ns = REAL_DEADLINE_NS;
	if (options->delay_ns != NULL)
		memcpy(memory->delay_ns, options->delay_ns, sizeof(memory->delay_ns));
	pthread_mutex_init(&memory->lock, NULL);
	pthread_mutex_init(&memory->hook, NULL);
	for (uint32_t p = 0; p < options->n_parties; p++)
		if (party_init(memory, p) < 0) {
			memory->options.n_parties = p;
			memory_network_destroy(memory);
			return error_set(err, -ENOMEM, "no memory for a network");
		}
	*ret = memory;
	return 0;
}

void memory_network_destroy(struct memory_network *memory)
{
	if (memory == NULL)
		return;
	for (uint32_t from = 0; from < memory->options.n_parties; from++) {
		for (uint32_t to = 0; to < NETWORK_PARTIES_MAX; to++) {
			struct pipe *pipe = &memory->pipes[from][to];

			while (pipe->first != NULL)
				message_free(pipe_pop(pipe));
			message_free(pipe->held);
		}
		pthread_cond_destroy(&memory->parties[from].woken);
	}
	while (memory->spares != NULL) {
		struct message *spare = memory->spares;

		memory->spares = spare->next;
		message_free(spare);
	}
	pthread_mutex_destroy(&memory->lock);
	pthread_mutex_destroy(&memory->hook);
	free(memory);
}

struct network *memory_network_party(struct memory_network *memory, uint32_t party)
{
	return &memory->parties[party].net;
}

void memory_network_enter(struct memory_network *memory, uint32_t party)
{
	work_began(&memory->parties[party]);
}

void memory_network_leave(struct memory_network *memory, uint32_t party)
{
	work_ended(&memory->parties[party]);
	pthread_mutex_lock(&memory->lock);
	memory->parties[party].has_left = 1;
	for (uint32_t p = 0; p < memory->options.n_parties; p++)
		pthread_cond_signal(&memory->parties[p].woken);
	pthread_mutex_unlock(&memory->lock);
}

const struct memory_counters *memory_network_counters(
    const struct memory_network *memory, uint32_t party)
{
	return &memory->parties[party].counters;
}
