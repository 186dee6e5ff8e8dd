/* SPDX-License-Identifier: MIT */
/*
 * Pseudorandom bytes from a 16-byte key: AES-128 in counter mode from counter 0 (NIST
 * SP 800-38A, 6.5). Two holders of a key that ask for the same lengths in the same order
 * get the same bytes, however each request is cut. By VAES where the CPU has it, else by
 * libcrypto with one cipher context a key; both give the same bytes.
 */
#ifndef ENGINE_PRG_H
#define ENGINE_PRG_H

#include "base/error.h"
#include "engine/prg_vaes.h"

#include <stddef.h>
#include <stdint.h>

#define PRG_KEY_BYTES    16u
#define PRG_BUFFER_BYTES 2048u

struct prg {
	int is_open;
	uint32_t at;      /* buffer[at ..] is not used yet */
	void *cipher;     /* EVP_CIPHER_CTX; NULL where VAES is used */
	uint64_t counter; /* of the next block that VAES makes */
	unsigned char round_keys[PRG_ROUND_KEYS];
	unsigned char buffer[PRG_BUFFER_BYTES];
};

/* -ENOMEM with a sentence if libcrypto refuses. */
int prg_init(struct prg *prg, const unsigned char key[PRG_KEY_BYTES], struct error *err);
/* As prg_init(), by libcrypto in any case. */
int prg_init_libcrypto(
    struct prg *prg, const unsigned char key[PRG_KEY_BYTES], struct error *err);
/* `to` = the same stream from where it stands. */
int prg_copy(struct prg *to, const struct prg *from, struct error *err);
/* Zeroed and half-built are fine. Wipes what is left of the stream. */
void prg_finish(struct prg *prg);

/* The next `len` bytes of the stream. Long requests are written in place. Aborts the
 * process if libcrypto fails, as random_bytes() does. */
void prg_bytes(struct prg *prg, void *out, size_t len);

/* Another key from a key: AES of (label, index). Labels keep purposes apart. */
int prg_derive(unsigned char out[PRG_KEY_BYTES], const unsigned char key[PRG_KEY_BYTES],
    uint64_t label, uint64_t index, struct error *err);

#endif
