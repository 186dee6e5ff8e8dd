/* SPDX-License-Identifier: MIT */
/* One constant per conversion, and text for people. */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_US     UINT64_C(1000)
#define NS_PER_MS     UINT64_C(1000000)
#define NS_PER_S      UINT64_C(1000000000)
#define BITS_PER_BYTE 8u

/* Text for people into `out` (at least UNITS_TEXT_BYTES); return `out`.
 * Durations: "0 ns", "812 us", "23.4 ms", "11.7 s", "3 min 20 s".
 * Bytes, decimal: "512 B", "15.2 MB". Rates: "1.00 Gbit/s". */
#define UNITS_TEXT_BYTES 32
char *units_duration(char *out, uint64_t ns);
char *units_bytes(char *out, uint64_t bytes);
char *units_rate(char *out, uint64_t bps);

#endif
