/* SPDX-License-Identifier: MIT */
#include "harness/result/text_wrap.h"

#include "harness/result/clean_text.h"

#include <string.h>

#define WORD_BYTES 256u

static size_t columns_of(const char *word, size_t len)
{
	char copy[WORD_BYTES];

	if (len >= sizeof(copy))
		return len;
	memcpy(copy, word, len);
	copy[len] = '\0';
	return clean_text_columns(copy);
}

void text_wrap(
    const char *text, uint32_t indent, FILE *out, const struct terminal *terminal)
{
	size_t lead = strspn(text, " "), at = lead;

	fprintf(out, "%*s", (int)lead, "");
	for (text += lead; *text != '\0';) {
		size_t len = strcspn(text, " "), columns = columns_of(text, len);
		int is_first = at <= lead;

		if (!is_first && terminal->columns > 0 &&
		    at + 1 + columns > terminal->columns) {
			fprintf(out, "\n%*s", (int)indent, "");
			at = indent;
		} else if (!is_first) {
			fputc(' ', out);
			at++;
		}
		fwrite(text, 1, len, out);
		at += columns;
		text += len;
		text += *text == ' ';
	}
	fputc('\n', out);
}
