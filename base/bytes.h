/* SPDX-License-Identifier: MIT */
/* Little-endian loads and stores, hexadecimal and base64 text. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t bytes_load_le32(const void *from)
{
	const unsigned char *b = from;

	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
	       (uint32_t)b[3] << 24;
}

static inline void bytes_store_le32(void *to, uint32_t value)
{
	unsigned char *b = to;

	for (int i = 0; i < 4; i++)
		b[i] = (unsigned char)(value >> 8 * i);
}

static inline uint64_t bytes_load_le64(const void *from)
{
	return bytes_load_le32(from) | (uint64_t)bytes_load_le32((const char *)from + 4)
					   << 32;
}

static inline void bytes_store_le64(void *to, uint64_t value)
{
	bytes_store_le32(to, (uint32_t)value);
	bytes_store_le32((char *)to + 4, (uint32_t)(value >> 32));
}

/* `out` takes 2 * len + 1 characters. */
void bytes_to_hex(char *out, const void *bytes, size_t len);
/* Exactly 2 * len hexadecimal digits; -EINVAL otherwise. */
int bytes_from_hex(void *out, size_t len, const char *hex);

/* Characters without the terminating NUL. */
#define BYTES_BASE64_CHARS(len) (((len) + 2) / 3 * 4)
/* Standard alphabet with padding; `out` takes BYTES_BASE64_CHARS(len) + 1. */
void bytes_to_base64(char *out, const void *bytes, size_t len);
/* Decode the whole string into at most `max` bytes. Returns the length, or -EINVAL for
 * anything but padded base64, -EMSGSIZE when it does not fit. */
int64_t bytes_from_base64(void *out, size_t max, const char *text);

#endif
