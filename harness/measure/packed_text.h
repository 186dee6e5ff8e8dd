/* SPDX-License-Identifier: MIT */
/* Bytes as one word of JSON: a cookie (4 bytes, big-endian), the length of what follows
 * (4), a zlib stream; all of it in base64. The envelope of HdrHistogram's V2 payloads. */
#ifndef HARNESS_MEASURE_PACKED_TEXT_H
#define HARNESS_MEASURE_PACKED_TEXT_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Longest text that is looked at. */
#define PACKED_TEXT_CHARS_MAX (8u << 20)

/* To be freed by the caller; NULL when out of memory. */
char *packed_text_make(uint32_t cookie, const void *plain, size_t plain_bytes);

/* The plain bytes, at most `plain_max`; freed by the caller. The text is hostile: -EINVAL
 * with a sentence for anything malformed or larger, -ENOMEM. */
int packed_text_open(uint32_t cookie, const char *text, size_t plain_max,
    unsigned char **plain, size_t *plain_bytes, struct error *err);

#endif
