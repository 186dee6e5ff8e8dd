/* SPDX-License-Identifier: MIT */
/*
 * Which known word did somebody mean? Typical use:
 *
 *	struct nearest near;
 *	nearest_init(&near, word);
 *	for (...)
 *		nearest_offer(&near, known[i]);
 *	... near.best == NULL ? "" : near.best ...
 */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

struct nearest {
	const char *word; /* borrowed */
	const char *best; /* the closest word offered; NULL when none is close enough */
	unsigned distance;
};

void nearest_init(struct nearest *near, const char *word);

/* `known` stays valid as long as `near` is used. Close enough: one slip (a letter left
 * out, added, replaced, or two neighbours swapped) for every three letters, at least one;
 * or one word begins with the other, three letters at least. Case is ignored. */
void nearest_offer(struct nearest *near, const char *known);

#endif
