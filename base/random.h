/* SPDX-License-Identifier: MIT */
/* Unpredictable bytes for keys and nonces; a seeded generator for what must replay. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* From the kernel. Aborts the process if it refuses: no key may be made without. */
void random_bytes(void *out, size_t len);

/* xoshiro256** (Blackman, Vigna: prng.di.unimi.it), seeded by splitmix64. Not for
 * secrets. */
struct random_stream {
	uint64_t state[4];
};

void random_stream_seed(struct random_stream *stream, uint64_t seed);
uint64_t random_stream_next(struct random_stream *stream);
/* Uniform in [0, bound), bound > 0, without bias. */
uint64_t random_stream_below(struct random_stream *stream, uint64_t bound);
/* Uniform in [0, 1). */
double random_stream_unit(struct random_stream *stream);

#endif
