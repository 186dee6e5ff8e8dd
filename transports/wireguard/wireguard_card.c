/* SPDX-License-Identifier: MIT */
#include "transports/wireguard/wireguard_card.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CARD_CHARS_MAX 128
#define BASE64                                                                           \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"                                                     \
	"abcdefghijklmnopqrstuvwxyz"                                                     \
	"0123456789+/"
/* The last character before the padding holds four bits: its index is a multiple of 4. */
#define BASE64_FOUR_BITS "AEIMQUYcgkosw048"

int wireguard_card_is_key(const char *text, size_t chars)
{
	if (chars != WIREGUARD_KEY_CHARS || text[chars - 1] != '=')
		return 0;
	for (size_t i = 0; i + 2 < chars; i++)
		if (text[i] == '\0' || strchr(BASE64, text[i]) == NULL)
			return 0;
	return text[chars - 2] != '\0' &&
	       strchr(BASE64_FOUR_BITS, text[chars - 2]) != NULL;
}

int wireguard_card_write(const struct wireguard_card *card, char *out, size_t out_bytes)
{
	int n = snprintf(
	    out, out_bytes, "wireguard 1\nkey %s\nport %u\n", card->key, card->port);

	return n < 0 || (size_t)n >= out_bytes ? -ENOSPC : n;
}

int wireguard_card_read(struct wireguard_card *out, struct e3_iov bytes)
{
	static const char head[] = "wireguard 1\nkey ", middle[] = "\nport ";
	const size_t key_at = sizeof(head) - 1, middle_at = key_at + WIREGUARD_KEY_CHARS,
		     port_at = middle_at + sizeof(middle) - 1;
	char text[CARD_CHARS_MAX];
	size_t digits;
	unsigned long port;

	if (bytes.len <= port_at || bytes.len >= sizeof(text))
		return -EPROTO;
	memcpy(text, bytes.base, bytes.len);
	text[bytes.len] = '\0';
	digits = strspn(text + port_at, "0123456789");
	if (memcmp(text, head, key_at) != 0 ||
	    !wireguard_card_is_key(text + key_at, WIREGUARD_KEY_CHARS) ||
	    memcmp(text + middle_at, middle, sizeof(middle) - 1) != 0 || digits == 0 ||
	    digits > 5 || port_at + digits + 1 != bytes.len ||
	    text[port_at + digits] != '\n')
		return -EPROTO;
	port = strtoul(text + port_at, NULL, 10);
	if (port == 0 || port > UINT16_MAX)
		return -EPROTO;
	memcpy(out->key, text + key_at, WIREGUARD_KEY_CHARS);
	out->key[WIREGUARD_KEY_CHARS] = '\0';
	out->port = (uint16_t)port;
	return 0;
}
