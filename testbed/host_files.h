/* SPDX-License-Identifier: MIT */
/*
 * What a host sees: the machine's files, read-only; /etc with accounts and names of its
 * own; empty /run, /tmp, /var/tmp, /root, /home and /dev/shm in memory; its own /proc,
 * /sys and terminals. Of /proc/sys only net is writable.
 */
#ifndef TESTBED_HOST_FILES_H
#define TESTBED_HOST_FILES_H

#include "testbed/host_init.h"

#include <sys/types.h>

/* The testbed's own folder on a host; not what /run/e3 is on the machine. */
#define HOST_FOLDER "/run/e3-host"

/* In a mount namespace of its own, before anything is started. */
int host_files_setup(const struct host_spec *spec, struct error *err);

/* A new file with this text. */
int host_files_write(const char *path, mode_t mode, const char *text, struct error *err);
/* The last bytes of a file that fit, NUL-terminated; "" if there is none. */
void host_files_tail(const char *path, char *out, size_t out_bytes);

#endif
