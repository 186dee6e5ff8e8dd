/* SPDX-License-Identifier: MIT */
/* A whole file of this machine in memory, with its SHA-256. */
#ifndef HARNESS_FLEET_LOCAL_FILE_H
#define HARNESS_FLEET_LOCAL_FILE_H

#include "base/error.h"

#include <stddef.h>

#define LOCAL_FILE_BYTES_MAX (1u << 30)

struct local_file {
	unsigned char *bytes;
	size_t len;
	char sha256[65]; /* hexadecimal */
};

/* Blocks while it reads. -errno with a sentence that names the file. */
int local_file_read(struct local_file *file, const char *path, struct error *err);
void local_file_finish(struct local_file *file);

#endif
