/* SPDX-License-Identifier: MIT */
/*
 * Strict reading of JSON that people write: scenarios, matrices, inventories.
 *
 * cJSON is lenient, so the text passes json_check() (RFC 8259 to the letter) first; then
 * objects are read by tables of rules. Every error is one sentence that names the file
 * and either line and column or the JSON pointer (RFC 6901) of the value:
 *
 *	a.json: line 3, column 5: expected ',' or '}', not 'x'
 *	a.json: /parties/count: 11 is not 1..10
 */
#ifndef HARNESS_SCENARIO_JSON_READER_H
#define HARNESS_SCENARIO_JSON_READER_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct cJSON;

#define JSON_FILE_BYTES_MAX (1u << 20)
#define JSON_DEPTH_MAX      32u
#define JSON_KEYS_MAX       256u               /* of one object */
#define JSON_INTEGER_MAX    9007199254740991.0 /* 2^53 - 1: exact in a double */

/* Is `text` one JSON document in valid UTF-8, nested at most JSON_DEPTH_MAX deep, no
 * object with a key twice or with more than JSON_KEYS_MAX, no NUL in a string? 0, or
 * -EINVAL with a sentence that begins with `file`. */
int json_check(const char *file, const char *text, size_t len, struct error *err);

struct json_document {
	char *file;         /* as given; in every sentence */
	char *text;         /* as read, NUL-terminated */
	struct cJSON *root; /* never NULL after a successful read */
};

/* A regular file of at most JSON_FILE_BYTES_MAX. -EINVAL, or the errno of opening it. */
int json_document_read(const char *file, struct json_document *out, struct error *err);
/* The same from memory; `text` is copied. */
int json_document_parse(const char *file, const char *text, size_t len,
    struct json_document *out, struct error *err);
void json_document_finish(struct json_document *document); /* zeroed is fine */

/* A value and where it stands. Lives on the stack of whoever walks the document. */
struct json_scope {
	const char *file;
	const struct json_scope *parent; /* NULL at the root */
	const char *key;                 /* in its object; NULL in an array */
	uint32_t index;                  /* in its array */
	const struct cJSON *value;
};

struct json_scope json_root(const struct json_document *document);
struct json_scope json_member(
    const struct json_scope *object, const struct cJSON *member);
struct json_scope json_item(
    const struct json_scope *array, const struct cJSON *item, uint32_t index);

/* Set -EINVAL and "FILE: POINTER: ...". */
int json_error(const struct json_scope *at, struct error *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* How one key of an object is read. `offset` is in the struct given to
 * json_read_object(), `bytes` the size of the field there. */
struct json_rule {
	const char *key;
	int is_required;
	int (*read)(const struct json_scope *at, const struct json_rule *rule,
	    void *field, struct error *err);
	size_t offset, bytes;
	double min, max;    /* of a number, as written in the file */
	double unit;        /* json_read_quantity(): what 1 in the file is in the field */
	const char *expect; /* json_read_constant(): the only text allowed */
};

/* All keys of `at` by `rules` (ending with .key = NULL). Not an object, an unknown key
 * (the nearest known one is named), a missing required key: -EINVAL. */
int json_read_object(const struct json_scope *at, const struct json_rule *rules,
    void *into, struct error *err);

/* Each for json_rule.read; `field` is of the type said. */
int json_read_constant(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err);                  /* nothing is stored */
#define JSON_TEXT_CHARACTERS(bytes) (((bytes)-1) / 4) /* of UTF-8 that always fit */
int json_read_text(const struct json_scope *at, const struct json_rule *rule, void *field,
    struct error *err); /* char[bytes]: 1..JSON_TEXT_CHARACTERS(bytes), no control
			   characters */
int json_read_name(const struct json_scope *at, const struct json_rule *rule, void *field,
    struct error *err); /* char[bytes]: lower-case letters, digits, '-'; fit for a file
			   name */
int json_read_u32(const struct json_scope *at, const struct json_rule *rule, void *field,
    struct error *err); /* uint32_t: an integer in min..max */
int json_read_u64(const struct json_scope *at, const struct json_rule *rule, void *field,
    struct error *err); /* uint64_t: an integer in min..max */
int json_read_quantity(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err); /* uint64_t: a number in min..max, times unit */
int json_read_double(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err); /* double: a number in min..max */

/* Items of an array of min..max items, one after the other. */
int json_read_array(const struct json_scope *at, uint32_t min, uint32_t max,
    int (*read_item)(const struct json_scope *at, void *into, struct error *err),
    void *into, struct error *err);

#endif
