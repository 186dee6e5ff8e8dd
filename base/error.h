/* SPDX-License-Identifier: MIT */
/*
 * One error: a negative errno and one sentence that grows outward.
 *
 * A library sets the innermost sentence, each caller prefixes what it was doing; only
 * commands print. Every function accepts err == NULL.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <errno.h>

#define ERROR_TEXT_BYTES 1024

struct error {
	int code; /* 0 = no error, else a negative errno */
	char text[ERROR_TEXT_BYTES];
};

/* Set code and sentence; a longer sentence is cut. Returns `code`, so that
 * `return error_set(err, -EINVAL, ...)` is the idiom. */
int error_set(struct error *err, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As error_set(), and appends ": " and strerror(-code). */
int error_set_errno(struct error *err, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Prefix "FMT: " to the sentence. Returns err->code (or -EIO if err is NULL). */
int error_wrap(struct error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
