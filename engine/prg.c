/* SPDX-License-Identifier: MIT */
#include "engine/prg.h"

#include "base/bytes.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#define CHUNK_BYTES 16384u

static const unsigned char zeros[CHUNK_BYTES];

_Static_assert(PRG_BUFFER_BYTES % PRG_VAES_STEP == 0, "VAES fills whole buffers");

static int no_cipher(struct error *err)
{
	return error_set(err, -ENOMEM, "libcrypto gives no AES-128-CTR");
}

int prg_init_libcrypto(
    struct prg *prg, const unsigned char key[PRG_KEY_BYTES], struct error *err)
{
	static const unsigned char counter[16];
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();

	if (cipher == NULL ||
	    EVP_EncryptInit_ex(cipher, EVP_aes_128_ctr(), NULL, key, counter) != 1) {
		EVP_CIPHER_CTX_free(cipher);
		return no_cipher(err);
	}
	prg->is_open = 1;
	prg->cipher = cipher;
	prg->at = PRG_BUFFER_BYTES;
	return 0;
}

int prg_init(struct prg *prg, const unsigned char key[PRG_KEY_BYTES], struct error *err)
{
	if (!prg_vaes_runs_here())
		return prg_init_libcrypto(prg, key, err);
	prg_vaes_expand(prg->round_keys, key);
	prg->is_open = 1;
	prg->cipher = NULL;
	prg->counter = 0;
	prg->at = PRG_BUFFER_BYTES;
	return 0;
}

int prg_copy(struct prg *to, const struct prg *from, struct error *err)
{
	EVP_CIPHER_CTX *cipher = NULL;

	if (from->cipher != NULL) {
		cipher = EVP_CIPHER_CTX_new();
		if (cipher == NULL || EVP_CIPHER_CTX_copy(cipher, from->cipher) != 1) {
			EVP_CIPHER_CTX_free(cipher);
			return no_cipher(err);
		}
	}
	*to = *from;
	to->cipher = cipher;
	return 0;
}

void prg_finish(struct prg *prg)
{
	EVP_CIPHER_CTX_free(prg->cipher);
	OPENSSL_cleanse(prg, sizeof(*prg));
}

/* `len` is a multiple of the buffer's. */
static void next_bytes(struct prg *prg, unsigned char *out, size_t len)
{
	if (prg->cipher == NULL) {
		prg_vaes_blocks(prg->round_keys, prg->counter, out, len);
		prg->counter += len / 16;
		return;
	}
	while (len > 0) {
		size_t part = len < CHUNK_BYTES ? len : CHUNK_BYTES;
		int written;

		if (EVP_EncryptUpdate(prg->cipher, out, &written, zeros, (int)part) != 1)
			abort();
		out += part;
		len -= part;
	}
}

void prg_bytes(struct prg *prg, void *out, size_t len)
{
	unsigned char *to = out;
	size_t left = PRG_BUFFER_BYTES - prg->at;
	size_t first = len < left ? len : left;
	size_t whole;

	memcpy(to, prg->buffer + prg->at, first);
	prg->at += (uint32_t)first;
	to += first;
	len -= first;
	whole = len / PRG_BUFFER_BYTES * PRG_BUFFER_BYTES;
	next_bytes(prg, to, whole);
	to += whole;
	len -= whole;
	if (len == 0)
		return;
	next_bytes(prg, prg->buffer, PRG_BUFFER_BYTES);
	memcpy(to, prg->buffer, len);
	prg->at = (uint32_t)len;
}

int prg_derive(unsigned char out[PRG_KEY_BYTES], const unsigned char key[PRG_KEY_BYTES],
    uint64_t label, uint64_t index, struct error *err)
{
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	unsigned char block[PRG_KEY_BYTES];
	int written, ok;

	bytes_store_le64(block, label);
	bytes_store_le64(block + 8, index);
	ok = cipher != NULL &&
	     EVP_EncryptInit_ex(cipher, EVP_aes_128_ecb(), NULL, key, NULL) == 1 &&
	     EVP_EncryptUpdate(cipher, out, &written, block, sizeof(block)) == 1;
	EVP_CIPHER_CTX_free(cipher);
	return ok ? 0 : error_set(err, -ENOMEM, "libcrypto gives no AES-128");
}
