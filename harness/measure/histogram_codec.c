/* SPDX-License-Identifier: MIT */
/* Layout: AbstractHistogram.java of HdrHistogram 2.1, encodeIntoByteBuffer() and
 * encodeIntoCompressedByteBuffer(). Numbers are big-endian; counts are zigzag LEB128 of
 * at most nine bytes; a negative count is a run of empty buckets. */
#include "harness/measure/histogram_codec.h"

#include "harness/measure/packed_text.h"

#include <stdlib.h>

#define COOKIE_COMPRESSED 0x1c849314u
#define COOKIE_PLAIN      0x1c849313u
#define HEADER_BYTES      40u /* cookie, length, offset, digits, lowest, highest, ratio */
#define COUNT_BYTES_MAX   9u
#define PLAIN_BYTES_MAX   (HEADER_BYTES + COUNT_BYTES_MAX * HISTOGRAM_COUNTS)
#define RATIO_ONE         UINT64_C(0x3ff0000000000000) /* 1.0 */

static void store_be32(unsigned char *to, uint32_t value)
{
	for (int i = 3; i >= 0; i--, value >>= 8)
		to[i] = (unsigned char)value;
}

static void store_be64(unsigned char *to, uint64_t value)
{
	store_be32(to, (uint32_t)(value >> 32));
	store_be32(to + 4, (uint32_t)value);
}

static uint32_t load_be32(const unsigned char *from)
{
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 |
	       (uint32_t)from[2] << 8 | from[3];
}

static uint64_t load_be64(const unsigned char *from)
{
	return (uint64_t)load_be32(from) << 32 | load_be32(from + 4);
}

static size_t store_count(unsigned char *to, int64_t value)
{
	uint64_t word = (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
	size_t len = 0;

	while (word > 0x7f && len < COUNT_BYTES_MAX - 1) {
		to[len++] = (unsigned char)(word | 0x80);
		word >>= 7;
	}
	to[len++] = (unsigned char)word; /* the ninth byte carries eight bits */
	return len;
}

/* Bytes read, 0 when the text ends first. */
static size_t load_count(const unsigned char *from, size_t left, int64_t *value)
{
	uint64_t word = 0;
	size_t len = 0;

	for (;;) {
		unsigned char byte;

		if (len == left)
			return 0;
		byte = from[len];
		if (len == COUNT_BYTES_MAX - 1) {
			word |= (uint64_t)byte << 7 * len++;
			break;
		}
		word |= (uint64_t)(byte & 0x7f) << 7 * len++;
		if ((byte & 0x80) == 0)
			break;
	}
	*value = (int64_t)(word >> 1 ^ -(word & 1));
	return len;
}

static size_t store_counts(unsigned char *to, const struct histogram *h)
{
	uint32_t n = h->total == 0 ? 0 : histogram_index(h->max) + 1;
	size_t len = 0;

	for (uint32_t i = 0; i < n;) {
		uint32_t zeros = 0;

		while (i + zeros < n && h->counts[i + zeros] == 0)
			zeros++;
		if (zeros > 1)
			len += store_count(to + len, -(int64_t)zeros);
		else
			len += store_count(to + len, (int64_t)h->counts[i]);
		i += zeros > 1 ? zeros : 1;
	}
	return len;
}

/* Returns the length. */
static size_t store_plain(unsigned char *to, const struct histogram *h)
{
	size_t len = store_counts(to + HEADER_BYTES, h);

	store_be32(to, COOKIE_PLAIN);
	store_be32(to + 4, (uint32_t)len);
	store_be32(to + 8, 0); /* no normalising offset */
	store_be32(to + 12, HISTOGRAM_DIGITS);
	store_be64(to + 16, 1);
	store_be64(to + 24, HISTOGRAM_VALUE_MAX);
	store_be64(to + 32, RATIO_ONE);
	return HEADER_BYTES + len;
}

char *histogram_encode(const struct histogram *h)
{
	unsigned char *plain = malloc(PLAIN_BYTES_MAX);
	char *text;

	if (plain == NULL)
		return NULL;
	text = packed_text_make(COOKIE_COMPRESSED, plain, store_plain(plain, h));
	free(plain);
	return text;
}

/* Sums and ends as far as buckets tell them. */
static void summarise(struct histogram *h)
{
	for (uint32_t i = 0; i < HISTOGRAM_COUNTS; i++) {
		uint64_t lowest = histogram_lowest(i), highest = histogram_highest(i);
		double middle = (double)lowest + (double)(highest - lowest) / 2;

		if (h->counts[i] == 0)
			continue;
		if (h->min == UINT64_MAX)
			h->min = lowest;
		h->max = highest;
		h->sum += middle * (double)h->counts[i];
		h->sum_squares += middle * middle * (double)h->counts[i];
	}
}

static int load_counts(
    struct histogram *h, const unsigned char *from, size_t len, struct error *err)
{
	uint64_t index = 0;

	for (size_t at = 0; at < len;) {
		int64_t value;
		size_t used = load_count(from + at, len - at, &value);

		if (used == 0)
			return error_set(err, -EINVAL, "ends inside a count");
		at += used;
		/* Negated as unsigned: INT64_MIN has no positive twin. */
		if (value < 0) {
			uint64_t zeros = -(uint64_t)value;

			if (zeros > HISTOGRAM_COUNTS - index)
				return error_set(err, -EINVAL, "values above one hour");
			index += zeros;
			continue;
		}
		if (index >= HISTOGRAM_COUNTS)
			return error_set(err, -EINVAL, "values above one hour");
		if (__builtin_add_overflow(h->total, (uint64_t)value, &h->total) ||
		    h->total > (uint64_t)INT64_MAX)
			return error_set(err, -EINVAL, "more than 2^63 values");
		h->counts[index++] = (uint64_t)value;
	}
	return 0;
}

static int load_plain(
    struct histogram *h, const unsigned char *plain, size_t bytes, struct error *err)
{
	if (bytes < HEADER_BYTES || load_be32(plain) != COOKIE_PLAIN)
		return error_set(err, -EINVAL, "no V2 payload inside");
	if (load_be32(plain + 4) != bytes - HEADER_BYTES)
		return error_set(err, -EINVAL, "%u bytes of counts announced, %zu there",
		    load_be32(plain + 4), bytes - HEADER_BYTES);
	if (load_be32(plain + 8) != 0 || load_be32(plain + 12) != HISTOGRAM_DIGITS ||
	    load_be64(plain + 16) != 1 || load_be64(plain + 32) != RATIO_ONE)
		return error_set(
		    err, -EINVAL, "not of 3 digits, unit 1, unshifted and unscaled");
	return load_counts(h, plain + HEADER_BYTES, bytes - HEADER_BYTES, err);
}

int histogram_decode(struct histogram *out, const char *text, struct error *err)
{
	struct histogram *h = histogram_create();
	unsigned char *plain = NULL;
	size_t bytes;
	int rc;

	if (h == NULL)
		return error_set(err, -ENOMEM, "histogram: out of memory");
	rc = packed_text_open(
	    COOKIE_COMPRESSED, text, PLAIN_BYTES_MAX, &plain, &bytes, err);
	if (rc == 0)
		rc = load_plain(h, plain, bytes, err);
	if (rc == 0) {
		summarise(h);
		*out = *h;
	} else {
		error_wrap(err, "histogram");
	}
	free(plain);
	histogram_destroy(h);
	return rc;
}
