/* SPDX-License-Identifier: MIT */
#include "harness/scenario/json_reader.h"

#include "base/nearest.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define POINTER_BYTES 256
#define SHOWN_BYTES   64

struct json_scope json_root(const struct json_document *document)
{
	return (struct json_scope){.file = document->file, .value = document->root};
}

struct json_scope json_member(const struct json_scope *object, const struct cJSON *member)
{
	return (struct json_scope){object->file, object, member->string, 0, member};
}

struct json_scope json_item(
    const struct json_scope *array, const struct cJSON *item, uint32_t index)
{
	return (struct json_scope){array->file, array, NULL, index, item};
}

/* Text of a file in a sentence: control characters as '?', cut at SHOWN_BYTES. */
static const char *shown(char *out, const char *text)
{
	size_t n = 0;

	for (; text[n] != '\0' && n < SHOWN_BYTES - 4; n++)
		out[n] = (unsigned char)text[n] < 0x20 || text[n] == 0x7f ? '?' : text[n];
	/* Not in the middle of a UTF-8 sequence. */
	while (text[n] != '\0' && n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	strcpy(out + n, text[n] == '\0' ? "" : "...");
	return out;
}

static void pointer_append(const struct json_scope *at, char *out, size_t room)
{
	char piece[SHOWN_BYTES];
	size_t used;

	if (at->parent == NULL) {
		snprintf(out, room, "%s", "");
		return;
	}
	pointer_append(at->parent, out, room);
	used = strlen(out);
	if (at->key == NULL) {
		snprintf(out + used, room - used, "/%u", at->index);
		return;
	}
	if (used + 1 < room)
		out[used++] = '/';
	for (const char *c = shown(piece, at->key); *c != '\0' && used + 2 < room; c++) {
		if (*c == '~' || *c == '/')
			out[used++] = '~';
		out[used++] = *c == '~' ? '0' : *c == '/' ? '1' : *c;
	}
	out[used] = '\0';
}

int json_error(const struct json_scope *at, struct error *err, const char *fmt, ...)
{
	char pointer[POINTER_BYTES], what[ERROR_TEXT_BYTES / 2];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	pointer_append(at, pointer, sizeof(pointer));
	return error_set(err, -EINVAL, "%s: %s%s%s", at->file, pointer,
	    pointer[0] == '\0' ? "" : ": ", what);
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int refuse_key_twice(const struct json_scope *object, struct error *err)
{
	const char *keys[JSON_KEYS_MAX];
	char text[SHOWN_BYTES];
	size_t n = 0;

	for (const cJSON *c = object->value->child; c != NULL && n < JSON_KEYS_MAX;
	     c = c->next)
		keys[n++] = c->string;
	qsort(keys, n, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < n; i++)
		if (strcmp(keys[i - 1], keys[i]) == 0)
			return json_error(object, err, "the key '%s' stands here twice",
			    shown(text, keys[i]));
	return 0;
}

static int refuse_keys_twice(const struct json_scope *at, struct error *err)
{
	uint32_t index = 0;
	int rc = 0;

	if (cJSON_IsObject(at->value))
		rc = refuse_key_twice(at, err);
	for (const cJSON *c = at->value->child; rc == 0 && c != NULL; c = c->next) {
		struct json_scope below = cJSON_IsObject(at->value)
					      ? json_member(at, c)
					      : json_item(at, c, index++);

		rc = refuse_keys_twice(&below, err);
	}
	return rc;
}

int json_document_parse(const char *file, const char *text, size_t len,
    struct json_document *out, struct error *err)
{
	struct json_document document = {0};
	struct json_scope root;
	int rc = json_check(file, text, len, err);

	if (rc < 0)
		return rc;
	document.file = strdup(file);
	document.text = malloc(len + 1);
	if (document.file == NULL || document.text == NULL)
		goto out_of_memory;
	memcpy(document.text, text, len);
	document.text[len] = '\0';
	document.root = cJSON_ParseWithLength(document.text, len);
	if (document.root == NULL)
		goto out_of_memory;
	root = json_root(&document);
	rc = refuse_keys_twice(&root, err);
	if (rc < 0) {
		json_document_finish(&document);
		return rc;
	}
	*out = document;
	return 0;

out_of_memory:
	json_document_finish(&document);
	return error_set(err, -ENOMEM, "%s: out of memory", file);
}

/* The whole of a regular file into *text (malloc). */
static int read_text(const char *file, char **text, size_t *len, struct error *err)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), rc;
	char *bytes = NULL;
	struct stat st;
	size_t n = 0;

	if (fd < 0)
		return error_set_errno(err, -errno, "%s", file);
	bytes = malloc(JSON_FILE_BYTES_MAX + 1);
	if (bytes == NULL || fstat(fd, &st) < 0) {
		rc = error_set(err, -ENOMEM, "%s: out of memory", file);
		goto close_file;
	}
	if (!S_ISREG(st.st_mode)) {
		rc = error_set(err, -EINVAL, "%s: not a regular file", file);
		goto close_file;
	}
	while (n <= JSON_FILE_BYTES_MAX) {
		ssize_t got = read(fd, bytes + n, JSON_FILE_BYTES_MAX + 1 - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			rc = error_set_errno(err, -errno, "%s", file);
			goto close_file;
		}
		if (got == 0)
			break;
		n += (size_t)got;
	}
	rc = n > JSON_FILE_BYTES_MAX ? error_set(err, -EINVAL, "%s: larger than %u bytes",
					   file, JSON_FILE_BYTES_MAX)
				     : 0;
	if (rc == 0)
		*text = bytes, *len = n, bytes = NULL;

close_file:
	free(bytes);
	close(fd);
	return rc;
}

int json_document_read(const char *file, struct json_document *out, struct error *err)
{
	char *text = NULL;
	size_t len = 0;
	int rc = read_text(file, &text, &len, err);

	if (rc < 0)
		return rc;
	rc = json_document_parse(file, text, len, out, err);
	free(text);
	return rc;
}

void json_document_finish(struct json_document *document)
{
	cJSON_Delete(document->root);
	free(document->text);
	free(document->file);
	memset(document, 0, sizeof(*document));
}

static const struct json_rule *rule_of(const struct json_rule *rules, const char *key)
{
	for (; rules->key != NULL; rules++)
		if (strcmp(rules->key, key) == 0)
			return rules;
	return NULL;
}

static int unknown_key(
    const struct json_scope *at, const struct json_rule *rules, struct error *err)
{
	char known[ERROR_TEXT_BYTES / 4] = "";
	struct nearest near;

	nearest_init(&near, at->key);
	for (; rules->key != NULL; rules++) {
		size_t used = strlen(known);

		nearest_offer(&near, rules->key);
		snprintf(known + used, sizeof(known) - used, "%s%s",
		    used == 0 ? "" : ", ", rules->key);
	}
	if (near.best != NULL)
		return json_error(at, err, "unknown key; did you mean '%s'?", near.best);
	return json_error(at, err, "unknown key; known here: %s", known);
}

int json_read_object(const struct json_scope *at, const struct json_rule *rules,
    void *into, struct error *err)
{
	if (!cJSON_IsObject(at->value))
		return json_error(at, err, "expected an object {...}");
	for (const cJSON *c = at->value->child; c != NULL; c = c->next) {
		const struct json_rule *rule = rule_of(rules, c->string);
		struct json_scope member = json_member(at, c);
		int rc = rule == NULL ? unknown_key(&member, rules, err)
				      : rule->read(&member, rule,
					    (char *)into + rule->offset, err);

		if (rc < 0)
			return rc;
	}
	for (; rules->key != NULL; rules++)
		if (rules->is_required &&
		    cJSON_GetObjectItemCaseSensitive(at->value, rules->key) == NULL)
			return json_error(at, err, "the key '%s' is missing", rules->key);
	return 0;
}

int json_read_array(const struct json_scope *at, uint32_t min, uint32_t max,
    int (*read_item)(const struct json_scope *at, void *into, struct error *err),
    void *into, struct error *err)
{
	uint32_t index = 0, n;

	if (!cJSON_IsArray(at->value))
		return json_error(at, err, "expected an array [...]");
	n = (uint32_t)cJSON_GetArraySize(at->value);
	if (n < min || n > max)
		return json_error(at, err, "%u items, not %u..%u", n, min, max);
	for (const cJSON *c = at->value->child; c != NULL; c = c->next) {
		struct json_scope item = json_item(at, c, index++);
		int rc = read_item(&item, into, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}
