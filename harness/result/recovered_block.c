/* SPDX-License-Identifier: MIT */
#include "harness/result/recovered_block.h"

#include "harness/measure/histogram_json.h"
#include "harness/result/clean_text.h"
#include "harness/result/json_shape.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <string.h>

static const cJSON *item(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

static int read_status(const cJSON *block, enum cell_status *out, struct error *err)
{
	const char *text = cJSON_GetStringValue(item(block, "status"));

	for (enum cell_status at = CELL_OK; text != NULL && at < CELL_NOT_RUN; at++)
		if (at != CELL_DEGRADED && strcmp(cell_status_text(at), text) == 0) {
			*out = at;
			return 0;
		}
	return error_set(err, -EINVAL, "/status: not that of a block");
}

static int read_integer(
    const cJSON *object, const char *key, int64_t *out, struct error *err)
{
	static const struct shape integer = {.kind = SHAPE_INTEGER};

	if (json_shape_check(item(object, key), &integer, err) < 0)
		return error_wrap(err, "/%s", key);
	*out = (int64_t)item(object, key)->valuedouble;
	return 0;
}

static const struct {
	const char *key;
	size_t offset;
} fields[] = {
#define FIELD(field) {#field, offsetof(struct block_figures, field)},
    BLOCK_FIGURES(FIELD)
#undef FIELD
};

static int read_parts(const cJSON *json, struct decomposition *out, struct error *err)
{
	static const char *const methods[] = {"critical_path", "replay"};
	const char *method = cJSON_GetStringValue(item(json, "method"));

	if (cJSON_IsNull(json))
		return 0;
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		if (method != NULL && strcmp(method, methods[i]) == 0)
			out->method = methods[i];
	if (out->method == NULL)
		return error_set(err, -EINVAL, "/method: unknown");
	if (read_integer(json, "latency_ns", &out->latency_ns, err) < 0 ||
	    read_integer(json, "transfer_ns", &out->transfer_ns, err) < 0 ||
	    read_integer(json, "compute_ns", &out->compute_ns, err) < 0 ||
	    read_integer(json, "rest_ns", &out->rest_ns, err) < 0)
		return -EINVAL;
	return 0;
}

static int read_figures(
    const cJSON *json, struct block_figures *figures, struct error *err)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		int64_t value = FIGURE_UNKNOWN;

		if (!cJSON_IsNull(item(json, fields[i].key)) &&
		    read_integer(json, fields[i].key, &value, err) < 0)
			return -EINVAL;
		memcpy((char *)figures + fields[i].offset, &value, sizeof(value));
	}
	if (read_parts(item(json, "decomposition"), &figures->parts, err) < 0)
		return error_wrap(err, "/decomposition");
	if (phase_figures_parse(&figures->phases, item(json, "phases"), err) < 0)
		return error_wrap(err, "/phases");
	return 0;
}

/* The rounds of one party, all phases. */
static int merge_rounds(
    const cJSON *host, struct histogram *into, struct histogram *one, struct error *err)
{
	const cJSON *json;

	cJSON_ArrayForEach(
	    json, item(item(item(host, "report"), "measured"), "histograms"))
	{
		const char *metric = cJSON_GetStringValue(item(json, "metric"));

		if (metric == NULL || strcmp(metric, "round_ns") != 0)
			continue;
		if (histogram_from_json(one, json, err) < 0)
			return error_wrap(err, "/hosts/%s", host->string);
		histogram_merge(into, one);
	}
	return 0;
}

static int read_rounds(const cJSON *hosts, struct histogram *into, struct error *err)
{
	struct histogram *one = histogram_create();
	const cJSON *host;
	int rc = one == NULL ? error_set(err, -ENOMEM, "out of memory") : 0;

	cJSON_ArrayForEach(host, hosts)
	{
		if (rc == 0)
			rc = merge_rounds(host, into, one, err);
	}
	histogram_destroy(one);
	return rc;
}

static int read_taints(const cJSON *taints, struct block_outcome *out, struct error *err)
{
	const cJSON *taint;

	if (!cJSON_IsArray(taints))
		return error_set(err, -EINVAL, "/taints: not an array");
	cJSON_ArrayForEach(taint, taints)
	{
		if (!cJSON_IsString(item(taint, "code")) ||
		    !cJSON_IsNumber(item(taint, "value")))
			return error_set(
			    err, -EINVAL, "/taints: one without code or value");
		out->n_taints++;
	}
	out->figures.is_tainted = out->n_taints > 0;
	return 0;
}

static int read_block(const cJSON *json, struct block_outcome *out, struct error *err)
{
	const char *sentence = cJSON_GetStringValue(item(json, "error"));
	const cJSON *scale = item(json, "delay_scale");
	int64_t attempt = 0;
	int rc = read_status(json, &out->status, err);

	if (rc == 0)
		rc = read_integer(json, "attempt", &attempt, err);
	if (rc == 0)
		rc = read_taints(item(json, "taints"), out, err);
	if (rc == 0 && (!cJSON_IsNumber(scale) || !(scale->valuedouble >= 0)))
		rc = error_set(err, -EINVAL, "/delay_scale: not a factor");
	if (rc == 0)
		out->figures.delay_scale = scale->valuedouble;
	if (rc == 0 && out->status == CELL_OK)
		rc = read_figures(item(json, "figures"), &out->figures, err);
	if (rc == 0 && out->status == CELL_OK)
		rc = read_rounds(item(json, "hosts"), out->round_ns, err);
	out->attempt = attempt > 0;
	if (sentence != NULL)
		clean_text_copy(out->error, sizeof(out->error), sentence);
	return rc;
}

int recovered_block_read(const cJSON *json, struct block_outcome *out, struct error *err)
{
	int rc;

	*out = (struct block_outcome){
	    .json = cJSON_Duplicate(json, 1), .round_ns = histogram_create()};
	if (out->json == NULL || out->round_ns == NULL)
		rc = error_set(err, -ENOMEM, "out of memory");
	else
		rc = read_block(json, out, err);
	if (rc < 0)
		block_outcome_finish(out);
	return rc;
}
