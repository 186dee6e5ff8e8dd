/* SPDX-License-Identifier: MIT */
#include "harness/fleet/quote.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* What no shell (sh, bash, zsh, csh, fish) gives a meaning in any place of a word. */
static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:,+-";

static bool is_plain(const char *word)
{
	return word[0] != '\0' && word[strspn(word, plain)] == '\0';
}

static char *append_quoted(char *at, const char *word)
{
	*at++ = '\'';
	for (; *word; word++) {
		if (*word == '\'') {
			memcpy(at, "'\\''", 4);
			at += 4;
		} else {
			*at++ = *word;
		}
	}
	*at++ = '\'';
	return at;
}

char *quote_words(const char *const *words)
{
	size_t bytes = 1;
	char *line, *at;

	for (size_t i = 0; words[i]; i++)
		bytes += 4 * strlen(words[i]) + 3;
	line = at = malloc(bytes);
	if (!line)
		return NULL;
	for (size_t i = 0; words[i]; i++) {
		if (i > 0)
			*at++ = ' ';
		if (is_plain(words[i]))
			at = stpcpy(at, words[i]);
		else
			at = append_quoted(at, words[i]);
	}
	*at = '\0';
	return line;
}
