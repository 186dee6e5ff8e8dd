/* SPDX-License-Identifier: MIT */
/*
 * What is under way, ordered by due time; equal times leave in the order they came.
 * A 4-ary heap: fewer cache lines than a binary one, and no timer wheel was faster.
 */
#ifndef TESTBED_WAN_QUEUE_H
#define TESTBED_WAN_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

struct wan_queue_entry {
	uint64_t due_ns;
	uint64_t sequence; /* made by wan_queue_push() */
	uint32_t item;     /* the caller's */
};

struct wan_queue {
	struct wan_queue_entry *entries;
	uint32_t length, capacity;
	uint64_t next_sequence;
};

/* Address space for `capacity` entries; pages are touched when first used. -ENOMEM. */
int wan_queue_init(struct wan_queue *queue, uint32_t capacity);
void wan_queue_finish(struct wan_queue *queue);

/* False when full. */
bool wan_queue_push(struct wan_queue *queue, uint64_t due_ns, uint32_t item);
/* The earliest, or NULL. Valid until the next push or pop. */
const struct wan_queue_entry *wan_queue_first(const struct wan_queue *queue);
/* Removes the earliest; the queue is not empty. Returns its item. */
uint32_t wan_queue_pop(struct wan_queue *queue);

#endif
