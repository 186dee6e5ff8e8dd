/* SPDX-License-Identifier: MIT */
/* From the cards of all parties to what `wg setconf` reads. */
#ifndef TRANSPORTS_WIREGUARD_WIREGUARD_CONFIG_H
#define TRANSPORTS_WIREGUARD_WIREGUARD_CONFIG_H

#include "transports/wireguard/wireguard_card.h"

#include <e3/host.h>

struct wireguard_mesh {
	const struct e3_host *host;
	e3_party self;
	uint32_t n_parties;
	const char *const *addresses; /* of the parties in the overlay */
	uint32_t keepalive_s;         /* 0 = none */
};

/* The cards, checked: each is one, no two show one key, the own one is in its place. 0,
 * or -EPROTO, the sentence logged. `out` takes n_parties. */
int wireguard_config_read_cards(const struct wireguard_mesh *mesh, const char *own_key,
    const struct e3_iov *cards, struct wireguard_card *out);

/* The configuration with the private key of the state folder; NULL, the sentence logged,
 * when that cannot be read. */
char *wireguard_config_write(
    const struct wireguard_mesh *mesh, const struct wireguard_card *cards);
/* Wipes it first. */
void wireguard_config_free(char *config);

#endif
