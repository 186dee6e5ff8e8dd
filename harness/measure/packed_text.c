/* SPDX-License-Identifier: MIT */
#include "harness/measure/packed_text.h"

#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define ENVELOPE_BYTES 8u

static void store_be32(unsigned char *to, uint32_t value)
{
	for (int i = 3; i >= 0; i--, value >>= 8)
		to[i] = (unsigned char)value;
}

static uint32_t load_be32(const unsigned char *from)
{
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 |
	       (uint32_t)from[2] << 8 | from[3];
}

char *packed_text_make(uint32_t cookie, const void *plain, size_t plain_bytes)
{
	uLongf len = compressBound(plain_bytes);
	unsigned char *packed = malloc(ENVELOPE_BYTES + len);
	char *text = NULL;

	if (packed == NULL)
		return NULL;
	if (compress(packed + ENVELOPE_BYTES, &len, plain, plain_bytes) != Z_OK)
		goto out;
	store_be32(packed, cookie);
	store_be32(packed + 4, (uint32_t)len);
	text = malloc(BYTES_BASE64_CHARS(ENVELOPE_BYTES + len) + 1);
	if (text != NULL)
		bytes_to_base64(text, packed, ENVELOPE_BYTES + len);
out:
	free(packed);
	return text;
}

static int open_envelope(uint32_t cookie, const unsigned char *packed, int64_t len,
    unsigned char *plain, uLongf *plain_bytes, struct error *err)
{
	if (len < (int64_t)ENVELOPE_BYTES || load_be32(packed) != cookie)
		return error_set(err, -EINVAL, "not base64, or of another kind");
	if (load_be32(packed + 4) != (uint64_t)len - ENVELOPE_BYTES)
		return error_set(err, -EINVAL,
		    "%u compressed bytes announced, %lld there", load_be32(packed + 4),
		    (long long)len - ENVELOPE_BYTES);
	if (uncompress(plain, plain_bytes, packed + ENVELOPE_BYTES,
		(uLong)len - ENVELOPE_BYTES) != Z_OK)
		return error_set(err, -EINVAL, "broken zlib stream, or too long");
	return 0;
}

int packed_text_open(uint32_t cookie, const char *text, size_t plain_max,
    unsigned char **plain, size_t *plain_bytes, struct error *err)
{
	size_t chars = strnlen(text, PACKED_TEXT_CHARS_MAX + 1);
	unsigned char *packed, *to;
	uLongf room = plain_max;
	int rc;

	if (chars > PACKED_TEXT_CHARS_MAX)
		return error_set(
		    err, -EINVAL, "longer than %u characters", PACKED_TEXT_CHARS_MAX);
	packed = malloc(chars + 1);
	to = malloc(plain_max);
	if (packed == NULL || to == NULL)
		rc = error_set(err, -ENOMEM, "out of memory");
	else
		rc = open_envelope(cookie, packed, bytes_from_base64(packed, chars, text),
		    to, &room, err);
	free(packed);
	if (rc < 0) {
		free(to);
		return rc;
	}
	*plain = to;
	*plain_bytes = room;
	return 0;
}
