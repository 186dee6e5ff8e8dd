/* SPDX-License-Identifier: MIT */
#include "base/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void random_bytes(void *out, size_t len)
{
	unsigned char *to = out;

	while (len > 0) {
		ssize_t got = getrandom(to, len, 0);

		if (got < 0 && errno != EINTR)
			abort();
		if (got > 0) {
			to += got;
			len -= (size_t)got;
		}
	}
}

static uint64_t splitmix64(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void random_stream_seed(struct random_stream *stream, uint64_t seed)
{
	for (int i = 0; i < 4; i++)
		stream->state[i] = splitmix64(&seed);
}

static uint64_t rotate_left(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

uint64_t random_stream_next(struct random_stream *stream)
{
	uint64_t *s = stream->state;
	uint64_t result = rotate_left(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate_left(s[3], 45);
	return result;
}

uint64_t random_stream_below(struct random_stream *stream, uint64_t bound)
{
	uint64_t limit = UINT64_MAX - UINT64_MAX % bound, value;

	do
		value = random_stream_next(stream);
	while (value >= limit);
	return value % bound;
}

double random_stream_unit(struct random_stream *stream)
{
	return (double)(random_stream_next(stream) >> 11) * 0x1.0p-53;
}
