/* SPDX-License-Identifier: MIT */
#include "engine/prg_vaes.h"

#ifdef __x86_64__

#include <cpuid.h>
#include <immintrin.h>

#define LINES  8u /* vectors of four blocks that are under way together */
#define ROUNDS 10u

int prg_vaes_runs_here(void)
{
	unsigned a, b, c = 0, d;

	/* clang 14 does not know the name "vaes": leaf 7, ECX bit 9. */
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("aes") && __get_cpuid_count(7, 0, &a, &b, &c, &d) &&
	       (c >> 9 & 1);
}

static inline __m128i next_key(__m128i key, __m128i assist)
{
	assist = _mm_shuffle_epi32(assist, 0xff);
	key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
	key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
	return _mm_xor_si128(key, assist);
}

/* The round constant must be part of the instruction. */
#define EXPAND(i, constant)                                                              \
	do {                                                                             \
		k = next_key(k, _mm_aeskeygenassist_si128(k, constant));                 \
		_mm_storeu_si128((__m128i *)round_keys + (i), k);                        \
	} while (0)

void prg_vaes_expand(
    unsigned char round_keys[PRG_ROUND_KEYS], const unsigned char key[16])
{
	__m128i k = _mm_loadu_si128((const __m128i *)key);

	_mm_storeu_si128((__m128i *)round_keys, k);
	EXPAND(1, 0x01);
	EXPAND(2, 0x02);
	EXPAND(3, 0x04);
	EXPAND(4, 0x08);
	EXPAND(5, 0x10);
	EXPAND(6, 0x20);
	EXPAND(7, 0x40);
	EXPAND(8, 0x80);
	EXPAND(9, 0x1b);
	EXPAND(10, 0x36);
}

/* Bytes of each 16 reversed: a little-endian counter becomes a big-endian one. */
static inline __m512i swap_bytes(__m512i blocks)
{
	return _mm512_shuffle_epi8(blocks,
	    _mm512_broadcast_i32x4(
		_mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)));
}

void prg_vaes_blocks(const unsigned char round_keys[PRG_ROUND_KEYS], uint64_t counter,
    unsigned char *out, size_t len)
{
	__m512i at = _mm512_add_epi64(_mm512_set_epi64(0, 3, 0, 2, 0, 1, 0, 0),
	    _mm512_maskz_set1_epi64(0x55, (long long)counter));
	__m512i four = _mm512_maskz_set1_epi64(0x55, 4);
	__m512i keys[ROUNDS + 1];

	for (unsigned r = 0; r <= ROUNDS; r++)
		keys[r] = _mm512_broadcast_i32x4(
		    _mm_loadu_si128((const __m128i *)round_keys + r));
	for (size_t done = 0; done < len; done += PRG_VAES_STEP) {
		__m512i line[LINES];

		for (unsigned i = 0; i < LINES; i++) {
			line[i] = _mm512_xor_si512(swap_bytes(at), keys[0]);
			at = _mm512_add_epi64(at, four);
		}
		for (unsigned r = 1; r < ROUNDS; r++)
			for (unsigned i = 0; i < LINES; i++)
				line[i] = _mm512_aesenc_epi128(line[i], keys[r]);
		for (unsigned i = 0; i < LINES; i++)
			_mm512_storeu_si512(out + done + 64 * i,
			    _mm512_aesenclast_epi128(line[i], keys[ROUNDS]));
	}
}

#else

int prg_vaes_runs_here(void)
{
	return 0;
}

void prg_vaes_expand(
    unsigned char round_keys[PRG_ROUND_KEYS], const unsigned char key[16])
{
	(void)round_keys;
	(void)key;
}

void prg_vaes_blocks(const unsigned char round_keys[PRG_ROUND_KEYS], uint64_t counter,
    unsigned char *out, size_t len)
{
	(void)round_keys;
	(void)counter;
	(void)out;
	(void)len;
}

#endif
