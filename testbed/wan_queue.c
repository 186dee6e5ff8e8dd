/* SPDX-License-Identifier: MIT */
#include "testbed/wan_queue.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

#define CHILDREN 4u

static size_t bytes_of(uint32_t capacity)
{
	return (size_t)capacity * sizeof(struct wan_queue_entry);
}

int wan_queue_init(struct wan_queue *queue, uint32_t capacity)
{
	void *entries = mmap(NULL, bytes_of(capacity), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (entries == MAP_FAILED)
		return -ENOMEM;
	*queue = (struct wan_queue){.entries = entries, .capacity = capacity};
	return 0;
}

void wan_queue_finish(struct wan_queue *queue)
{
	if (queue->entries != NULL)
		munmap(queue->entries, bytes_of(queue->capacity));
	*queue = (struct wan_queue){0};
}

static bool is_before(const struct wan_queue_entry *a, const struct wan_queue_entry *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->sequence < b->sequence;
}

bool wan_queue_push(struct wan_queue *queue, uint64_t due_ns, uint32_t item)
{
	struct wan_queue_entry entry = {due_ns, queue->next_sequence, item};
	uint32_t at = queue->length;

	if (queue->length == queue->capacity)
		return false;
	queue->length++;
	queue->next_sequence++;
	while (at > 0 && is_before(&entry, &queue->entries[(at - 1) / CHILDREN])) {
		queue->entries[at] = queue->entries[(at - 1) / CHILDREN];
		at = (at - 1) / CHILDREN;
	}
	queue->entries[at] = entry;
	return true;
}

const struct wan_queue_entry *wan_queue_first(const struct wan_queue *queue)
{
	return queue->length == 0 ? NULL : queue->entries;
}

/* The earliest child of `at`; 0 when it has none. */
static uint32_t first_child(const struct wan_queue *queue, uint32_t at)
{
	uint32_t child = at * CHILDREN + 1, end = child + CHILDREN;
	uint32_t best = child;

	if (child >= queue->length)
		return 0;
	if (end > queue->length)
		end = queue->length;
	while (++child < end)
		if (is_before(&queue->entries[child], &queue->entries[best]))
			best = child;
	return best;
}

uint32_t wan_queue_pop(struct wan_queue *queue)
{
	uint32_t item = queue->entries[0].item, at = 0, child;
	struct wan_queue_entry last = queue->entries[--queue->length];

	while ((child = first_child(queue, at)) != 0 &&
	       is_before(&queue->entries[child], &last)) {
		queue->entries[at] = queue->entries[child];
		at = child;
	}
	queue->entries[at] = last;
	return item;
}
