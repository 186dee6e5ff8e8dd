/* SPDX-License-Identifier: MIT */
#include "harness/scenario/scenario.h"

#include "base/nearest.h"
#include "base/units.h"
#include "harness/scenario/json_reader.h"
#include "harness/scenario/scenario_item.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BPS_PER_MBPS 1000000.0

static int read_party_count(const struct json_scope *at, void *into, struct error *err)
{
	const struct json_rule count = {.min = 1, .max = NETWORK_PARTIES_MAX};
	struct scenario *scenario = into;
	uint32_t value = 0;
	int rc = json_read_u32(at, &count, &value, err);

	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < scenario->n_parties_counts; i++)
		if (scenario->parties[i] == value)
			return json_error(at, err, "%u stands here twice", value);
	scenario->parties[scenario->n_parties_counts++] = value;
	return 0;
}

static int read_counts(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
	(void)rule;
	if (!cJSON_IsArray(at->value))
		return read_party_count(at, field, err);
	return json_read_array(at, 1, NETWORK_PARTIES_MAX, read_party_count, field, err);
}

static int read_region(const struct json_scope *at, void *into, struct error *err)
{
	const struct json_rule name = {.bytes = MATRIX_SITE_BYTES};
	struct scenario *scenario = into;
	int rc = json_read_name(at, &name, scenario->regions[scenario->n_regions], err);

	scenario->n_regions += rc == 0;
	return rc;
}

static int read_regions(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
	(void)rule;
	return json_read_array(at, 1, SCENARIO_REGIONS_MAX, read_region, field, err);
}

static int read_parties(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
	static const struct json_rule rules[] = {
	    {.key = "count", .is_required = 1, .read = read_counts},
	    {.key = "regions", .is_required = 1, .read = read_regions},
	    {0},
	};

	(void)rule;
	return json_read_object(at, rules, field, err);
}

#define FIELD(name)                                                                      \
	.offset = offsetof(struct scenario, name),                                       \
	.bytes = sizeof(((struct scenario *)NULL)->name)

/* The matrix itself is opened when the whole scenario is known to be well formed. */
static const struct json_rule network_rules[] = {
    {.key = "matrix",
	.is_required = 1,
	.read = json_read_text,
	.offset = offsetof(struct scenario, matrix_path),
	.bytes = 1024}, /* 255 characters; the scenario's folder comes before them */
    {.key = "scale", .read = json_read_double, FIELD(matrix_scale), .max = 10},
    {.key = "intra_region_one_way_us",
	.read = json_read_quantity,
	FIELD(intra_region_one_way_ns),
	.max = 1e6,
	.unit = (double)NS_PER_US},
    {.key = "rate_mbps",
	.read = json_read_quantity,
	FIELD(rate_bps),
	.min = 0.001,
	.max = 1e6,
	.unit = BPS_PER_MBPS},
    {.key = "jitter_us",
	.read = json_read_quantity,
	FIELD(jitter_ns),
	.max = 1e6,
	.unit = (double)NS_PER_US},
    {.key = "loss", .read = json_read_double, FIELD(loss), .max = 0.99},
    {0},
};

static int read_network(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
	(void)rule;
	return json_read_object(at, network_rules, field, err);
}

static int read_probes(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
	static const struct json_rule rules[] = {
	    {.key = "rate_hz",
		.read = json_read_u32,
		FIELD(probe_rate_hz),
		.max = SCENARIO_PROBE_HZ_MAX},
	    {.key = "bytes",
		.read = json_read_u32,
		FIELD(probe_bytes),
		.min = SCENARIO_PROBE_BYTES_MIN,
		.max = SCENARIO_PROBE_BYTES_MAX},
	    {0},
	};

	(void)rule;
	return json_read_object(at, rules, field, err);
}

static int read_scale(const struct json_scope *at, void *into, struct error *err)
{
	static const struct json_rule rule = {.max = 10};
	struct scenario *scenario = into;
	double scale;
	int rc = json_read_double(at, &rule, &scale, err);

	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < scenario->n_delay_scales; i++)
		if (scenario->delay_scales[i] == scale)
			return json_error(at, err, "%g stands here twice", scale);
	scenario->delay_scales[scenario->n_delay_scales++] = scale;
	return 0;
}

static int read_scales(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
	struct scenario *scenario = field;
	int rc;

	(void)rule;
	scenario->n_delay_scales = 0;
	rc = json_read_array(at, 1, SCENARIO_SCALES_MAX, read_scale, field, err);
	for (uint32_t i = 0; rc == 0 && i < scenario->n_delay_scales; i++)
		if (scenario->delay_scales[i] == 1)
			return 0;
	return rc < 0
		   ? rc
		   : json_error(at, err,
			 "1 must be among them: the figures of a cell are of delays as "
			 "they are");
}

static int read_runs(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
	static const struct json_rule rules[] = {
	    {.key = "blocks",
		.read = json_read_u32,
		FIELD(blocks),
		.min = 1,
		.max = SCENARIO_BLOCKS_MAX},
	    {.key = "reruns",
		.read = json_read_u32,
		FIELD(reruns),
		.max = SCENARIO_RERUNS_MAX},
	    {.key = "delay_scales", .read = read_scales},
	    {.key = "timeout_s",
		.read = json_read_u32,
		FIELD(cell_timeout_s),
		.min = 1,
		.max = SCENARIO_TIMEOUT_S_MAX},
	    {0},
	};

	(void)rule;
	return json_read_object(at, rules, field, err);
}

static int read_transports(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
	(void)rule;
	return json_read_array(
	    at, 1, SCENARIO_TRANSPORTS_MAX, scenario_read_transport, field, err);
}

static int read_workloads(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
	(void)rule;
	return json_read_array(
	    at, 1, SCENARIO_WORKLOADS_MAX, scenario_read_workload, field, err);
}

static const struct json_rule scenario_rules[] = {
    {.key = "$schema",
	.is_required = 1,
	.read = json_read_constant,
	.expect = "e3/scenario/v1"},
    {.key = "name", .is_required = 1, .read = json_read_name, FIELD(name)},
    {.key = "description", .read = json_read_text, FIELD(description)},
    {.key = "parties", .is_required = 1, .read = read_parties},
    {.key = "network", .is_required = 1, .read = read_network},
    {.key = "transports", .is_required = 1, .read = read_transports},
    {.key = "workloads", .is_required = 1, .read = read_workloads},
    {.key = "probes", .read = read_probes},
    {.key = "runs", .read = read_runs},
    {.key = "seed", .read = json_read_u64, FIELD(seed), .max = JSON_INTEGER_MAX},
    {0},
};

/* What a key that is left out means; docs/scenarios.md lists the same values. */
static void set_defaults(struct scenario *scenario)
{
	scenario->matrix_scale = 1.0;
	scenario->intra_region_one_way_ns = 150 * NS_PER_US;
	scenario->probe_rate_hz = 20;
	scenario->probe_bytes = 64;
	scenario->blocks = 3;
	scenario->reruns = 1;
	scenario->delay_scales[0] = 1;
	scenario->n_delay_scales = 1;
	scenario->cell_timeout_s = 120;
	scenario->seed = 1;
}

static uint64_t scaled(uint64_t ns, double scale)
{
	return (uint64_t)llround((double)ns * scale);
}

/* Open the matrix beside the scenario and scale all delays. */
static int load_matrix(struct scenario *scenario, struct error *err)
{
	const char *slash = strrchr(scenario->path, '/');
	char path[sizeof(scenario->matrix_path) + sizeof(scenario->path)];
	int folder = slash == NULL ? 0 : (int)(slash + 1 - scenario->path), rc;

	snprintf(path, sizeof(path), "%.*s%s",
	    scenario->matrix_path[0] == '/' ? 0 : folder, scenario->path,
	    scenario->matrix_path);
	if (strlen(path) >= sizeof(scenario->matrix_path))
		return error_set(err, -ENAMETOOLONG,
		    "%s: /network/matrix: the path is too long", scenario->path);
	strcpy(scenario->matrix_path, path);
	rc = matrix_read(path, &scenario->matrix, &scenario->matrix_text, err);
	if (rc < 0)
		return error_wrap(err, "%s: /network/matrix", scenario->path);
	for (uint32_t i = 0; i < scenario->matrix.n_sites; i++)
		for (uint32_t j = 0; j < scenario->matrix.n_sites; j++)
			scenario->matrix.rtt_ns[i][j] =
			    scaled(scenario->matrix.rtt_ns[i][j], scenario->matrix_scale);
	scenario->intra_region_one_way_ns =
	    scaled(scenario->intra_region_one_way_ns, scenario->matrix_scale);
	return 0;
}

static int unknown_region(
    const struct scenario *scenario, uint32_t region, struct error *err)
{
	const struct matrix *matrix = &scenario->matrix;
	char sites[ERROR_TEXT_BYTES / 3] = "";
	struct nearest near;

	nearest_init(&near, scenario->regions[region]);
	for (uint32_t i = 0; i < matrix->n_sites; i++) {
		size_t used = strlen(sites);

		nearest_offer(&near, matrix->sites[i]);
		snprintf(sites + used, sizeof(sites) - used, "%s%s", i == 0 ? "" : ", ",
		    matrix->sites[i]);
	}
	if (near.best != NULL)
		snprintf(sites, sizeof(sites), "did you mean '%s'?", near.best);
	return error_set(err, -EINVAL,
	    "%s: /parties/regions/%u: '%s' is no site of %s; %s%s", scenario->path,
	    region, scenario->regions[region], scenario->matrix_path,
	    near.best == NULL ? "it has: " : "", sites);
}

static int find_regions(struct scenario *scenario, struct error *err)
{
	for (uint32_t i = 0; i < scenario->n_regions; i++) {
		int site = matrix_site(&scenario->matrix, scenario->regions[i]);

		if (site < 0)
			return unknown_region(scenario, i, err);
		scenario->region_sites[i] = (uint32_t)site;
	}
	return 0;
}

/* Takes the text out of the document. */
static int scenario_load(const char *path, struct json_document *document,
    struct scenario **out, struct error *err)
{
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	struct json_scope root = json_root(document);
	int rc;

	if (scenario == NULL)
		return error_set(err, -ENOMEM, "%s: out of memory", path);
	if (strlen(path) >= sizeof(scenario->path)) {
		rc = error_set(err, -ENAMETOOLONG, "%s: the path is too long", path);
		goto failed;
	}
	strcpy(scenario->path, path);
	set_defaults(scenario);
	rc = json_read_object(&root, scenario_rules, scenario, err);
	if (rc == 0)
		rc = load_matrix(scenario, err);
	if (rc == 0)
		rc = find_regions(scenario, err);
	if (rc < 0)
		goto failed;
	scenario->text = document->text;
	document->text = NULL;
	*out = scenario;
	return 0;

failed:
	scenario_free(scenario);
	return rc;
}

int scenario_parse(const char *path, const char *text, size_t len, struct scenario **out,
    struct error *err)
{
	struct json_document document = {0};
	int rc = json_document_parse(path, text, len, &document, err);

	if (rc < 0)
		return rc;
	rc = scenario_load(path, &document, out, err);
	json_document_finish(&document);
	return rc;
}

int scenario_read(const char *path, struct scenario **out, struct error *err)
{
	struct json_document document = {0};
	int rc = json_document_read(path, &document, err);

	if (rc == -ENOENT)
		return error_set(err, rc,
		    "%s: there is no such file; `e3 list scenarios` shows those of E3",
		    path);
	if (rc < 0)
		return rc;
	rc = scenario_load(path, &document, out, err);
	json_document_finish(&document);
	return rc;
}

void scenario_free(struct scenario *scenario)
{
	if (scenario == NULL)
		return;
	for (uint32_t t = 0; t < scenario->n_transports; t++)
		for (char **o = scenario->transports[t].options; *o != NULL; o++)
			free(*o);
	free(scenario->text);
	free(scenario->matrix_text);
	free(scenario);
}
