/* SPDX-License-Identifier: MIT */
/*
 * How a result comes about:
 *   1. result_create() opens the journal NAME-TIME.journal.jsonl and writes its first
 *      line.
 *   2. Each part goes into the document in memory, and as a line into the journal.
 *   3. A block is printed once, and stays in memory as text: a document of ten parties
 *      would be some hundred megabytes of nodes.
 *   4. result_finish() adds the figures of every cell, writes NAME-TIME.json at once and
 *      whole, and removes the journal.
 * When a journal line can't be written, the caller hears of it at the next block and may
 * stop the run; the document is still complete in memory. When the document can't be
 * written, the journal stays.
 */
#include "harness/result/result.h"

#include "base/clock.h"
#include "harness/result/atomic_file.h"
#include "harness/result/block_outcome.h"
#include "harness/result/calibration_json.h"
#include "harness/result/cell_taints.h"
#include "harness/result/clean_text.h"
#include "harness/result/journal.h"
#include "harness/result/provenance.h"
#include "harness/result/result_state.h"
#include "harness/result/wire_counters.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SAME_SECOND_MAX 100
#define RTT_TOLERANCE   0.01

const char *cell_status_text(enum cell_status status)
{
	static const char *const texts[] = {
#define CELL_STATUS_TEXT(name, text) [CELL_##name] = text,
	    CELL_STATUSES(CELL_STATUS_TEXT)
#undef CELL_STATUS_TEXT
	};

	return texts[status];
}

const char *result_status_text(enum result_status status)
{
	static const char *const texts[] = {
#define RESULT_STATUS_TEXT(name, text) [RESULT_##name] = text,
	    RESULT_STATUSES(RESULT_STATUS_TEXT)
#undef RESULT_STATUS_TEXT
	};

	return texts[status];
}

const char *life_phase_text(enum life_phase phase)
{
	static const char *const texts[] = {
#define LIFE_PHASE_TEXT(name, text) [LIFE_##name] = text,
	    LIFE_PHASES(LIFE_PHASE_TEXT)
#undef LIFE_PHASE_TEXT
	};

	return texts[phase];
}

static void add_line(struct result *r, const char *kind, const cJSON *body)
{
	if (r->journal != NULL && r->journal_error.code == 0)
		(void)journal_add(r->journal, kind, body, &r->journal_error);
}

/* "results/distant-4-20261121T094107Z" + suffix. */
static void name_document(
    const struct result_config *config, int again, char *base, size_t base_bytes)
{
	char name[128], stamp[32], number[16] = "";
	time_t now = time(NULL);
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
	snprintf(name, sizeof(name), "%s", config->name);
	for (char *c = name; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && strchr("-_.", *c) == NULL)
			*c = '_';
	if (again > 0)
		snprintf(number, sizeof(number), "-%d", again + 1);
	snprintf(base, base_bytes, "%s/%s%s-%s%s", config->folder,
	    name[0] == '.' ? "_" : "", name, stamp, number);
}

static int make_folder(const char *folder, int *is_new, struct error *err)
{
	if (mkdir(folder, 0755) == 0)
		*is_new = 1;
	else if (errno != EEXIST)
		return atomic_file_error(err, -errno, folder);
	return 0;
}

/* A name that neither a document nor a journal has. */
static int open_journal(
    struct result *r, const struct result_config *config, struct error *err)
{
	char base[PATH_MAX - 32], journal[PATH_MAX];
	int rc = -EEXIST;

	for (int again = 0; rc == -EEXIST && again < SAME_SECOND_MAX; again++) {
		name_document(config, again, base, sizeof(base));
		snprintf(r->path, sizeof(r->path), "%s.json", base);
		snprintf(journal, sizeof(journal), "%s" JOURNAL_SUFFIX, base);
		if (access(r->path, F_OK) == 0)
			continue;
		rc = journal_create(journal, &r->journal, err);
	}
	return rc;
}

static int make_document(
    struct result *r, const struct result_config *config, struct error *err)
{
	cJSON *provenance = provenance_json(config), *json = cJSON_CreateObject();
	char now[CLOCK_RFC3339_BYTES];

	r->document = json;
	if (provenance == NULL || json == NULL) {
		cJSON_Delete(provenance);
		return error_set(err, -EINVAL, "%s: scenario or matrix is not JSON",
		    config->scenario_path);
	}
	clock_rfc3339(now, sizeof(now));
	cJSON_AddStringToObject(json, "$schema", "e3/result/v1");
	cJSON_AddStringToObject(json, "schema_version", "1.0");
	cJSON_AddStringToObject(json, "name", config->name);
	cJSON_AddStringToObject(json, "status", "partial");
	cJSON_AddNullToObject(json, "reason");
	cJSON_AddStringToObject(json, "started_at", now);
	cJSON_AddStringToObject(json, "finished_at", now);
	cJSON_AddItemToObject(json, "provenance", provenance);
	r->hosts = cJSON_AddObjectToObject(json, "environment");
	r->calibration = cJSON_AddObjectToObject(json, "calibration");
	r->pairs = cJSON_AddArrayToObject(r->calibration, "pairs");
	cJSON_AddNullToObject(r->calibration, "emulator");
	cJSON_AddArrayToObject(r->calibration, "taints");
	r->nulls = cJSON_AddArrayToObject(json, "null");
	r->cells_json = cJSON_AddArrayToObject(json, "cells");
	r->notes = cJSON_AddArrayToObject(json, "notes");
	return 0;
}

int result_create(
    const struct result_config *config, struct result **out, struct error *err)
{
	struct result *r = calloc(1, sizeof(*r));
	int rc, is_new_folder = 0;

	if (r == NULL) {
		cJSON_Delete(config->inventory);
		cJSON_Delete(config->versions);
		return error_set(err, -ENOMEM, "result: out of memory");
	}
	rc = make_document(r, config, err);
	if (rc == 0)
		rc = make_folder(config->folder, &is_new_folder, err);
	if (rc == 0)
		rc = open_journal(r, config, err);
	if (rc == 0)
		rc = journal_add(r->journal, "run", r->document, err);
	if (rc < 0) {
		journal_remove(r->journal);
		r->journal = NULL;
		result_destroy(r);
		if (is_new_folder)
			rmdir(config->folder);
		return rc;
	}
	*out = r;
	return 0;
}

void result_destroy(struct result *r)
{
	if (r == NULL)
		return;
	journal_close(r->journal);
	for (uint32_t i = 0; i < r->n_cells; i++)
		cell_figures_destroy(r->cells[i].figures);
	free(r->cells);
	cJSON_Delete(r->document);
	free(r);
}

/* An object of one key, for a journal line. */
static void add_named_line(
    struct result *r, const char *kind, const char *name, cJSON *body)
{
	cJSON *line = cJSON_CreateObject();

	cJSON_AddItemReferenceToObject(line, name, body);
	add_line(r, kind, line);
	cJSON_Delete(line);
}

void result_environment(struct result *r, const char *host, cJSON *facts)
{
	if (facts == NULL)
		return;
	cJSON_DeleteItemFromObjectCaseSensitive(r->hosts, host);
	cJSON_AddItemToObject(r->hosts, host, clean_text_json(facts));
	add_named_line(r, "environment", host, facts);
}

static cJSON *calibration_taints(struct result *r)
{
	return cJSON_GetObjectItemCaseSensitive(r->calibration, "taints");
}

/* Those behind the first n_before. */
static void add_taint_lines(struct result *r, int n_before)
{
	const cJSON *taint = cJSON_GetArrayItem(calibration_taints(r), n_before);

	for (; taint != NULL; taint = taint->next)
		add_line(r, "calibration_taint", taint);
}

void result_calibration_pair(struct result *r, uint32_t from, uint32_t to,
    uint64_t configured_rtt_ns, const struct calibrate_pair *measured)
{
	cJSON *json = calibration_pair_json(from, to, configured_rtt_ns, measured);
	const cJSON *inventory = cJSON_GetObjectItemCaseSensitive(
	    cJSON_GetObjectItemCaseSensitive(r->document, "provenance"), "inventory");
	int n_taints = cJSON_GetArraySize(calibration_taints(r));

	calibration_pair_taints(
	    calibration_taints(r), inventory, from, to, configured_rtt_ns, measured);
	cJSON_AddItemToArray(r->pairs, json);
	add_line(r, "calibration_pair", json);
	add_taint_lines(r, n_taints);
}

void result_calibration_emulator(struct result *r, const struct testbed_counters *before,
    const struct testbed_counters *after, uint32_t n_hosts)
{
	int n_taints = cJSON_GetArraySize(calibration_taints(r));
	struct wire_counters wire;
	cJSON *json;

	wire_counters_between(before, after, n_hosts, &wire);
	json = wire_counters_json(&wire, before, after, n_hosts);
	wire_counters_taints(calibration_taints(r), &wire);
	wire_counters_finish(&wire);
	add_taint_lines(r, n_taints);
	if (json == NULL)
		return;
	cJSON_ReplaceItemInObjectCaseSensitive(r->calibration, "emulator", json);
	add_line(r, "calibration_emulator", json);
}

static cJSON *cell_id_json(const struct result_cell *cell, int has_transport)
{
	cJSON *json = cJSON_CreateObject();

	if (has_transport)
		cJSON_AddStringToObject(json, "transport", cell->transport);
	cJSON_AddStringToObject(json, "workload", cell->workload);
	cJSON_AddStringToObject(json, "size", cell->size);
	if (cell->mode == NULL || cell->mode[0] == '\0')
		cJSON_AddNullToObject(json, "mode");
	else
		cJSON_AddStringToObject(json, "mode", cell->mode);
	cJSON_AddNumberToObject(json, "parties", cell->parties);
	return json;
}

struct cell *result_cell_of(struct result *r, cJSON *id)
{
	struct cell *cell = NULL, *cells;

	for (uint32_t i = 0; i < r->n_cells && cell == NULL; i++)
		if (cJSON_Compare(
			cJSON_GetObjectItemCaseSensitive(r->cells[i].json, "cell"), id,
			1))
			cell = &r->cells[i];
	cells = cell != NULL ? r->cells
			     : realloc(r->cells, (r->n_cells + 1) * sizeof(*cells));
	if (cell != NULL || cells == NULL) {
		cJSON_Delete(id);
		return cell;
	}
	r->cells = cells;
	cell = &cells[r->n_cells];
	*cell =
	    (struct cell){.json = cJSON_CreateObject(), .figures = cell_figures_create()};
	if (cell->figures == NULL) {
		cJSON_Delete(id);
		cJSON_Delete(cell->json);
		return NULL;
	}
	r->n_cells++;
	cJSON_AddItemToObject(cell->json, "cell", id);
	cJSON_AddStringToObject(cell->json, "status", cell_status_text(CELL_NOT_RUN));
	cJSON_AddNullToObject(cell->json, "error");
	cJSON_AddNullToObject(cell->json, "figures");
	cell->taints = cJSON_AddArrayToObject(cell->json, "taints");
	cell->blocks = cJSON_AddArrayToObject(cell->json, "blocks");
	cJSON_AddItemToArray(r->cells_json, cell->json);
	return cell;
}

void result_plan(struct result *r, const struct result_cell *id, uint32_t n_blocks)
{
	struct cell *cell = result_cell_of(r, cell_id_json(id, 1));
	cJSON *line;

	if (cell == NULL)
		return;
	cell->n_planned = n_blocks;
	line = cJSON_CreateObject();
	cJSON_AddItemReferenceToObject(
	    line, "cell", cJSON_GetObjectItemCaseSensitive(cell->json, "cell"));
	cJSON_AddNumberToObject(line, "blocks", n_blocks);
	add_line(r, "plan", line);
	cJSON_Delete(line);
}

static cJSON *sentence_json(const char *sentence)
{
	char clean[ERROR_TEXT_BYTES];

	if (sentence == NULL || sentence[0] == '\0')
		return cJSON_CreateNull();
	return cJSON_CreateString(clean_text_copy(clean, sizeof(clean), sentence));
}

void result_null(struct result *r, const struct result_null *null_run)
{
	cJSON *json = cJSON_CreateObject();

	cJSON_AddItemToObject(json, "cell", cell_id_json(&null_run->cell, 0));
	cJSON_AddStringToObject(json, "status", cell_status_text(null_run->status));
	cJSON_AddItemToObject(json, "error", sentence_json(null_run->error));
	cJSON_AddNumberToObject(json, "wall_ns", (double)null_run->wall_ns);
	cJSON_AddNumberToObject(json, "cpu_ns", (double)null_run->cpu_ns);
	cJSON_AddNumberToObject(json, "rounds", null_run->rounds);
	cJSON_AddItemToArray(r->nulls, json);
	add_line(r, "null", json);
}

/* The block as text from now on: into the journal with its cell, and into the cell. */
static void keep_block(struct result *r, struct cell *cell, const cJSON *block)
{
	char *text = cJSON_PrintUnformatted(block);
	cJSON *line = cJSON_CreateObject();

	cJSON_AddItemReferenceToObject(
	    line, "cell", cJSON_GetObjectItemCaseSensitive(cell->json, "cell"));
	cJSON_AddItemToObject(
	    line, "block", cJSON_CreateRaw(text == NULL ? "null" : text));
	add_line(r, "block", line);
	cJSON_AddItemToArray(
	    cell->blocks, cJSON_DetachItemFromObjectCaseSensitive(line, "block"));
	cJSON_Delete(line);
	cJSON_free(text);
}

int result_add_outcome(
    struct result *r, struct cell *cell, const struct block_outcome *outcome)
{
	int rc = 0;

	cell->n_status[outcome->status]++;
	cell->n_begun += outcome->attempt == 0;
	if (outcome->status != CELL_OK)
		memcpy(cell->error, outcome->error, sizeof(cell->error));
	else
		rc =
		    cell_figures_add(cell->figures, &outcome->figures, outcome->round_ns);
	cell_taints_add(
	    cell->taints, cJSON_GetObjectItemCaseSensitive(outcome->json, "taints"));
	keep_block(r, cell, outcome->json);
	return rc;
}

int result_block(struct result *r, const struct result_block *block,
    struct result_verdict *verdict, struct error *err)
{
	struct cell *cell = result_cell_of(r, cell_id_json(&block->cell, 1));
	struct block_outcome outcome;
	int rc = cell == NULL ? -ENOMEM : block_outcome_make(block, &outcome);

	if (verdict != NULL)
		*verdict = (struct result_verdict){.status = CELL_FAILED};
	if (rc < 0)
		return error_set(err, rc, "result: out of memory");
	if (verdict != NULL)
		*verdict = (struct result_verdict){
		    .status = outcome.status, .n_taints = outcome.n_taints};
	rc = result_add_outcome(r, cell, &outcome);
	block_outcome_finish(&outcome);
	if (rc < 0)
		return error_set(err, rc, "result: out of memory");
	if (r->journal_error.code != 0)
		return error_set(err, r->journal_error.code, "%s", r->journal_error.text);
	return 0;
}

void result_note(struct result *r, const char *sentence)
{
	char clean[ERROR_TEXT_BYTES];
	cJSON *note = cJSON_CreateString(clean_text_copy(clean, sizeof(clean), sentence));

	cJSON_AddItemToArray(r->notes, note);
	add_line(r, "note", note);
}

/* ok: all blocks are; degraded: some are; else the gravest of what happened. */
static enum cell_status status_of(const struct cell *cell)
{
	static const enum cell_status by_gravity[] = {
	    CELL_FAILED, CELL_TIMEOUT, CELL_UNSUPPORTED};

	for (size_t i = 0; i < sizeof(by_gravity) / sizeof(*by_gravity); i++)
		if (cell->n_status[by_gravity[i]] > 0)
			return cell->n_status[CELL_OK] > 0 ? CELL_DEGRADED
							   : by_gravity[i];
	return cell->n_status[CELL_OK] > 0 ? CELL_OK : CELL_NOT_RUN;
}

static void refresh_cell(const struct cell *cell)
{
	cJSON *figures = cell_figures_json(cell->figures);

	cJSON_ReplaceItemInObjectCaseSensitive(
	    cell->json, "status", cJSON_CreateString(cell_status_text(status_of(cell))));
	cJSON_ReplaceItemInObjectCaseSensitive(
	    cell->json, "error", sentence_json(cell->error));
	cJSON_ReplaceItemInObjectCaseSensitive(
	    cell->json, "figures", figures == NULL ? cJSON_CreateNull() : figures);
}

const cJSON *result_document(struct result *r)
{
	for (uint32_t i = 0; i < r->n_cells; i++)
		refresh_cell(&r->cells[i]);
	return r->document;
}

const char *result_path(const struct result *r)
{
	return r->path;
}

static void set_end(struct result *r, enum result_status status, const char *reason)
{
	char now[CLOCK_RFC3339_BYTES];

	clock_rfc3339(now, sizeof(now));
	cJSON_ReplaceItemInObjectCaseSensitive(
	    r->document, "status", cJSON_CreateString(result_status_text(status)));
	cJSON_ReplaceItemInObjectCaseSensitive(r->document, "finished_at",
	    cJSON_CreateString(r->ended_at[0] != '\0' ? r->ended_at : now));
	cJSON_ReplaceItemInObjectCaseSensitive(
	    r->document, "reason", sentence_json(reason));
}

int result_finish(
    struct result *r, enum result_status status, const char *reason, struct error *err)
{
	struct error why;
	char *text;
	int rc;

	set_end(r, status, reason);
	text = cJSON_PrintUnformatted(result_document(r));
	if (text == NULL)
		return error_set(err, -ENOMEM, "%s: out of memory", r->path);
	rc = atomic_file_write(r->path, text, strlen(text), &why);
	cJSON_free(text);
	if (rc < 0)
		return error_set(err, rc,
		    "%s; what was measured stays in %.*s" JOURNAL_SUFFIX
		    ", from which `e3 recover` makes a result",
		    why.text, (int)(strlen(r->path) - strlen(".json")), r->path);
	journal_remove(r->journal);
	r->journal = NULL;
	return 0;
}
