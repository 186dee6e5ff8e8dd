/* SPDX-License-Identifier: MIT */
/* The small text files in which a kernel tells facts (/proc, /sys). `root` is "" for
 * this machine, or the folder of a fake one in tests. */
#ifndef HARNESS_MEASURE_SYSTEM_FILE_H
#define HARNESS_MEASURE_SYSTEM_FILE_H

#include <stddef.h>

/* The file's text, cut to fit, without trailing white space; "" when it can't be read.
 * Returns the length. Any NUL in the file ends the text. */
size_t system_file_read(const char *root, const char *path, char *out, size_t out_bytes);

/* What follows `key` (and white space, ':' or '=') in the first line that begins with
 * it, up to the end of that line; -ENOENT. */
int system_file_value(const char *text, const char *key, char *out, size_t out_bytes);

#endif
