/* SPDX-License-Identifier: MIT */
#include "harness/measure/histogram_json.h"

#include "harness/measure/histogram_codec.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ENCODING "hdr-v2-base64"

static void add_party(cJSON *json, const char *key, int party)
{
	if (party == HISTOGRAM_NO_PARTY)
		cJSON_AddNullToObject(json, key);
	else
		cJSON_AddNumberToObject(json, key, party);
}

static const struct {
	const char *key;
	double percent;
} percentiles[] = {{"p50", 50}, {"p90", 90}, {"p99", 99}, {"p999", 99.9}};

static void add_figures(cJSON *json, const struct histogram *h)
{
	cJSON_AddNumberToObject(json, "count", (double)h->total);
	cJSON_AddNumberToObject(json, "overflow", (double)h->overflow);
	cJSON_AddNumberToObject(json, "min", h->total == 0 ? 0 : (double)h->min);
	cJSON_AddNumberToObject(json, "max", (double)h->max);
	cJSON_AddNumberToObject(json, "mean", round(histogram_mean(h)));
	cJSON_AddNumberToObject(json, "sum", h->sum);
	for (size_t i = 0; i < sizeof(percentiles) / sizeof(*percentiles); i++)
		cJSON_AddNumberToObject(json, percentiles[i].key,
		    (double)histogram_percentile(h, percentiles[i].percent));
}

cJSON *histogram_to_json(const struct histogram *h, const struct histogram_label *label)
{
	cJSON *json = cJSON_CreateObject();
	char *data = histogram_encode(h);

	if (json == NULL || data == NULL) {
		cJSON_Delete(json);
		free(data);
		return NULL;
	}
	cJSON_AddStringToObject(json, "metric", label->metric);
	cJSON_AddStringToObject(json, "loop", label->loop);
	add_party(json, "from", label->from);
	add_party(json, "to", label->to);
	if (label->phase == NULL)
		cJSON_AddNullToObject(json, "phase");
	else
		cJSON_AddStringToObject(json, "phase", label->phase);
	cJSON_AddStringToObject(json, "unit", "ns");
	add_figures(json, h);
	cJSON_AddStringToObject(json, "encoding", ENCODING);
	cJSON_AddStringToObject(json, "data", data);
	free(data);
	return json;
}

/* The number under `key` if it is a count or a time. */
static int read_figure(const cJSON *json, const char *key, double *value)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) ||
	    item->valuedouble > 9007199254740992e9)
		return -EINVAL;
	*value = item->valuedouble;
	return 0;
}

static int take_ends(struct histogram *h, const cJSON *json, struct error *err)
{
	double count, overflow, min, max, sum;

	if (read_figure(json, "count", &count) < 0 ||
	    read_figure(json, "overflow", &overflow) < 0 ||
	    read_figure(json, "min", &min) < 0 || read_figure(json, "max", &max) < 0 ||
	    read_figure(json, "sum", &sum) < 0)
		return error_set(err, -EINVAL,
		    "histogram: count, overflow, min, max and sum must be numbers");
	if (count != (double)h->total || overflow > count)
		return error_set(err, -EINVAL, "histogram: says %.0f values, holds %llu",
		    count, (unsigned long long)h->total);
	if (h->total == 0)
		return 0;
	if (max > (double)HISTOGRAM_VALUE_MAX || min > max ||
	    histogram_index((uint64_t)min) != histogram_index(h->min) ||
	    histogram_index((uint64_t)max) != histogram_index(h->max) ||
	    fabs(sum - h->sum) > h->sum / 1000 + count)
		return error_set(err, -EINVAL,
		    "histogram: min, max or sum is not that of the payload");
	h->overflow = (uint64_t)overflow;
	h->min = (uint64_t)min;
	h->max = (uint64_t)max;
	h->sum = sum;
	return 0;
}

/* The figures for readers must be those of the values. */
static int check_figures(const struct histogram *h, const cJSON *json, struct error *err)
{
	double value;

	if (read_figure(json, "mean", &value) < 0 || value != round(histogram_mean(h)))
		return error_set(
		    err, -EINVAL, "histogram: mean is not that of the payload");
	for (size_t i = 0; i < sizeof(percentiles) / sizeof(*percentiles); i++)
		if (read_figure(json, percentiles[i].key, &value) < 0 ||
		    value != (double)histogram_percentile(h, percentiles[i].percent))
			return error_set(err, -EINVAL,
			    "histogram: %s is not that of the payload",
			    percentiles[i].key);
	return 0;
}

int histogram_from_json(struct histogram *out, const cJSON *json, struct error *err)
{
	const char *encoding =
	    cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "encoding"));
	const char *data =
	    cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "data"));
	struct histogram *h;
	int rc;

	if (encoding == NULL || data == NULL || strcmp(encoding, ENCODING) != 0)
		return error_set(err, -EINVAL,
		    "histogram: no \"data\" in \"encoding\": \"" ENCODING "\"");
	h = histogram_create();
	if (h == NULL)
		return error_set(err, -ENOMEM, "histogram: out of memory");
	rc = histogram_decode(h, data, err);
	if (rc == 0)
		rc = take_ends(h, json, err);
	if (rc == 0)
		rc = check_figures(h, json, err);
	if (rc == 0)
		*out = *h;
	histogram_destroy(h);
	return rc;
}
