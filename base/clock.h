/* SPDX-License-Identifier: MIT */
/* The clocks. Everything measured uses the monotonic one. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

uint64_t clock_monotonic_ns(void);   /* CLOCK_MONOTONIC */
uint64_t clock_thread_cpu_ns(void);  /* CPU time of the calling thread */
uint64_t clock_process_cpu_ns(void); /* CPU time of the whole process */

/* CLOCK_REALTIME - CLOCK_MONOTONIC, to two microseconds also when this process is kept
 * from the CPU between the two readings: then they are read again. */
int64_t clock_wall_offset_ns(void);

/* Wall time now as RFC 3339 UTC with milliseconds, "2026-11-21T09:41:07.123Z".
 * `out` takes at least CLOCK_RFC3339_BYTES. */
#define CLOCK_RFC3339_BYTES 25
void clock_rfc3339(char *out, size_t out_bytes);

#endif
