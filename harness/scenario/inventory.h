/* SPDX-License-Identifier: MIT */
/*
 * Which hosts there are and how to reach them (docs/schema/inventory.schema.json): read
 * from a file of the user's, or made by a backend, and embedded in every result. Party p
 * is on hosts[p]. No secret stands in it, only where the secret is.
 */
#ifndef HARNESS_SCENARIO_INVENTORY_H
#define HARNESS_SCENARIO_INVENTORY_H

#include "base/error.h"
#include "engine/network.h"

#include <stdint.h>

struct cJSON;

#define INVENTORY_HOSTS_MAX NETWORK_PARTIES_MAX

struct inventory_host {
	char name[32];
	char region[16]; /* "" = not said */
	/* How to reach it: always there with backend "ssh"; "" in "emulated", where they
	 * are made for the run. */
	char address[46]; /* numeric IPv4 or IPv6 */
	uint32_t port;    /* of sshd */
	char user[32];
	char host_key[128]; /* "ssh-ed25519 AAAA..." */
};

struct inventory {
	char backend[16];        /* "emulated" or "ssh" */
	char identity_path[512]; /* the controller's private key; "" = made for the run */
	char up[64]; /* hosts that `e3 up` keeps under this name: their network is to be
		      * entered before they can be reached; "" = the machine's own */
	struct inventory_host hosts[INVENTORY_HOSTS_MAX];
	uint32_t n_hosts;
};

/* -EINVAL (or the errno of opening the file) with a sentence that names file and key. */
int inventory_read(const char *path, struct inventory *out, struct error *err);

/* The document, to be freed with cJSON_Delete(); NULL when out of memory. */
struct cJSON *inventory_json(const struct inventory *inventory);

#endif
