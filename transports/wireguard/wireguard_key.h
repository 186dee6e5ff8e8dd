/* SPDX-License-Identifier: MIT */
/* The identity of this party: a Curve25519 key pair, made here by `wg genkey`. The
 * private part is in file `key` of the state folder, mode 0600, and nowhere else. */
#ifndef TRANSPORTS_WIREGUARD_WIREGUARD_KEY_H
#define TRANSPORTS_WIREGUARD_WIREGUARD_KEY_H

#include "transports/wireguard/wireguard_card.h"
#include "transports/wireguard/wireguard_programs.h"

#include <e3/host.h>

/* Make the key unless there is one; its public part goes to public_key. 0, or a negative
 * errno, the sentence logged. */
int wireguard_key_make(const struct e3_host *host,
    const struct wireguard_programs *programs, char public_key[WIREGUARD_KEY_CHARS + 1],
    uint64_t deadline_ms);

/* The private part; the caller wipes it. */
int wireguard_key_read(
    const struct e3_host *host, char private_key[WIREGUARD_KEY_CHARS + 1]);

/* 0 also when there is none. */
int wireguard_key_remove(const struct e3_host *host);

#endif
