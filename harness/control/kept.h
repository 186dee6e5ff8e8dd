/* SPDX-License-Identifier: MIT */
/*
 * Hosts that `e3 up` keeps: a folder /run/e3/NAME with what stock ssh needs, and a keeper
 * process that holds the testbed. The keeper has a POSIX lock on the folder's file
 * "keeper": whoever asks for the lock learns the keeper's process id from the kernel, so
 * a folder whose keeper was killed is known as such, and no number is read from a file.
 *
 * Everything that makes or removes folders holds the registry's own lock, but for a
 * keeper that removes its own. The registry is root's.
 */
#ifndef HARNESS_CONTROL_KEPT_H
#define HARNESS_CONTROL_KEPT_H

#include "base/error.h"

#include <stddef.h>
#include <sys/types.h>

#define KEPT_ROOT       "/run/e3"
#define KEPT_NAME_BYTES 64
#define KEPT_PATH_BYTES 128

/* Letters, digits, '-', '_' and '.', not first: one folder name. */
int kept_is_name(const char *name);
/* "/run/e3/NAME/FILE" into `out`, KEPT_PATH_BYTES. */
char *kept_path(char *out, const char *name, const char *file);

/* Makes the registry if it is not there, and waits for its lock, 30 s at most. Returns a
 * descriptor for kept_unlock(), which removes an empty registry. */
int kept_lock(struct error *err);
void kept_unlock(int lock_fd);
/* Removes an empty registry. For those who don't hold the lock. */
void kept_tidy(void);

/* The keeper's process id; 0 if it is dead; -ENOENT without such a folder, -EACCES
 * without root. */
pid_t kept_keeper(const char *name);
/* As the calling process, be the keeper: *out stays open as long as it is. -EBUSY if
 * another is. */
int kept_claim(const char *name, int *out, struct error *err);

/* Folder of a name and all in it. With the registry locked, or by the keeper itself. */
void kept_remove(const char *name);
/* Removes the folders whose keeper is dead. With the registry locked. */
void kept_sweep(void);
/* Names whose keeper lives, in no order; returns how many of them fit. */
size_t kept_names(char (*names)[KEPT_NAME_BYTES], size_t max);

/* Opens the network of a keeper's process; sets *pid_fd, readable when it has ended. The
 * caller closes both. -ENOENT or -EACCES with what to do. */
int kept_open(const char *name, int *pid_fd, int *netns_fd, struct error *err);

#endif
