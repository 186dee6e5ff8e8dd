/* SPDX-License-Identifier: MIT */
#include "harness/result/clean_text.h"

#include <cjson/cJSON.h>
#include <stdint.h>
#include <string.h>

/* Bytes of the character at `text`, and its code; 0 when it is none (RFC 3629). */
static size_t any_character(const unsigned char *text, uint32_t *out)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = text[0] < 0x80    ? 1
		   : text[0] >= 0xf0 ? 4
		   : text[0] >= 0xe0 ? 3
		   : text[0] >= 0xc0 ? 2
				     : 0;
	uint32_t code;

	if (n == 0 || text[0] > 0xf4)
		return 0;
	code = n == 1 ? text[0] : text[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (code < smallest[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	*out = code;
	return n;
}

/* The same; control characters are not clean. */
static size_t character(const unsigned char *text)
{
	uint32_t code;
	size_t n = any_character(text, &code);

	return n == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0) ? 0 : n;
}

int clean_text_is(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at != '\0') {
		size_t n = character(at);

		if (n == 0)
			return 0;
		at += n;
	}
	return 1;
}

char *clean_text_copy(char *out, size_t out_bytes, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t len = 0;

	while (*at != '\0') {
		size_t n = character(at);

		if (len + (n == 0 ? 1 : n) >= out_bytes)
			break;
		if (n == 0)
			out[len++] = *at == '\n' || *at == '\t' ? ' ' : '?';
		memcpy(out + len, at, n);
		len += n;
		at += n == 0 ? 1 : n;
	}
	out[len] = '\0';
	return out;
}

/* A byte for a byte: in place, also where nobody knows how long the text may be. */
static void mend_utf8(char *text)
{
	unsigned char *at = (unsigned char *)text;
	uint32_t code;

	while (at != NULL && *at != '\0') {
		size_t n = any_character(at, &code);

		if (n == 0)
			*at = '?';
		at += n == 0 ? 1 : n;
	}
}

struct cJSON *clean_text_json(struct cJSON *json)
{
	if (json == NULL)
		return NULL;
	mend_utf8(json->valuestring);
	if ((json->type & (cJSON_StringIsConst | cJSON_IsReference)) == 0)
		mend_utf8(json->string);
	for (cJSON *child = json->child; child != NULL; child = child->next)
		clean_text_json(child);
	return json;
}

size_t clean_text_columns(const char *text)
{
	size_t columns = 0;

	for (; *text != '\0'; text++)
		columns += ((unsigned char)*text & 0xc0) != 0x80;
	return columns;
}
