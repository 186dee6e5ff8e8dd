/* SPDX-License-Identifier: MIT */
#include "transports/wireguard/wireguard_config.h"

#include "transports/wireguard/wireguard_key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEER_CHARS 256u /* at most; the interface's part too */

int wireguard_config_read_cards(const struct wireguard_mesh *mesh, const char *own_key,
    const struct e3_iov *cards, struct wireguard_card *out)
{
	const struct e3_host *host = mesh->host;

	for (e3_party p = 0; p < mesh->n_parties; p++) {
		if (wireguard_card_read(&out[p], cards[p]) < 0) {
			host->log(host->ctx, E3_LOG_ERROR,
			    "transport wireguard: the card of party %u is none", p);
			return -EPROTO;
		}
		for (e3_party q = 0; q < p; q++)
			if (strcmp(out[p].key, out[q].key) == 0) {
				host->log(host->ctx, E3_LOG_ERROR,
				    "transport wireguard: parties %u and %u show the "
				    "same "
				    "public key",
				    q, p);
				return -EPROTO;
			}
	}
	if (strcmp(out[mesh->self].key, own_key) == 0)
		return 0;
	host->log(host->ctx, E3_LOG_ERROR,
	    "transport wireguard: the card handed back for party %u is not the one that "
	    "it "
	    "made",
	    mesh->self);
	return -EPROTO;
}

static size_t write_peer(const struct wireguard_mesh *mesh, e3_party peer,
    const struct wireguard_card *card, char *out, size_t out_bytes)
{
	const char *address = mesh->host->addresses[peer];
	int is_ip6 = strchr(address, ':') != NULL;
	char keepalive[64] = "";
	int n;

	if (mesh->keepalive_s > 0)
		snprintf(keepalive, sizeof(keepalive), "PersistentKeepalive = %u\n",
		    mesh->keepalive_s);
	n = snprintf(out, out_bytes,
	    "[Peer]\nPublicKey = %s\nAllowedIPs = %s/32\nEndpoint = %s%.46s%s:%u\n%s",
	    card->key, mesh->addresses[peer], is_ip6 ? "[" : "", address,
	    is_ip6 ? "]" : "", card->port, keepalive);
	return (size_t)n;
}

char *wireguard_config_write(
    const struct wireguard_mesh *mesh, const struct wireguard_card *cards)
{
	size_t room = PEER_CHARS * ((size_t)mesh->n_parties + 1), used;
	const struct e3_host *host = mesh->host;
	char key[WIREGUARD_KEY_CHARS + 1];
	char *config = calloc(1, room);
	int rc = wireguard_key_read(host, key);

	if (rc < 0 || config == NULL) {
		host->log(host->ctx, E3_LOG_ERROR,
		    "transport wireguard: file key in %s: %s", host->state_folder,
		    strerror(rc < 0 ? -rc : ENOMEM));
		free(config);
		return NULL;
	}
	used = (size_t)snprintf(config, room,
	    "[Interface]\nPrivateKey = %s\nListenPort = %u\n", key,
	    cards[mesh->self].port);
	for (e3_party p = 0; p < mesh->n_parties; p++)
		if (p != mesh->self)
			used +=
			    write_peer(mesh, p, &cards[p], config + used, room - used);
	explicit_bzero(key, sizeof(key));
	return config;
}

void wireguard_config_free(char *config)
{
	if (config == NULL)
		return;
	explicit_bzero(config, strlen(config));
	free(config);
}
