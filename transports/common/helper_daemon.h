/* SPDX-License-Identifier: MIT */
/*
 * A program that runs beside the party until it is stopped: in the foreground, as our
 * child, ended by the kernel when we die. A file in the state folder names it, so that a
 * fresh process can stop what a crash has left.
 */
#ifndef TRANSPORTS_COMMON_HELPER_DAEMON_H
#define TRANSPORTS_COMMON_HELPER_DAEMON_H

#include <stdint.h>
#include <sys/types.h>

/* Start argv, "NAME=value" strings of `extra` (NULL-terminated) added to the environment,
 * standard error into `log_path`. Returns the process id, or a negative errno. */
int helper_daemon_start(const char *const *argv, const char *const *extra,
    const char *log_path, const char *pid_path);

/* A descriptor that is readable when the process of the file has ended, or a negative
 * errno. */
int helper_daemon_watch(const char *pid_path);

/* The process of the file; 0 when it no longer runs. */
pid_t helper_daemon_pid(const char *pid_path);

/* Whether it still runs. */
int helper_daemon_is_alive(const char *pid_path);

/* End it: SIGTERM, and SIGKILL when half of the time is over; then remove the file. 0
 * also when there is no file or no such process; -ETIMEDOUT when it still lives. A
 * process that merely has the same number is left alone. */
int helper_daemon_stop(const char *pid_path, uint64_t deadline_ms);

#endif
