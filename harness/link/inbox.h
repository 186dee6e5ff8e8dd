/* SPDX-License-Identifier: MIT */
/*
 * What one peer sends us, put where the engine wants it.
 *
 * The engine says what is due, in order: len bytes into base. The peer's message of that
 * length comes in pieces of at most piece_max bytes (what the transport carries at once),
 * each full but the last. A piece that comes before it is due waits in a bounded backlog.
 * A due message the engine no longer waits for is still received and checked, then
 * dropped.
 */
#ifndef HARNESS_LINK_INBOX_H
#define HARNESS_LINK_INBOX_H

#include "base/error.h"
#include "base/list.h"

#include <stddef.h>
#include <stdint.h>

#define INBOX_BACKLOG_BYTES (64u << 20) /* beyond it the peer must be braked */
#define INBOX_PIECE_BYTES   64u         /* what keeping an early piece costs besides */
#define INBOX_DUES_MAX      4096u       /* messages a peer may be behind */

struct inbox_due {
	unsigned char *base; /* NULL: dropped */
	size_t len, done;
	int may_place; /* the transport may write straight to base */
};

struct inbox {
	size_t piece_max;
	struct inbox_due *dues; /* ring of INBOX_DUES_MAX, allocated at first use */
	uint32_t first, n_dues;
	struct list backlog;
	size_t backlog_bytes; /* INBOX_PIECE_BYTES a piece included */
};

void inbox_init(struct inbox *inbox, size_t piece_max);
void inbox_finish(struct inbox *inbox);

/* len > 0 bytes are due into base, after all that was due before; takes what has already
 * come. may_place = 0 when base may become invalid before the message is complete.
 * -EPROTO: what came has another length; -EOVERFLOW: the peer is too far behind. */
int inbox_expect(
    struct inbox *inbox, void *base, size_t len, int may_place, struct error *err);

/* A piece of `len` bytes is coming: where it may be written, or NULL. */
void *inbox_place(const struct inbox *inbox, size_t len);

/* A piece came; its bytes may already be in place. -EPROTO: not the length that is due.
 */
int inbox_piece(struct inbox *inbox, const void *bytes, size_t len, struct error *err);

/* All that was due is here. */
static inline int inbox_is_empty(const struct inbox *inbox)
{
	return inbox->n_dues == 0;
}

static inline int inbox_is_full(const struct inbox *inbox)
{
	return inbox->backlog_bytes >= INBOX_BACKLOG_BYTES;
}

/* Nobody waits for what is still due: receive it, write it nowhere. */
void inbox_drop(struct inbox *inbox);

#endif
