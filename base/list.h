/* SPDX-License-Identifier: MIT */
/*
 * Intrusive doubly linked list. Typical use:
 *
 *	struct job { struct list link; ... };
 *	struct list jobs = LIST_INIT(jobs);
 *	list_push(&jobs, &job->link);
 *	struct job *first = list_first(&jobs, struct job, link);   (not when empty)
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stddef.h>

struct list {
	struct list *prev, *next;
};

#define LIST_INIT(name)                                                                  \
	{                                                                                \
		&(name), &(name)                                                         \
	}

#ifndef container_of
#define container_of(pointer, type, member)                                              \
	((type *)((char *)(pointer)-offsetof(type, member)))
#endif

static inline void list_init(struct list *list)
{
	list->prev = list->next = list;
}

static inline int list_empty(const struct list *list)
{
	return list->next == list;
}

/* Append at the end. */
static inline void list_push(struct list *list, struct list *item)
{
	item->prev = list->prev;
	item->next = list;
	list->prev->next = item;
	list->prev = item;
}

/* Legal on an item that is in no list after list_init(). */
static inline void list_remove(struct list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}

#define list_first(head, type, member) container_of((head)->next, type, member)

/* `item` may be removed in the body. */
#define list_for_each(head, at, after)                                                   \
	for (struct list *at = (head)->next, *after = at->next; at != (head);            \
	     at = after, after = at->next)

#endif
