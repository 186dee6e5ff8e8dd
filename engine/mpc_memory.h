/* SPDX-License-Identifier: MIT */
/* Inside of mpc*.c: where vectors and frames live. */
#ifndef ENGINE_MPC_MEMORY_H
#define ENGINE_MPC_MEMORY_H

#include "engine/mpc.h"

/* At least *bytes on a cache line, in huge pages if large; *bytes is what there is.
 * Return them with free(). NULL if there is no memory. */
void *mpc_pages(size_t *bytes);

/* Frees a chunk and all newer ones. NULL is fine. */
void mpc_memory_free(struct mpc_chunk *chunk);

#endif
