/* SPDX-License-Identifier: MIT */
/*
 * Vocabulary shared by the harness and every transport plugin.
 *
 * Only pointers, fixed-width integers and `int` statuses cross the boundary:
 * no enums, bools, bit-fields, time_t or off_t, whose sizes are a compiler's
 * business.
 */
#ifndef E3_TYPES_H
#define E3_TYPES_H

#include <stddef.h>
#include <stdint.h>

typedef uint32_t e3_party; /* 0 .. n_parties-1, the same numbering everywhere */
typedef uint64_t e3_nanos; /* monotonic clock, nanoseconds */

#define E3_UNKNOWN UINT64_MAX /* "this transport cannot tell" in any counter */

/* Bytes borrowed from whoever owns them. */
struct e3_iov {
	const void *base;
	size_t len;
};

#endif
