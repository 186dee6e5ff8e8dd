/* SPDX-License-Identifier: MIT */
#include "transports/common/hello.h"

#include "transports/common/wire_bytes.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static const unsigned char hello_magic[4] = {'E', '3', 'H', '1'};
static const unsigned char where_magic[4] = {'E', '3', 'W', '1'};

void hello_encode(unsigned char out[HELLO_BYTES], const struct hello *hello)
{
	memcpy(out, hello_magic, 4);
	wire_store_32(out + 4, hello->party);
	wire_store_32(out + 8, hello->for_party);
	wire_store_32(out + 12, hello->n_parties);
	wire_store_32(out + 16, hello->lane);
	memcpy(out + 20, hello->token, HELLO_TOKEN_BYTES);
}

int hello_decode(struct hello *out, const unsigned char bytes[HELLO_BYTES])
{
	if (memcmp(bytes, hello_magic, 4) != 0)
		return -EPROTO;
	out->party = wire_load_32(bytes + 4);
	out->for_party = wire_load_32(bytes + 8);
	out->n_parties = wire_load_32(bytes + 12);
	out->lane = wire_load_32(bytes + 16);
	memcpy(out->token, bytes + 20, HELLO_TOKEN_BYTES);
	return 0;
}

int hello_equal(const struct hello *a, const struct hello *b)
{
	volatile unsigned char differs = 0;

	for (size_t i = 0; i < HELLO_TOKEN_BYTES; i++)
		differs |= (unsigned char)(a->token[i] ^ b->token[i]);
	return differs == 0 && a->party == b->party && a->for_party == b->for_party &&
	       a->n_parties == b->n_parties && a->lane == b->lane;
}

void hello_where_encode(
    unsigned char out[HELLO_WHERE_BYTES], const struct hello_where *where)
{
	memcpy(out, where_magic, 4);
	wire_store_32(out + 4, where->port);
	memcpy(out + 8, where->dial_token, HELLO_TOKEN_BYTES);
	memcpy(out + 24, where->answer_token, HELLO_TOKEN_BYTES);
}

int hello_where_decode(struct hello_where *out, struct e3_iov message)
{
	const unsigned char *bytes = message.base;
	uint32_t port;

	if (message.len != HELLO_WHERE_BYTES || memcmp(bytes, where_magic, 4) != 0)
		return -EPROTO;
	port = wire_load_32(bytes + 4);
	if (port == 0 || port > UINT16_MAX)
		return -EPROTO;
	out->port = (uint16_t)port;
	memcpy(out->dial_token, bytes + 8, HELLO_TOKEN_BYTES);
	memcpy(out->answer_token, bytes + 24, HELLO_TOKEN_BYTES);
	return 0;
}

static int random_token(unsigned char token[HELLO_TOKEN_BYTES])
{
	ssize_t n = getrandom(token, HELLO_TOKEN_BYTES, 0);

	return n == HELLO_TOKEN_BYTES ? 0 : n < 0 ? -errno : -EIO;
}

int hello_where_make(struct hello_where *out)
{
	int rc = random_token(out->dial_token);

	out->port = 0;
	return rc < 0 ? rc : random_token(out->answer_token);
}
