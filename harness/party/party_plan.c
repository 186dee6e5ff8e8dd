/* SPDX-License-Identifier: MIT */
#include "harness/party/party_message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_texts(cJSON *json, const char *key, char *const *texts)
{
	cJSON *array = cJSON_AddArrayToObject(json, key);

	for (; *texts != NULL; texts++)
		cJSON_AddItemToArray(array, cJSON_CreateString(*texts));
}

static void add_optional(cJSON *json, const char *key, const char *text)
{
	if (text != NULL)
		cJSON_AddStringToObject(json, key, text);
}

cJSON *party_plan_json(const struct party_plan *plan)
{
	cJSON *json = party_message("plan");
	char seed[24];

	if (json == NULL)
		return NULL;
	/* As text: 64 bits don't fit a JSON number. */
	snprintf(seed, sizeof(seed), "%llu", (unsigned long long)plan->seed);
	cJSON_AddNumberToObject(json, "party", plan->self);
	cJSON_AddNumberToObject(json, "parties", plan->n_parties);
	add_texts(json, "addresses", plan->addresses);
	cJSON_AddStringToObject(json, "transport", plan->transport);
	add_texts(json, "options", plan->options);
	cJSON_AddStringToObject(json, "workload", plan->workload);
	cJSON_AddStringToObject(json, "size", plan->size);
	add_optional(json, "mode", plan->mode);
	cJSON_AddNumberToObject(json, "field_bits", plan->field_bits);
	cJSON_AddStringToObject(json, "seed", seed);
	add_optional(json, "model_file", plan->model_file);
	add_optional(json, "images_file", plan->images_file);
	cJSON_AddNumberToObject(json, "images", plan->n_images);
	cJSON_AddNumberToObject(json, "probe_rate_hz", plan->probe_rate_hz);
	cJSON_AddNumberToObject(json, "probe_bytes", plan->probe_bytes);
	cJSON_AddNumberToObject(json, "step_ms", plan->step_ms);
	cJSON_AddNumberToObject(json, "round_ms", plan->round_ms);
	return json;
}

static int take_text(
    const cJSON *json, const char *key, int is_optional, char **out, struct error *err)
{
	const char *text;

	if (is_optional && cJSON_GetObjectItemCaseSensitive(json, key) == NULL)
		return 0;
	text = party_message_text(json, key, err);
	if (text == NULL)
		return -EPROTO;
	*out = strdup(text);
	return *out == NULL ? error_set(err, -ENOMEM, "out of memory") : 0;
}

/* At most `max` texts into `out`, which has room for the terminating NULL. */
static int take_texts(const cJSON *json, const char *key, uint32_t max, char **out,
    uint32_t *n, struct error *err)
{
	const cJSON *array = cJSON_GetObjectItemCaseSensitive(json, key), *item;

	if (!cJSON_IsArray(array) || cJSON_GetArraySize(array) > (int)max)
		return error_set(
		    err, -EPROTO, "'%s' is no list of at most %u texts", key, max);
	*n = 0;
	cJSON_ArrayForEach(item, array)
	{
		if (!cJSON_IsString(item))
			return error_set(
			    err, -EPROTO, "'%s' holds something that is no text", key);
		out[*n] = strdup(item->valuestring);
		if (out[(*n)++] == NULL)
			return error_set(err, -ENOMEM, "out of memory");
	}
	return 0;
}

static int take_numbers(struct party_plan *plan, const cJSON *json, struct error *err)
{
	const struct {
		const char *key;
		uint32_t *to;
		uint64_t max;
	} numbers[] = {
	    {"party", &plan->self, NETWORK_PARTIES_MAX - 1},
	    {"parties", &plan->n_parties, NETWORK_PARTIES_MAX},
	    {"field_bits", &plan->field_bits, 4096},
	    {"images", &plan->n_images, 1000},
	    {"probe_rate_hz", &plan->probe_rate_hz, 10000},
	    {"probe_bytes", &plan->probe_bytes, 65536},
	    {"step_ms", &plan->step_ms, 3600000},
	    {"round_ms", &plan->round_ms, 3600000},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		uint64_t value;
		int rc = party_message_number(
		    json, numbers[i].key, numbers[i].max, &value, err);

		if (rc < 0)
			return rc;
		*numbers[i].to = (uint32_t)value;
	}
	if (plan->self >= plan->n_parties)
		return error_set(
		    err, -EPROTO, "party %u of %u parties", plan->self, plan->n_parties);
	return 0;
}

static int take_seed(struct party_plan *plan, const cJSON *json, struct error *err)
{
	const char *text = party_message_text(json, "seed", err);
	char *end;

	if (text == NULL)
		return -EPROTO;
	errno = 0;
	plan->seed = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0)
		return error_set(err, -EPROTO, "'seed' is no number");
	return 0;
}

static int take_all(struct party_plan *plan, const cJSON *json, struct error *err)
{
	uint32_t n_addresses, n_options;
	int rc = take_numbers(plan, json, err);

	if (rc == 0)
		rc = take_seed(plan, json, err);
	if (rc == 0)
		rc = take_texts(json, "addresses", NETWORK_PARTIES_MAX, plan->addresses,
		    &n_addresses, err);
	if (rc == 0 && n_addresses != plan->n_parties)
		rc = error_set(err, -EPROTO, "%u addresses for %u parties", n_addresses,
		    plan->n_parties);
	if (rc == 0)
		rc = take_texts(
		    json, "options", PARTY_OPTIONS_MAX, plan->options, &n_options, err);
	if (rc == 0 && n_options % 2 != 0)
		rc = error_set(err, -EPROTO, "'options' holds a key without a value");
	if (rc == 0)
		rc = take_text(json, "transport", 0, &plan->transport, err);
	if (rc == 0)
		rc = take_text(json, "workload", 0, &plan->workload, err);
	if (rc == 0)
		rc = take_text(json, "size", 0, &plan->size, err);
	if (rc == 0)
		rc = take_text(json, "mode", 1, &plan->mode, err);
	if (rc == 0)
		rc = take_text(json, "model_file", 1, &plan->model_file, err);
	if (rc == 0)
		rc = take_text(json, "images_file", 1, &plan->images_file, err);
	return rc;
}

int party_plan_parse(struct party_plan *plan, const cJSON *json, struct error *err)
{
	int rc;

	memset(plan, 0, sizeof(*plan));
	rc = take_all(plan, json, err);
	if (rc < 0) {
		party_plan_finish(plan);
		return error_wrap(err, "plan");
	}
	return 0;
}

void party_plan_finish(struct party_plan *plan)
{
	for (uint32_t i = 0; plan->addresses[i] != NULL; i++)
		free(plan->addresses[i]);
	for (uint32_t i = 0; plan->options[i] != NULL; i++)
		free(plan->options[i]);
	free(plan->transport);
	free(plan->workload);
	free(plan->size);
	free(plan->mode);
	free(plan->model_file);
	free(plan->images_file);
	memset(plan, 0, sizeof(*plan));
}
