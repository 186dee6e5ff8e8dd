/* SPDX-License-Identifier: MIT */
/* A whole file in memory. */
#ifndef HARNESS_PARTY_FILE_BYTES_H
#define HARNESS_PARTY_FILE_BYTES_H

#include "base/error.h"

#include <stddef.h>

/* At most `max` bytes, followed by a NUL; free(*out). The sentence names the file. */
int file_bytes_read(
    const char *path, size_t max, unsigned char **out, size_t *len, struct error *err);

#endif
