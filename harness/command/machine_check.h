/* SPDX-License-Identifier: MIT */
/* What this machine can and can't do for E3, one finding a line (`e3 doctor`). */
#ifndef HARNESS_COMMAND_MACHINE_CHECK_H
#define HARNESS_COMMAND_MACHINE_CHECK_H

#include <stddef.h>
#include <stdint.h>

#define MACHINE_CHECKS_MAX 48u

/* Code and text on one line; the text is that of --json. */
#define CHECK_LEVELS(X)                                                                  \
	X(OK, "ok")                                                                      \
	X(WORSE, "worse")     /* runs, but figures suffer */                             \
	X(LESS, "less")       /* runs, but not everything: a transport is missing */     \
	X(MISSING, "missing") /* `e3 run` with emulated hosts can't work */

enum check_level {
#define CHECK_LEVEL_ENUM(name, text) CHECK_##name,
	CHECK_LEVELS(CHECK_LEVEL_ENUM)
#undef CHECK_LEVEL_ENUM
};

const char *check_level_text(enum check_level level);

struct machine_check {
	char name[48];
	enum check_level level;
	char found[320]; /* what is there, for people */
	char fix[320]; /* what to do, a command where one does; "" when nothing is due */
};

/* All checks into `out` (MACHINE_CHECKS_MAX); returns their number. `root` is "" (see
 * harness/measure/system_file.h); `home`: E3's folder, where results go. Nothing is
 * changed, the longest wait is a fork. */
uint32_t machine_check_all(const char *root, const char *home, struct machine_check *out);

#endif
