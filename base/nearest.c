/* SPDX-License-Identifier: MIT */
#include "base/nearest.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

#define NEAREST_LETTERS_MAX 48

static unsigned smallest(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Optimal string alignment distance; both at most NEAREST_LETTERS_MAX long. */
static unsigned slips(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][NEAREST_LETTERS_MAX + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2], *spare;

	for (size_t j = 0; j <= b_len; j++)
		above[j] = before[j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned differs = lower(a[i - 1]) != lower(b[j - 1]);

			row[j] = smallest(
			    above[j - 1] + differs, 1 + smallest(above[j], row[j - 1]));
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
			    lower(a[i - 2]) == lower(b[j - 1]))
				row[j] = smallest(row[j], before[j - 2] + 1);
		}
		spare = before, before = above, above = row, row = spare;
	}
	return above[b_len];
}

void nearest_init(struct nearest *near, const char *word)
{
	near->word = word;
	near->best = NULL;
	near->distance = UINT_MAX;
}

void nearest_offer(struct nearest *near, const char *known)
{
	size_t word_len = strlen(near->word), known_len = strlen(known);
	size_t shorter = word_len < known_len ? word_len : known_len;
	unsigned distance, allowed;

	if (word_len > NEAREST_LETTERS_MAX || known_len > NEAREST_LETTERS_MAX)
		return;
	distance = slips(near->word, word_len, known, known_len);
	allowed = known_len < 6 ? 1 : (unsigned)(known_len / 3);
	if (distance > allowed &&
	    (shorter < 3 || strncasecmp(near->word, known, shorter) != 0))
		return;
	if (distance < near->distance) {
		near->distance = distance;
		near->best = known;
	}
}
