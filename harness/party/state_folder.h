/* SPDX-License-Identifier: MIT */
/* The folder beside the program in which a transport keeps its identity on this host. */
#ifndef HARNESS_PARTY_STATE_FOLDER_H
#define HARNESS_PARTY_STATE_FOLDER_H

#include "base/error.h"

#include <stddef.h>

/* Make (or find again) `<folder of the program>/state-NAME`, mode 0700. */
int state_folder_make(const char *name, char *out, size_t out_bytes, struct error *err);
/* Remove it and the files in it. 0 when it is gone. */
int state_folder_remove(const char *path, struct error *err);

/* `<folder of the program>/NAME`. */
int state_folder_sibling(
    const char *name, char *out, size_t out_bytes, struct error *err);

#endif
