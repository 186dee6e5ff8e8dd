/* SPDX-License-Identifier: MIT */
/*
 * A network inside one process: m parties, a thread each, messages copied through queues,
 * and a virtual clock. Used by tests and by the null run (the engine's own cost).
 *
 * Virtual time: a party's clock starts at 0; a message sent at T from p to q arrives at
 * T + delay_ns[p][q]; an exchange ends at the latest arrival it needed. Computing takes
 * none, or (counts_work) the CPU time of the party's thread outside of the network. As network.h demands, the buffers of a round are free when the next one ends: at
 * once, or when a hook says (memory_message.left_ns). What arrives first when a round needs only some of its messages is decided by
 * virtual time (ties: the lower party), so runs replay exactly.
 *
 * Typical use:
 *
 *	struct memory_network_options options = {.n_parties = 3, .delay_ns = delays};
 *	struct memory_network *memory;
 *	memory_network_create(&memory, &options, &err);
 *	memory_network_run(memory, run_party, user, &err);
 *	memory_network_counters(memory, 0)->rounds ...
 *	memory_network_destroy(memory);
 */
#ifndef ENGINE_MEMORY_NETWORK_H
#define ENGINE_MEMORY_NETWORK_H

#include "engine/network.h"

struct memory_network;

/* What a test's hook may do to a message on its way. */
struct memory_message {
	uint32_t from, to;
	uint64_t number;     /* 0, 1, ... of this ordered pair */
	unsigned char *base; /* `len` bytes; may be changed, or replaced by malloc()ed
				ones after free() */
	size_t len;
	uint32_t copies;   /* 1; 0 = lost, more = repeated */
	uint64_t sent_ns;  /* on the sender's virtual clock */
	uint64_t delay_ns; /* this message's; default the pair's */
	uint64_t left_ns;  /* when its last byte is out of the sender's buffer; default
			      sent_ns */
	/* Computing for it, on the virtual clocks: the sender's, before the next message
	 * of the round, and the receiver's, if it takes it; default 0. */
	uint64_t give_ns, take_ns;
	int is_held; /* set: it is delivered after the pair's next message */
};

struct memory_network_options {
	uint32_t n_parties;
	/* One-way delay of ordered pairs; NULL = none. Copied. */
	const uint64_t (*delay_ns)[NETWORK_PARTIES_MAX];
	/* An exchange fails with -ETIMEDOUT when what it needs arrives later than this
	 * after its start, in virtual time; 0 = never. */
	uint64_t deadline_ns;
	/* The same in real time, for peers that say nothing; 0 = 60 s. */
	uint64_t real_deadline_ns;
	/* A party's computing goes on its virtual clock: runs no longer replay exactly. */
	int counts_work;
	double work_stretch; /* by how much it takes longer than the CPU time; 0 = 1 */
	/* Called for every message, one at a time, before delivery. May be NULL. */
	void (*on_message)(void *user, struct memory_message *message);
	/* Called when a party marks a phase, in that party's thread. May be NULL. */
	void (*on_phase)(void *user, uint32_t party, const char *name);
	void *user;
};

/* Sent by one party so far. */
struct memory_counters {
	uint64_t rounds; /* exchanges in which it sent or awaited something */
	uint64_t messages, bytes;
	uint64_t messages_to[NETWORK_PARTIES_MAX], bytes_to[NETWORK_PARTIES_MAX];
	uint64_t now_ns; /* its virtual clock */
};

int memory_network_create(struct memory_network **ret,
    const struct memory_network_options *options, struct error *err);
/* NULL is fine. No party may be running. */
void memory_network_destroy(struct memory_network *memory);

/* One party's end; valid until memory_network_destroy(). */
struct network *memory_network_party(struct memory_network *memory, uint32_t party);
/* The calling thread is party `party` until it leaves: its work counts from now. */
void memory_network_enter(struct memory_network *memory, uint32_t party);
/* Party `party` sends no more: peers that wait for it get -ECONNRESET. */
void memory_network_leave(struct memory_network *memory, uint32_t party);

/* Run `party_main` once for each party, a thread each (party 0 in the caller's), and wait
 * for all. `ret_codes` (may be NULL) takes each result. Returns 0, or the first party's
 * error that is not the echo (-ECONNRESET) of another's, with the party named. */
int memory_network_run(struct memory_network *memory,
    int (*party_main)(struct network *net, void *user, struct error *err), void *user,
    int *ret_codes, struct error *err);

const struct memory_counters *memory_network_counters(
    const struct memory_network *memory, uint32_t party);

#endif
