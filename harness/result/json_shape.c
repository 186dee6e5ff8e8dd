/* SPDX-License-Identifier: MIT */
#include "harness/result/json_shape.h"

#include "harness/result/clean_text.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_MAX    9007199254740992.0 /* 2^53 */
#define KEY_BYTES_MAX 128u

static int is_integer(const cJSON *json, double lowest)
{
	return cJSON_IsNumber(json) && json->valuedouble >= lowest &&
	       json->valuedouble <= NUMBER_MAX &&
	       json->valuedouble == floor(json->valuedouble);
}

static const struct shape *rule_of(const struct shape *rules, const char *key)
{
	for (; rules->key != NULL; rules++)
		if (strcmp(rules->key, key) == 0)
			return rules;
	return NULL;
}

static int is_given_before(const cJSON *object, const cJSON *item)
{
	for (const cJSON *at = object->child; at != item; at = at->next)
		if (strcmp(at->string, item->string) == 0)
			return 1;
	return 0;
}

/* Keys as a path must show them. */
static int check_key(const cJSON *object, const cJSON *item, struct error *err)
{
	if (strlen(item->string) > KEY_BYTES_MAX || !clean_text_is(item->string))
		return error_set(err, -EINVAL, ": a key is too long or not plain text");
	if (is_given_before(object, item))
		return error_set(err, -EINVAL, "/%s: given twice", item->string);
	return 0;
}

static int check_inner(
    const cJSON *item, const struct shape *shape, const char *key, struct error *err)
{
	struct error inner = {0};
	int rc = json_shape_check(item, shape, &inner);

	return rc == 0 ? 0 : error_set(err, rc, "/%s%s", key, inner.text);
}

static int check_object(const cJSON *json, const struct shape *shape, struct error *err)
{
	const cJSON *item;

	if (!cJSON_IsObject(json))
		return error_set(err, -EINVAL, ": not an object");
	cJSON_ArrayForEach(item, json)
	{
		const struct shape *rule = rule_of(shape->inner, item->string);
		int rc = check_key(json, item, err);

		if (rc == 0 && rule == NULL)
			rc = error_set(err, -EINVAL, "/%s: unknown key", item->string);
		if (rc == 0)
			rc = check_inner(item, rule, rule->key, err);
		if (rc < 0)
			return rc;
	}
	for (const struct shape *rule = shape->inner; rule->key != NULL; rule++)
		if ((rule->flags & SHAPE_OPTIONAL) == 0 &&
		    cJSON_GetObjectItemCaseSensitive(json, rule->key) == NULL)
			return error_set(err, -EINVAL, "/%s: missing", rule->key);
	return 0;
}

static int check_array(const cJSON *json, const struct shape *shape, struct error *err)
{
	const cJSON *item;
	uint32_t n = 0;
	char key[16];

	if (!cJSON_IsArray(json))
		return error_set(err, -EINVAL, ": not an array");
	cJSON_ArrayForEach(item, json)
	{
		int rc;

		if (n == shape->max)
			return error_set(err, -EINVAL, ": more than %u entries", n);
		snprintf(key, sizeof(key), "%u", n++);
		rc = check_inner(item, shape->inner, key, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int check_map(const cJSON *json, const struct shape *shape, struct error *err)
{
	const cJSON *item;
	uint32_t n = 0;

	if (!cJSON_IsObject(json))
		return error_set(err, -EINVAL, ": not an object");
	cJSON_ArrayForEach(item, json)
	{
		int rc = check_key(json, item, err);

		if (rc == 0 && n++ == shape->max)
			rc = error_set(err, -EINVAL, ": more than %u keys", shape->max);
		if (rc == 0)
			rc = check_inner(item, shape->inner, item->string, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int check_text(const cJSON *json, const struct shape *shape, struct error *err)
{
	if (!cJSON_IsString(json) || !clean_text_is(json->valuestring))
		return error_set(err, -EINVAL, ": not plain text");
	if (strlen(json->valuestring) > shape->max)
		return error_set(err, -EINVAL, ": longer than %u bytes", shape->max);
	return 0;
}

int json_shape_check(const cJSON *json, const struct shape *shape, struct error *err)
{
	if ((shape->flags & SHAPE_NULLABLE) != 0 && cJSON_IsNull(json))
		return 0;
	switch (shape->kind) {
	case SHAPE_COUNT:
		return is_integer(json, 0) ? 0 : error_set(err, -EINVAL, ": not a count");
	case SHAPE_INTEGER:
		return is_integer(json, -NUMBER_MAX)
			   ? 0
			   : error_set(err, -EINVAL, ": not an integer");
	case SHAPE_TEXT:
		return check_text(json, shape, err);
	case SHAPE_OBJECT:
		return check_object(json, shape, err);
	case SHAPE_ARRAY:
		return check_array(json, shape, err);
	case SHAPE_MAP:
		return check_map(json, shape, err);
	}
	return -EINVAL;
}
