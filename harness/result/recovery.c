/* SPDX-License-Identifier: MIT */
#include "harness/result/recovery.h"

#include "harness/measure/taint.h"
#include "harness/result/cell_taints.h"
#include "harness/result/journal.h"
#include "harness/result/json_shape.h"
#include "harness/result/recovered_block.h"
#include "harness/result/result_state.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX 63u

static int wrong(struct error *err, const char *key)
{
	return error_set(err, -EINVAL, "/%s: not as `e3 run` writes it", key);
}

/* A member of the first line's document that later lines add to. */
static int find(cJSON *parent, const char *key, cJSON_bool (*is_kind)(const cJSON *),
    cJSON **out, struct error *err)
{
	*out = cJSON_GetObjectItemCaseSensitive(parent, key);
	return is_kind(*out) && (*out)->child == NULL ? 0 : wrong(err, key);
}

static int take_run(struct result *r, const cJSON *body, struct error *err)
{
	const char *schema =
	    cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(body, "$schema"));
	cJSON *taints;

	if (r->document != NULL)
		return error_set(err, -EINVAL, "a second beginning");
	if (schema == NULL || strcmp(schema, "e3/result/v1") != 0)
		return error_set(err, -EINVAL, "/$schema: not \"e3/result/v1\"");
	r->document = cJSON_Duplicate(body, 1);
	if (r->document == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	r->calibration = cJSON_GetObjectItemCaseSensitive(r->document, "calibration");
	if (find(r->document, "environment", cJSON_IsObject, &r->hosts, err) < 0 ||
	    find(r->document, "null", cJSON_IsArray, &r->nulls, err) < 0 ||
	    find(r->document, "cells", cJSON_IsArray, &r->cells_json, err) < 0 ||
	    find(r->document, "notes", cJSON_IsArray, &r->notes, err) < 0 ||
	    find(r->calibration, "pairs", cJSON_IsArray, &r->pairs, err) < 0 ||
	    find(r->calibration, "taints", cJSON_IsArray, &taints, err) < 0)
		return -EINVAL;
	return 0;
}

static int take_environment(struct result *r, const cJSON *body, struct error *err)
{
	const cJSON *facts;

	cJSON_ArrayForEach(facts, body)
	{
		if (!cJSON_IsObject(facts) || facts->string == NULL)
			return wrong(err, "environment");
		result_environment(r, facts->string, cJSON_Duplicate(facts, 1));
	}
	return 0;
}

static int take_object(cJSON *array, const cJSON *body, struct error *err)
{
	if (!cJSON_IsObject(body))
		return error_set(err, -EINVAL, "not an object");
	return cJSON_AddItemToArray(array, cJSON_Duplicate(body, 1))
		   ? 0
		   : error_set(err, -ENOMEM, "out of memory");
}

static int take_pair(struct result *r, const cJSON *body, struct error *err)
{
	return take_object(r->pairs, body, err);
}

static int take_calibration_taint(struct result *r, const cJSON *body, struct error *err)
{
	return take_object(
	    cJSON_GetObjectItemCaseSensitive(r->calibration, "taints"), body, err);
}

static int take_emulator(struct result *r, const cJSON *body, struct error *err)
{
	cJSON *copy;

	if (!cJSON_IsObject(body) ||
	    cJSON_GetObjectItemCaseSensitive(r->calibration, "emulator") == NULL)
		return wrong(err, "calibration_emulator");
	copy = cJSON_Duplicate(body, 1);
	if (copy == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	cJSON_ReplaceItemInObjectCaseSensitive(r->calibration, "emulator", copy);
	return 0;
}

static int take_null(struct result *r, const cJSON *body, struct error *err)
{
	return take_object(r->nulls, body, err);
}

static int take_note(struct result *r, const cJSON *body, struct error *err)
{
	if (!cJSON_IsString(body))
		return wrong(err, "note");
	result_note(r, body->valuestring);
	return 0;
}

static int take_cell(
    struct result *r, const cJSON *body, struct cell **out, struct error *err)
{
	static const struct shape keys[] = {
	    {.key = "transport", .kind = SHAPE_TEXT, .max = TEXT_MAX},
	    {.key = "workload", .kind = SHAPE_TEXT, .max = TEXT_MAX},
	    {.key = "size", .kind = SHAPE_TEXT, .max = TEXT_MAX},
	    {.key = "mode", .kind = SHAPE_TEXT, .flags = SHAPE_NULLABLE, .max = TEXT_MAX},
	    {.key = "parties", .kind = SHAPE_COUNT},
	    {0},
	};
	static const struct shape shape = {.kind = SHAPE_OBJECT, .inner = keys};
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(body, "cell");

	if (json_shape_check(id, &shape, err) < 0)
		return error_wrap(err, "/cell");
	*out = result_cell_of(r, cJSON_Duplicate(id, 1));
	return *out != NULL ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static int take_plan(struct result *r, const cJSON *body, struct error *err)
{
	static const struct shape count = {.kind = SHAPE_COUNT};
	const cJSON *blocks = cJSON_GetObjectItemCaseSensitive(body, "blocks");
	struct cell *cell = NULL;
	int rc = take_cell(r, body, &cell, err);

	if (rc == 0 && json_shape_check(blocks, &count, err) < 0)
		rc = error_wrap(err, "/blocks");
	if (rc == 0)
		cell->n_planned = (uint32_t)blocks->valuedouble;
	return rc;
}

static int take_block(struct result *r, const cJSON *body, struct error *err)
{
	struct block_outcome outcome = {0};
	struct cell *cell = NULL;
	int rc = take_cell(r, body, &cell, err);

	if (rc == 0)
		rc = recovered_block_read(
		    cJSON_GetObjectItemCaseSensitive(body, "block"), &outcome, err);
	if (rc < 0)
		return rc;
	rc = result_add_outcome(r, cell, &outcome);
	block_outcome_finish(&outcome);
	return rc < 0 ? error_set(err, rc, "out of memory") : 0;
}

static const struct {
	const char *kind;
	int (*take)(struct result *r, const cJSON *body, struct error *err);
} kinds[] = {
    {"run", take_run},
    {"environment", take_environment},
    {"calibration_pair", take_pair},
    {"calibration_taint", take_calibration_taint},
    {"calibration_emulator", take_emulator},
    {"null", take_null},
    {"plan", take_plan},
    {"block", take_block},
    {"note", take_note},
};

static int on_line(
    void *user, const char *kind, const char *at, const cJSON *body, struct error *err)
{
	struct result *r = user;

	if (r->document == NULL && strcmp(kind, "run") != 0)
		return error_set(err, -EINVAL, "not the beginning of a journal");
	if (strlen(at) != sizeof(r->ended_at) - 1)
		return wrong(err, "at");
	strcpy(r->ended_at, at);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].kind, kind) == 0)
			return kinds[i].take(r, body, err);
	return error_set(
	    err, -EINVAL, "of an unknown kind: the journal is of another version of E3");
}

/* Blocks that the plan has and the journal lacks. */
static void taint_cells(struct result *r)
{
	for (uint32_t i = 0; i < r->n_cells; i++) {
		struct cell *cell = &r->cells[i];
		cJSON *taints = cJSON_CreateArray();
		double missing = (double)cell->n_planned - (double)cell->n_begun;

		/* A cell that can't work is not tried again. */
		if (cell->n_status[CELL_UNSUPPORTED] == 0)
			taint_check(taints, TAINT_CONTROLLER_ENDED, missing, NULL);
		cell_taints_add(cell->taints, taints);
		cJSON_Delete(taints);
	}
}

static int name_document(struct result *r, const char *journal_path, struct error *err)
{
	size_t len = strlen(journal_path), tail = strlen(JOURNAL_SUFFIX);

	if (len <= tail || strcmp(journal_path + len - tail, JOURNAL_SUFFIX) != 0 ||
	    len >= sizeof(r->path))
		return error_set(err, -EINVAL, "%s: the name of a journal ends in '%s'",
		    journal_path, JOURNAL_SUFFIX);
	snprintf(r->path, sizeof(r->path), "%.*s.json", (int)(len - tail), journal_path);
	if (access(r->path, F_OK) == 0)
		return error_set(err, -EEXIST,
		    "%s: there is a %s already: move one of the two elsewhere",
		    journal_path, r->path);
	return 0;
}

static int replay(
    struct result *r, struct journal *journal, const char *path, struct error *err)
{
	char note[128];
	size_t torn = 0;
	int rc = journal_read(journal, on_line, r, &torn, err);

	if (rc < 0)
		return rc;
	if (r->document == NULL)
		return error_set(err, -ENODATA,
		    "%s: no line of it is whole: nothing was measured; remove it", path);
	if (torn > 0) {
		snprintf(note, sizeof(note),
		    "the last line of the journal was torn: %zu bytes are left out",
		    torn);
		result_note(r, note);
	}
	taint_cells(r);
	return 0;
}

int result_recover(const char *journal_path, struct result **out, struct error *err)
{
	struct result *r = calloc(1, sizeof(*r));
	struct journal *journal = NULL;
	int rc;

	if (r == NULL)
		return error_set(err, -ENOMEM, "%s: out of memory", journal_path);
	rc = name_document(r, journal_path, err);
	if (rc == 0)
		rc = journal_adopt(journal_path, &journal, err);
	if (rc == 0)
		rc = replay(r, journal, journal_path, err);
	r->journal = journal;
	if (rc < 0)
		result_destroy(r);
	else
		*out = r;
	return rc;
}
