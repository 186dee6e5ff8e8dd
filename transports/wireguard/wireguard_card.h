/* SPDX-License-Identifier: MIT */
/*
 * What a party tells the others: its public key and its UDP port, as text.
 *
 *	wireguard 1
 *	key <44 characters of base64>
 *	port 51820
 *
 * Where it can be reached is the inventory's to say, not the party's: a lying card cannot
 * turn the others' packets on a third host.
 */
#ifndef TRANSPORTS_WIREGUARD_WIREGUARD_CARD_H
#define TRANSPORTS_WIREGUARD_WIREGUARD_CARD_H

#include <e3/types.h>

#define WIREGUARD_KEY_CHARS 44u /* base64 of 32 bytes */

struct wireguard_card {
	char key[WIREGUARD_KEY_CHARS + 1];
	uint16_t port;
};

/* Whether these are exactly WIREGUARD_KEY_CHARS characters that are the base64 of 32
 * bytes. */
int wireguard_card_is_key(const char *text, size_t chars);

/* Returns the length, or -ENOSPC. */
int wireguard_card_write(const struct wireguard_card *card, char *out, size_t out_bytes);
/* Hostile input. 0, or -EPROTO for anything but a card. */
int wireguard_card_read(struct wireguard_card *out, struct e3_iov bytes);

#endif
