/* SPDX-License-Identifier: MIT */
/* Small text files in a transport's state folder, mode 0600, whole or not there. */
#ifndef TRANSPORTS_COMMON_STATE_FILE_H
#define TRANSPORTS_COMMON_STATE_FILE_H

#include <stddef.h>

/* FOLDER/NAME; -ENAMETOOLONG when it does not fit. */
int state_file_path(char *out, size_t out_bytes, const char *folder, const char *name);
/* Replaces what is there. 0 or a negative errno. */
int state_file_write(const char *path, const char *text);
/* NUL-terminated. Returns the length; -ENOENT, or -EFBIG when it does not fit. */
int state_file_read(const char *path, char *out, size_t out_bytes);
/* 0 also when there is none. */
int state_file_remove(const char *path);

#endif
