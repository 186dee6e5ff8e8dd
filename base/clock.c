/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/units.h"

#include <stdio.h>
#include <time.h>

#define OFFSET_GAP_NS   2000u
#define OFFSET_READINGS 16

static uint64_t read_clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
	return read_clock_ns(CLOCK_MONOTONIC);
}

uint64_t clock_thread_cpu_ns(void)
{
	return read_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t clock_process_cpu_ns(void)
{
	return read_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t clock_wall_offset_ns(void)
{
	uint64_t best_gap_ns = UINT64_MAX;
	int64_t offset_ns = 0;

	for (int i = 0; i < OFFSET_READINGS && best_gap_ns > OFFSET_GAP_NS; i++) {
		uint64_t before_ns = clock_monotonic_ns();
		uint64_t wall_ns = read_clock_ns(CLOCK_REALTIME);
		uint64_t gap_ns = clock_monotonic_ns() - before_ns;

		if (gap_ns < best_gap_ns) {
			best_gap_ns = gap_ns;
			offset_ns = (int64_t)(wall_ns - before_ns - gap_ns / 2);
		}
	}
	return offset_ns;
}

void clock_rfc3339(char *out, size_t out_bytes)
{
	char seconds[24];
	struct timespec ts;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out, out_bytes, "%s.%03ldZ", seconds, ts.tv_nsec / 1000000);
}
