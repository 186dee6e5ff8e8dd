/* SPDX-License-Identifier: MIT */
/* Short runs of every protocol that check their own answer (-EBADMSG if it is wrong). */
#ifndef TESTS_ENGINE_PROTOCOLS_H
#define TESTS_ENGINE_PROTOCOLS_H

#include "engine/mpc.h"

struct protocol {
	const char *name;
	int (*body)(
	    struct mpc *mpc, void *user, struct error *err); /* of struct parties */
};

extern const struct protocol protocols[];
extern const size_t n_protocols;

#endif
