/* SPDX-License-Identifier: MIT */
/*
 * Keys: made as raw ed25519 by OpenSSL, read from OpenSSH's own format ("openssh-key-v1",
 * OpenSSH's PROTOCOL.key) or PKCS #8, and kept in PKCS #8, which libssh2 takes from
 * memory.
 */
#include "harness/fleet/fleet.h"

#include "base/bytes.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define RAW_BYTES  32
#define TYPE       "ssh-ed25519"
#define TYPE_CHARS 11

static const char openssh_begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
static const char openssh_end[] = "-----END OPENSSH PRIVATE KEY-----";

static unsigned char *store_be32(unsigned char *at, uint32_t value)
{
	for (int i = 3; i >= 0; i--)
		*at++ = (unsigned char)(value >> 8 * i);
	return at;
}

static int key_set(struct fleet_key *key, EVP_PKEY *pkey)
{
	unsigned char blob[4 + TYPE_CHARS + 4 + RAW_BYTES], *at;
	size_t len = RAW_BYTES;
	char base64[BYTES_BASE64_CHARS(sizeof(blob)) + 1];
	BIO *bio = BIO_new(BIO_s_secmem());
	int n = 0;

	at = store_be32(blob, TYPE_CHARS);
	memcpy(at, TYPE, TYPE_CHARS);
	at = store_be32(at + TYPE_CHARS, RAW_BYTES);
	if (bio && EVP_PKEY_get_raw_public_key(pkey, at, &len) == 1 && len == RAW_BYTES &&
	    PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) == 1)
		n = BIO_read(bio, key->private_pem, sizeof(key->private_pem) - 1);
	BIO_free(bio);
	if (n <= 0)
		return -EINVAL;
	key->private_pem[n] = '\0';
	bytes_to_base64(base64, blob, sizeof(blob));
	snprintf(key->public_line, sizeof(key->public_line), TYPE " %s e3", base64);
	return 0;
}

int fleet_key_make(struct fleet_key *key, struct error *err)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	int rc = pkey ? key_set(key, pkey) : -ENOTSUP;

	EVP_PKEY_free(pkey);
	return rc < 0 ? error_set(err, rc, "OpenSSL makes no ed25519 key") : 0;
}

/* A length-prefixed string of an SSH blob; NULL when it reaches over the end. */
static const unsigned char *take_string(
    const unsigned char **at, const unsigned char *end, size_t *len)
{
	const unsigned char *from = *at;
	uint32_t n;

	if (end - from < 4)
		return NULL;
	n = (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 |
	    from[3];
	from += 4;
	if ((size_t)(end - from) < n)
		return NULL;
	*at = from + n;
	*len = n;
	return from;
}

static bool take_exactly(const unsigned char **at, const unsigned char *end,
    const char *expected, size_t expected_len)
{
	size_t len;
	const unsigned char *from = take_string(at, end, &len);

	return from && len == expected_len && memcmp(from, expected, len) == 0;
}

/* The private key's seed in the unencrypted openssh-key-v1 blob; NULL when it is another
 * kind of key or has a passphrase. */
static const unsigned char *openssh_seed(const unsigned char *blob, size_t blob_len)
{
	static const char magic[] = "openssh-key-v1";
	const unsigned char *at = blob + sizeof(magic), *end = blob + blob_len, *seed;
	size_t len;

	if (blob_len < sizeof(magic) || memcmp(blob, magic, sizeof(magic)) != 0 ||
	    !take_exactly(&at, end, "none", 4) || !take_exactly(&at, end, "none", 4) ||
	    !take_exactly(&at, end, "", 0) || end - at < 4)
		return NULL;
	at += 4;                          /* number of keys */
	if (!take_string(&at, end, &len)) /* public key */
		return NULL;
	at = take_string(&at, end, &len);
	if (!at || len < 8)
		return NULL;
	end = at + len;
	at += 8; /* two equal check numbers */
	if (!take_exactly(&at, end, TYPE, TYPE_CHARS) || !take_string(&at, end, &len))
		return NULL;
	seed = take_string(&at, end, &len);
	return seed && len == 2 * RAW_BYTES ? seed : NULL;
}

static EVP_PKEY *parse_openssh(const char *text)
{
	const char *from = strstr(text, openssh_begin), *to = strstr(text, openssh_end);
	char base64[4096];
	unsigned char blob[3072];
	const unsigned char *seed = NULL;
	EVP_PKEY *pkey = NULL;
	int64_t len;
	size_t n = 0;

	if (!from || !to || to < from)
		return NULL;
	for (from += strlen(openssh_begin); from < to && n < sizeof(base64) - 1; from++)
		if (*from != '\n' && *from != '\r')
			base64[n++] = *from;
	base64[n] = '\0';
	len = bytes_from_base64(blob, sizeof(blob), base64);
	if (len > 0)
		seed = openssh_seed(blob, (size_t)len);
	if (seed)
		pkey =
		    EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, RAW_BYTES);
	OPENSSL_cleanse(base64, sizeof(base64));
	OPENSSL_cleanse(blob, sizeof(blob));
	return pkey;
}

/* Asked for a passphrase: there is none. */
static int on_passphrase(char *out, int size, int is_write, void *user)
{
	(void)out, (void)size, (void)is_write, (void)user;
	return -1;
}

static EVP_PKEY *parse_pem(const char *text)
{
	BIO *bio = BIO_new_mem_buf(text, -1);
	EVP_PKEY *pkey =
	    bio ? PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, NULL) : NULL;

	BIO_free(bio);
	if (pkey && EVP_PKEY_get_id(pkey) != EVP_PKEY_ED25519) {
		EVP_PKEY_free(pkey);
		return NULL;
	}
	return pkey;
}

int fleet_key_read(struct fleet_key *key, const char *path, struct error *err)
{
	char text[8192];
	FILE *file = fopen(path, "re");
	struct stat status;
	EVP_PKEY *pkey;
	size_t len;
	int rc;

	if (!file)
		return error_set_errno(err, -errno, "cannot read the key '%s'", path);
	if (fstat(fileno(file), &status) == 0 && (status.st_mode & 077) != 0) {
		fclose(file);
		return error_set(err, -EPERM,
		    "the private key '%s' is open to others; run: chmod 600 '%s'", path,
		    path);
	}
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	pkey = strstr(text, openssh_begin) ? parse_openssh(text) : parse_pem(text);
	OPENSSL_cleanse(text, sizeof(text));
	rc = pkey ? key_set(key, pkey) : -EINVAL;
	EVP_PKEY_free(pkey);
	if (rc < 0)
		return error_set(err, rc,
		    "'%s' is not an ed25519 private key without passphrase; make one "
		    "with: "
		    "ssh-keygen -t ed25519 -N '' -f FILE",
		    path);
	return 0;
}

void fleet_key_finish(struct fleet_key *key)
{
	OPENSSL_cleanse(key, sizeof(*key));
}
