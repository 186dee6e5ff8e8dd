/* SPDX-License-Identifier: MIT */
#include "harness/link/inbox.h"

#include <stdlib.h>
#include <string.h>

struct early_piece {
	struct list link;
	size_t len;
	unsigned char bytes[];
};

void inbox_init(struct inbox *inbox, size_t piece_max)
{
	memset(inbox, 0, sizeof(*inbox));
	inbox->piece_max = piece_max;
	list_init(&inbox->backlog);
}

void inbox_finish(struct inbox *inbox)
{
	if (inbox->piece_max == 0)
		return;
	list_for_each(&inbox->backlog, at, after)
	    free(container_of(at, struct early_piece, link));
	list_init(&inbox->backlog);
	free(inbox->dues);
	inbox->dues = NULL;
	inbox->n_dues = 0;
}

static struct inbox_due *front(const struct inbox *inbox)
{
	return &inbox->dues[inbox->first];
}

static size_t piece_due(const struct inbox *inbox, const struct inbox_due *due)
{
	size_t rest = due->len - due->done;

	return rest < inbox->piece_max ? rest : inbox->piece_max;
}

static int take(struct inbox *inbox, const void *bytes, size_t len, struct error *err)
{
	struct inbox_due *due = front(inbox);

	if (len != piece_due(inbox, due))
		return error_set(err, -EPROTO,
		    "sent a message of %zu bytes where %zu of %zu are due", len,
		    piece_due(inbox, due), due->len);
	if (due->base != NULL && bytes != due->base + due->done)
		memcpy(due->base + due->done, bytes, len);
	due->done += len;
	if (due->done == due->len) {
		/* A ring that is empty begins anew, in the lines that are in the cache. */
		inbox->first =
		    --inbox->n_dues == 0 ? 0 : (inbox->first + 1) % INBOX_DUES_MAX;
	}
	return 0;
}

static int take_backlog(struct inbox *inbox, struct error *err)
{
	while (inbox->n_dues > 0 && !list_empty(&inbox->backlog)) {
		struct early_piece *piece =
		    list_first(&inbox->backlog, struct early_piece, link);
		int rc = take(inbox, piece->bytes, piece->len, err);

		if (rc < 0)
			return rc;
		inbox->backlog_bytes -= INBOX_PIECE_BYTES + piece->len;
		list_remove(&piece->link);
		free(piece);
	}
	return 0;
}

int inbox_expect(
    struct inbox *inbox, void *base, size_t len, int may_place, struct error *err)
{
	if (inbox->dues == NULL)
		inbox->dues = calloc(INBOX_DUES_MAX, sizeof(*inbox->dues));
	if (inbox->dues == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	if (inbox->n_dues == INBOX_DUES_MAX)
		return error_set(
		    err, -EOVERFLOW, "is %u messages behind", INBOX_DUES_MAX);
	inbox->dues[(inbox->first + inbox->n_dues++) % INBOX_DUES_MAX] =
	    (struct inbox_due){.base = base, .len = len, .may_place = may_place};
	return take_backlog(inbox, err);
}

void *inbox_place(const struct inbox *inbox, size_t len)
{
	const struct inbox_due *due;

	if (inbox->n_dues == 0)
		return NULL;
	due = front(inbox);
	if (!due->may_place || due->base == NULL || len != piece_due(inbox, due))
		return NULL;
	return due->base + due->done;
}

int inbox_piece(struct inbox *inbox, const void *bytes, size_t len, struct error *err)
{
	struct early_piece *piece;

	/* No message is empty; a flood of them would grow the backlog unseen. */
	if (len == 0)
		return error_set(err, -EPROTO, "sent an empty message");
	if (inbox->n_dues > 0)
		return take(inbox, bytes, len, err);
	piece = malloc(sizeof(*piece) + len);
	if (piece == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	piece->len = len;
	memcpy(piece->bytes, bytes, len);
	list_push(&inbox->backlog, &piece->link);
	inbox->backlog_bytes += INBOX_PIECE_BYTES + len;
	return 0;
}

void inbox_drop(struct inbox *inbox)
{
	for (uint32_t i = 0; i < inbox->n_dues; i++)
		inbox->dues[(inbox->first + i) % INBOX_DUES_MAX].base = NULL;
}
