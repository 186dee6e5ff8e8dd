/* SPDX-License-Identifier: MIT */
/* The values behind a key: texts and numbers. */
#include "harness/scenario/json_reader.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Characters of UTF-8. */
static size_t characters_of(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static int text_of(const struct json_scope *at, size_t characters_max, const char **out,
    struct error *err)
{
	const char *text = cJSON_GetStringValue(at->value);

	if (text == NULL)
		return json_error(at, err, "expected a text in double quotes");
	if (text[0] == '\0')
		return json_error(at, err, "is empty");
	if (characters_of(text) > characters_max)
		return json_error(at, err, "%zu characters, not 1..%zu",
		    characters_of(text), characters_max);
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return json_error(at, err, "has a control character");
	*out = text;
	return 0;
}

int json_read_constant(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
	const char *text = NULL;
	int rc = text_of(at, 128, &text, err);

	(void)field;
	if (rc == 0 && strcmp(text, rule->expect) != 0)
		return json_error(at, err, "'%s' is not \"%s\"", text, rule->expect);
	return rc;
}

int json_read_text(const struct json_scope *at, const struct json_rule *rule, void *field,
    struct error *err)
{
	const char *text = NULL;
	int rc = text_of(at, JSON_TEXT_CHARACTERS(rule->bytes), &text, err);

	if (rc == 0)
		strcpy(field, text);
	return rc;
}

int json_read_name(const struct json_scope *at, const struct json_rule *rule, void *field,
    struct error *err)
{
	const char *text = NULL;
	int rc = text_of(at, rule->bytes - 1, &text, err);

	if (rc < 0)
		return rc;
	if (text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0' ||
	    text[0] == '-')
		return json_error(at, err,
		    "'%s' is not a name (lower-case letters, digits and '-')", text);
	strcpy(field, text);
	return 0;
}

static int number_of(const struct json_scope *at, const struct json_rule *rule,
    double *out, struct error *err)
{
	double value = 0;

	if (!cJSON_IsNumber(at->value))
		return json_error(
		    at, err, "expected a number in %.16g..%.16g", rule->min, rule->max);
	value = at->value->valuedouble;
	if (!(value >= rule->min && value <= rule->max))
		return json_error(
		    at, err, "%.16g is not %.16g..%.16g", value, rule->min, rule->max);
	*out = value;
	return 0;
}

static int integer_of(const struct json_scope *at, const struct json_rule *rule,
    double *out, struct error *err)
{
	double value = 0;
	int rc = number_of(at, rule, &value, err);

	if (rc < 0)
		return rc;
	if (value != floor(value))
		return json_error(at, err, "%.16g is not a whole number", value);
	*out = value;
	return 0;
}

int json_read_u32(const struct json_scope *at, const struct json_rule *rule, void *field,
    struct error *err)
{
	double value = 0;
	int rc = integer_of(at, rule, &value, err);

	if (rc == 0)
		*(uint32_t *)field = (uint32_t)value;
	return rc;
}

int json_read_u64(const struct json_scope *at, const struct json_rule *rule, void *field,
    struct error *err)
{
	double value = 0;
	int rc = integer_of(at, rule, &value, err);

	if (rc == 0)
		*(uint64_t *)field = (uint64_t)value;
	return rc;
}

int json_read_quantity(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
	double value = 0;
	int rc = number_of(at, rule, &value, err);

	if (rc == 0)
		*(uint64_t *)field = (uint64_t)llround(value * rule->unit);
	return rc;
}

int json_read_double(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
	double value = 0;
	int rc = number_of(at, rule, &value, err);

	if (rc == 0)
		*(double *)field = value;
	return rc;
}
