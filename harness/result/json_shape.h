/* SPDX-License-Identifier: MIT */
/* What a JSON value from a host must look like, as a table; and the check. */
#ifndef HARNESS_RESULT_JSON_SHAPE_H
#define HARNESS_RESULT_JSON_SHAPE_H

#include "base/error.h"

#include <stdint.h>

struct cJSON;

enum shape_kind {
	SHAPE_COUNT,   /* integer, 0 .. 2^53 */
	SHAPE_INTEGER, /* -2^53 .. 2^53 */
	SHAPE_TEXT,    /* clean_text_is(), at most `max` bytes */
	SHAPE_OBJECT,  /* with the keys of `inner`, and no others */
	SHAPE_ARRAY,   /* at most `max` of `inner` (its key is ignored) */
	SHAPE_MAP,     /* any clean keys, at most `max`, each value like `inner` */
};

#define SHAPE_OPTIONAL 1u /* the key may be absent */
#define SHAPE_NULLABLE 2u /* the value may be null */

struct shape {
	const char *key; /* in a table of keys: NULL ends it */
	enum shape_kind kind;
	unsigned flags;
	uint32_t max;
	const struct shape *inner;
};

/* 0, or -EINVAL with a sentence that begins with the path ("/measured/rounds: ..."). Keys
 * given twice are refused. */
int json_shape_check(
    const struct cJSON *json, const struct shape *shape, struct error *err);

#endif
