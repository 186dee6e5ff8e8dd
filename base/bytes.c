/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"

#include <errno.h>

static const char hex_digits[] = "0123456789abcdef";
static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void bytes_to_hex(char *out, const void *bytes, size_t len)
{
	const unsigned char *in = bytes;

	for (size_t i = 0; i < len; i++) {
		*out++ = hex_digits[in[i] >> 4];
		*out++ = hex_digits[in[i] & 15];
	}
	*out = '\0';
}

static int digit_value(const char *digits, char c)
{
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? -1 : (int)(at - digits);
}

int bytes_from_hex(void *out, size_t len, const char *hex)
{
	unsigned char *to = out;

	if (strlen(hex) != 2 * len)
		return -EINVAL;
	for (size_t i = 0; i < 2 * len; i++)
		if (digit_value(hex_digits, hex[i]) < 0)
			return -EINVAL;
	for (size_t i = 0; i < len; i++)
		to[i] = (unsigned char)(digit_value(hex_digits, hex[2 * i]) << 4 |
					digit_value(hex_digits, hex[2 * i + 1]));
	return 0;
}

void bytes_to_base64(char *out, const void *bytes, size_t len)
{
	const unsigned char *in = bytes;

	for (size_t i = 0; i < len; i += 3) {
		uint32_t word = (uint32_t)in[i] << 16;

		if (i + 1 < len)
			word |= (uint32_t)in[i + 1] << 8;
		if (i + 2 < len)
			word |= in[i + 2];
		*out++ = base64_digits[word >> 18];
		*out++ = base64_digits[word >> 12 & 63];
		*out++ = i + 1 < len ? base64_digits[word >> 6 & 63] : '=';
		*out++ = i + 2 < len ? base64_digits[word & 63] : '=';
	}
	*out = '\0';
}

static size_t padding_of(const char *text, size_t chars)
{
	if (chars == 0 || text[chars - 1] != '=')
		return 0;
	return text[chars - 2] == '=' ? 2 : 1;
}

int64_t bytes_from_base64(void *out, size_t max, const char *text)
{
	unsigned char *to = out;
	size_t chars = strlen(text), padding, len;
	uint32_t word = 0;

	if (chars % 4 != 0)
		return -EINVAL;
	padding = padding_of(text, chars);
	len = chars / 4 * 3 - padding;
	if (len > max)
		return -EMSGSIZE;
	for (size_t i = 0; i < chars - padding; i++)
		if (digit_value(base64_digits, text[i]) < 0)
			return -EINVAL;
	for (size_t i = 0, done = 0; i < chars; i++) {
		word = word << 6 | (i < chars - padding
					   ? (uint32_t)digit_value(base64_digits, text[i])
					   : 0);
		if (i % 4 != 3)
			continue;
		for (int byte = 2; byte >= 0 && done < len; byte--)
			to[done++] = (unsigned char)(word >> 8 * byte);
		word = 0;
	}
	return (int64_t)len;
}
