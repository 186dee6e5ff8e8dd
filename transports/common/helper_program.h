/* SPDX-License-Identifier: MIT */
/*
 * Programs that an overlay runs on its host: no shell, no descriptor of ours but the
 * three standard ones, default signals, and never longer than a deadline. What goes in
 * lies in memory (a memfd), so a secret is on no command line, in no environment and in
 * no file.
 */
#ifndef TRANSPORTS_COMMON_HELPER_PROGRAM_H
#define TRANSPORTS_COMMON_HELPER_PROGRAM_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HELPER_ARGUMENTS_MAX   16
#define HELPER_COMPLAINT_BYTES 256

/* A moment of CLOCK_MONOTONIC, in ms. */
uint64_t helper_now_ms(void);
uint64_t helper_left_ms(uint64_t deadline_ms); /* 0 when it has passed */

struct helper_call {
	const char *const *argv; /* argv[0] is a path; ends with NULL */
	const void *input; /* its standard input, which /dev/stdin opens too; or NULL */
	size_t input_bytes;
	char *output; /* its standard output, cut at the room, NUL at the end; or NULL */
	size_t output_bytes;
	/* Filled: the last line of standard error, or why it could not be run. */
	char complaint[HELPER_COMPLAINT_BYTES];
};

/* Run and wait. 0 = it ended with exit code 0; -EIO = with another or by a signal;
 * -ETIMEDOUT = killed at the deadline; else the errno of starting it. */
int helper_call(struct helper_call *call, uint64_t deadline_ms);

/* Executables of this name on $PATH and in the usual folders, each file once, in that
 * order. Returns how many, at most `max`. */
int helper_find(const char *name, char (*paths)[PATH_MAX], int max);

/* For the child, between fork and exec: standard descriptors, nothing else; never
 * returns. A descriptor of -1 is /dev/null. `environment` NULL: inherited. */
void helper_exec(const char *const *argv, char *const *environment, int in, int out,
    int err) __attribute__((noreturn));

/* The last line of the text that says something; the text is cut behind it. */
const char *helper_last_line(char *text);

/* A descriptor that is readable when the process has ended, or a negative errno. */
int helper_pidfd(pid_t pid);

#endif
