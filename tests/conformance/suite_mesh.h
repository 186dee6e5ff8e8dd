/* SPDX-License-Identifier: MIT */
/*
 * Parties of one transport in one process, for tests: each with a fake host and, unless
 * the transport wants otherwise, a loop of its own. Channels are guarded links; a plugin
 * that breaks its contract fails the test with the guard's sentence.
 */
#ifndef TESTS_CONFORMANCE_SUITE_MESH_H
#define TESTS_CONFORMANCE_SUITE_MESH_H

#include "harness/link/channel_guard.h"
#include "harness/plugin/plugin.h"
#include "tests/conformance/transport_suite.h"

#include <uv.h>

#define SUITE_PARTIES_MAX 10u
#define SUITE_ENDS_MAX    256u
#define SUITE_WAIT_MS     30000u

struct suite_mesh;
struct suite_end;

enum suite_event {
	SUITE_OPENED,
	SUITE_MESSAGE,
	SUITE_WRITABLE,
	SUITE_LOST,
	SUITE_PLACE,
	SUITE_DONE,
	SUITE_EVENTS,
};

struct suite_party {
	struct suite_mesh *mesh;
	e3_party self;
	struct e3_host host;
	uv_loop_t own_loop, *loop;
	struct e3_endpoint *endpoint;
	char state_folder[64];
	char last_error[512]; /* the last line logged at E3_LOG_ERROR */
	unsigned char card[E3_CARD_BYTES_MAX];
	size_t card_bytes;
	int is_up;
};

struct suite_signal {
	struct suite_signal *next;
	e3_party from, to;
	size_t len;
	unsigned char bytes[];
};

struct suite_mesh {
	const struct transport_under_test *tested;
	struct plugin *plugin;
	uint32_t n;
	uv_loop_t shared_loop;
	struct suite_party parties[SUITE_PARTIES_MAX];
	const char *addresses[SUITE_PARTIES_MAX];
	char address_texts[SUITE_PARTIES_MAX][48];
	struct suite_signal *signals, **signals_tail;
	int drops_signals;        /* what is given to signal() is lost */
	struct suite_mesh *first; /* whose parties have these as their second endpoints */
	struct suite_end *ends[SUITE_ENDS_MAX];
	uint32_t n_ends;
	uint64_t n_events; /* of all ends; to see whether anything moves */
	int is_over;
};

/* One side of a channel. Counters say what has happened to it. */
struct suite_end {
	struct suite_mesh *mesh;
	struct suite_party *party;
	struct link *link; /* NULL once closed */
	e3_party peer;
	uint32_t lane;

	int n_opened, opened_status;
	int n_lost, lost_status;
	int n_closed, is_closing;
	uint64_t n_messages, message_bytes, n_writable, n_placed;
	uint64_t n_sent, n_done, n_done_ok, n_cancelled;
	uint64_t next_sequence; /* of the next message that must come */
	uint64_t send_sequence; /* of the next to go */

	/* Called after the counters have changed; may use the link, also close it. */
	void (*on_event)(struct suite_end *end, enum suite_event event);
	/* Instead of checking sequence and pattern. */
	void (*on_message)(struct suite_end *end, struct e3_iov message);
	int places; /* answer place() with `room` */
	unsigned char *room;
	size_t room_bytes;
};

/* All endpoints made and up; the test fails otherwise. `options` NULL: those of the
 * transport. */
struct suite_mesh *suite_start(const struct transport_under_test *tested,
    uint32_t n_parties, const char *const *options);
/* A second endpoint for every party of a mesh that is up, as the harness has for its
 * probes; to be finished before it. */
struct suite_mesh *suite_start_second(struct suite_mesh *first);
/* Closes what is open, takes everything down, checks that loops are empty. */
void suite_finish(struct suite_mesh *mesh);

/* One turn of every loop, and the signals handed round. */
void suite_turn(struct suite_mesh *mesh);
/* Turn until the condition holds; the test fails after SUITE_WAIT_MS. */
#define suite_wait(mesh, condition)                                                      \
	do {                                                                             \
		uint64_t suite_began = suite_now_ms();                                   \
                                                                                         \
		while (!(condition)) {                                                   \
			if (suite_now_ms() - suite_began > SUITE_WAIT_MS)                \
				fail_msg("%s:%d: did not happen within %u ms: %s",       \
				    __FILE__, __LINE__, SUITE_WAIT_MS, #condition);      \
			suite_turn(mesh);                                                \
		}                                                                        \
	} while (0)
uint64_t suite_now_ms(void);
/* The calling thread goes to the host of this party. */
void suite_enter(struct suite_mesh *mesh, e3_party party);

/* Take this party down and its endpoint away; its channels must have closed. */
void suite_party_gone(struct suite_party *party);

/* Begin to open one side. */
struct suite_end *suite_open(
    struct suite_mesh *mesh, e3_party party, e3_party peer, uint32_t lane);
/* Open both sides and wait until both are. */
void suite_join(struct suite_mesh *mesh, e3_party a, e3_party b, uint32_t lane,
    struct suite_end **end_a, struct suite_end **end_b);
void suite_close(struct suite_end *end);

/* Send one message: its sequence number and length in 8 bytes, then a pattern; shorter
 * than 8 is only pattern. Returns what link_send() does. The bytes are freed when it is done. */
int suite_send(struct suite_end *end, size_t len);
/* The bytes of such a message. */
void suite_fill(unsigned char *bytes, size_t len, uint64_t sequence);
/* As suite_send(), retried at -EAGAIN, in several pieces. */
void suite_send_all(struct suite_end *end, size_t len, uint64_t n);

#endif
