/* SPDX-License-Identifier: MIT */
#include "harness/scenario/matrix.h"

#include "base/units.h"
#include "harness/scenario/json_reader.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MATRIX_RTT_MS_MAX 10000.0

/* Provenance is checked for its form only: it travels inside the matrix's text. */
struct provenance {
	char text[2048]; /* 511 characters */
};

static int read_site(const struct json_scope *at, void *into, struct error *err)
{
	struct matrix *matrix = into;
	const struct json_rule name = {.bytes = MATRIX_SITE_BYTES};
	char site[MATRIX_SITE_BYTES] = "";
	int rc = json_read_name(at, &name, site, err);

	if (rc < 0)
		return rc;
	if (matrix_site(matrix, site) >= 0)
		return json_error(at, err, "the site '%s' stands here twice", site);
	strcpy(matrix->sites[matrix->n_sites++], site);
	return 0;
}

static int read_sites(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
	(void)rule;
	return json_read_array(at, 1, MATRIX_SITES_MAX, read_site, field, err);
}

/* The rows wait until the sites are known: keys come in any order. */
static int note_rows(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
	(void)rule, (void)field;
	return cJSON_IsArray(at->value) ? 0
					: json_error(at, err, "expected an array [...]");
}

static int read_mapped(const struct json_scope *at, struct error *err)
{
	const struct json_rule text = {.bytes = sizeof(struct provenance)};
	struct provenance ignored;

	return json_read_text(at, &text, &ignored, err);
}

static int read_mapping(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
	(void)rule, (void)field;
	if (!cJSON_IsObject(at->value))
		return json_error(at, err, "expected an object {...}");
	for (const cJSON *c = at->value->child; c != NULL; c = c->next) {
		struct json_scope member = json_member(at, c);
		int rc = read_mapped(&member, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_source(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
#define PROVENANCE(name)                                                                 \
	{                                                                                \
		.key = name, .read = json_read_text, .bytes = sizeof(ignored)            \
	}
	struct provenance ignored;
	const struct json_rule rules[] = {
	    PROVENANCE("title"),
	    PROVENANCE("url"),
	    PROVENANCE("file"),
	    PROVENANCE("observed"),
	    PROVENANCE("retrieved"),
	    PROVENANCE("licence"),
	    PROVENANCE("attribution"),
	    {.key = "mapping", .read = read_mapping},
	    {0},
	};
#undef PROVENANCE

	(void)rule, (void)field;
	return json_read_object(at, rules, &ignored, err);
}

static const struct json_rule matrix_rules[] = {
    {.key = "$schema",
	.is_required = 1,
	.read = json_read_constant,
	.expect = "e3/matrix/v1"},
    {.key = "name",
	.is_required = 1,
	.read = json_read_name,
	.offset = offsetof(struct matrix, name),
	.bytes = sizeof(((struct matrix *)NULL)->name)},
    {.key = "quantity", .is_required = 1, .read = json_read_constant, .expect = "rtt"},
    {.key = "unit", .is_required = 1, .read = json_read_constant, .expect = "ms"},
    {.key = "percentile",
	.read = json_read_double,
	.offset = offsetof(struct matrix, percentile),
	.min = 0,
	.max = 100},
    {.key = "source", .read = read_source},
    {.key = "order",
	.read = json_read_constant,
	.expect = "row=source, column=destination"},
    {.key = "sites", .is_required = 1, .read = read_sites},
    {.key = "rtt", .is_required = 1, .read = note_rows},
    {0},
};

static int read_rtt(const struct json_scope *at, struct matrix *matrix, uint32_t from,
    uint32_t to, struct error *err)
{
	const struct json_rule ms = {.max = MATRIX_RTT_MS_MAX, .unit = (double)NS_PER_MS};

	if (from == to) {
		if (cJSON_IsNull(at->value) ||
		    (cJSON_IsNumber(at->value) && at->value->valuedouble == 0))
			return 0;
		return json_error(
		    at, err, "from %s to itself must be null", matrix->sites[from]);
	}
	if (!cJSON_IsNumber(at->value))
		return json_error(at, err, "expected the RTT from %s to %s in ms",
		    matrix->sites[from], matrix->sites[to]);
	return json_read_quantity(at, &ms, &matrix->rtt_ns[from][to], err);
}

static int read_rows(
    const struct json_scope *at, struct matrix *matrix, struct error *err)
{
	uint32_t n = matrix->n_sites, from = 0;

	if ((uint32_t)cJSON_GetArraySize(at->value) != n)
		return json_error(
		    at, err, "%d rows for %u sites", cJSON_GetArraySize(at->value), n);
	for (const cJSON *r = at->value->child; r != NULL; r = r->next, from++) {
		struct json_scope row = json_item(at, r, from);
		uint32_t to = 0;

		if (!cJSON_IsArray(r) || (uint32_t)cJSON_GetArraySize(r) != n)
			return json_error(&row, err,
			    "expected an array of %u RTTs from %s", n,
			    matrix->sites[from]);
		for (const cJSON *v = r->child; v != NULL; v = v->next, to++) {
			struct json_scope cell = json_item(&row, v, to);
			int rc = read_rtt(&cell, matrix, from, to, err);

			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

int matrix_read(const char *path, struct matrix *out, char **text, struct error *err)
{
	struct json_document document = {0};
	struct matrix *matrix = calloc(1, sizeof(*matrix));
	struct json_scope root, rows;
	int rc;

	if (matrix == NULL)
		return error_set(err, -ENOMEM, "%s: out of memory", path);
	rc = json_document_read(path, &document, err);
	if (rc < 0)
		goto out;
	root = json_root(&document);
	rc = json_read_object(&root, matrix_rules, matrix, err);
	if (rc < 0)
		goto out;
	rows = json_member(&root, cJSON_GetObjectItemCaseSensitive(document.root, "rtt"));
	rc = read_rows(&rows, matrix, err);
	if (rc < 0)
		goto out;
	*out = *matrix;
	*text = document.text;
	document.text = NULL;

out:
	json_document_finish(&document);
	free(matrix);
	return rc;
}

int matrix_site(const struct matrix *matrix, const char *name)
{
	for (uint32_t i = 0; i < matrix->n_sites; i++)
		if (strcasecmp(matrix->sites[i], name) == 0)
			return (int)i;
	return -ENOENT;
}
