/* SPDX-License-Identifier: MIT */
/* A file that is there whole or not at all. */
#ifndef HARNESS_RESULT_ATOMIC_FILE_H
#define HARNESS_RESULT_ATOMIC_FILE_H

#include "base/error.h"

#include <stddef.h>

/* Write PATH.part, fsync, rename to PATH, fsync the folder. On failure neither is left (a
 * PATH that was there before stays as it was), and the sentence names the file. */
int atomic_file_write(const char *path, const char *text, size_t len, struct error *err);

/* The sentence for a file that can't be written, with what to do about `code`. */
int atomic_file_error(struct error *err, int code, const char *path);

#endif
