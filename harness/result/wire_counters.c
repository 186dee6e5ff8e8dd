/* SPDX-License-Identifier: MIT */
#include "harness/result/wire_counters.h"

#include "harness/measure/histogram_json.h"
#include "harness/measure/taint.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

static uint64_t grown(uint64_t before, uint64_t after)
{
	return after > before ? after - before : 0;
}

/* Counts are exact; the ends are those of their buckets, but never beyond `after`'s. */
static struct histogram *histogram_between(
    const struct histogram *before, const struct histogram *after)
{
	struct histogram *h = histogram_create();

	if (h == NULL)
		return NULL;
	for (uint32_t i = 0; i < HISTOGRAM_COUNTS; i++) {
		uint64_t n = grown(before->counts[i], after->counts[i]);

		if (n == 0)
			continue;
		h->counts[i] = n;
		h->total += n;
		if (h->min == UINT64_MAX)
			h->min = histogram_lowest(i);
		h->max = histogram_highest(i);
	}
	if (h->total == 0)
		return h;
	if (h->min < after->min)
		h->min = after->min;
	if (h->max > after->max)
		h->max = after->max;
	h->overflow = grown(before->overflow, after->overflow);
	h->sum = after->sum - before->sum;
	h->sum_squares = after->sum_squares - before->sum_squares;
	return h;
}

void wire_counters_between(const struct testbed_counters *before,
    const struct testbed_counters *after, uint32_t n_hosts, struct wire_counters *out)
{
	*out = (struct wire_counters){0};
	for (uint32_t from = 0; from < n_hosts; from++) {
		out->tun_dropped +=
		    grown(before->tun_dropped[from], after->tun_dropped[from]);
		for (uint32_t to = 0; to < n_hosts; to++) {
			const struct testbed_pair *was = &before->pairs[from][to];
			const struct testbed_pair *is = &after->pairs[from][to];

			out->packets += grown(was->packets, is->packets);
			out->bytes += grown(was->bytes, is->bytes);
			out->dropped_loss += grown(was->dropped_loss, is->dropped_loss);
			out->dropped_queue +=
			    grown(was->dropped_queue, is->dropped_queue);
			out->dropped_emulator +=
			    grown(was->dropped_emulator, is->dropped_emulator);
		}
	}
	out->undeliverable = grown(before->undeliverable, after->undeliverable);
	out->emulator_cpu_ns = grown(before->cpu_ns, after->cpu_ns);
	out->lateness_ns = histogram_between(&before->lateness_ns, &after->lateness_ns);
}

void wire_counters_finish(struct wire_counters *wire)
{
	histogram_destroy(wire->lateness_ns);
	*wire = (struct wire_counters){0};
}

static cJSON *pair_json(uint32_t from, uint32_t to, const struct testbed_pair *was,
    const struct testbed_pair *is)
{
	cJSON *json = cJSON_CreateObject();

	cJSON_AddNumberToObject(json, "from", from);
	cJSON_AddNumberToObject(json, "to", to);
	cJSON_AddNumberToObject(
	    json, "packets", (double)grown(was->packets, is->packets));
	cJSON_AddNumberToObject(json, "bytes", (double)grown(was->bytes, is->bytes));
	cJSON_AddNumberToObject(
	    json, "dropped_loss", (double)grown(was->dropped_loss, is->dropped_loss));
	cJSON_AddNumberToObject(
	    json, "dropped_queue", (double)grown(was->dropped_queue, is->dropped_queue));
	cJSON_AddNumberToObject(json, "dropped_emulator",
	    (double)grown(was->dropped_emulator, is->dropped_emulator));
	return json;
}

static void add_sums(cJSON *json, const struct wire_counters *wire)
{
	cJSON_AddNumberToObject(json, "packets", (double)wire->packets);
	cJSON_AddNumberToObject(json, "bytes", (double)wire->bytes);
	cJSON_AddNumberToObject(json, "dropped_loss", (double)wire->dropped_loss);
	cJSON_AddNumberToObject(json, "dropped_queue", (double)wire->dropped_queue);
	cJSON_AddNumberToObject(json, "dropped_emulator", (double)wire->dropped_emulator);
	cJSON_AddNumberToObject(json, "tun_dropped", (double)wire->tun_dropped);
	cJSON_AddNumberToObject(json, "undeliverable", (double)wire->undeliverable);
	cJSON_AddNumberToObject(json, "emulator_cpu_ns", (double)wire->emulator_cpu_ns);
}

cJSON *wire_counters_json(const struct wire_counters *wire,
    const struct testbed_counters *before, const struct testbed_counters *after,
    uint32_t n_hosts)
{
	const struct histogram_label label = {.metric = "lateness_ns",
	    .loop = "open",
	    .from = HISTOGRAM_NO_PARTY,
	    .to = HISTOGRAM_NO_PARTY};
	cJSON *json = cJSON_CreateObject(), *pairs;

	if (json == NULL || wire->lateness_ns == NULL) {
		cJSON_Delete(json);
		return NULL;
	}
	add_sums(json, wire);
	pairs = cJSON_AddArrayToObject(json, "pairs");
	for (uint32_t from = 0; from < n_hosts; from++)
		for (uint32_t to = 0; to < n_hosts; to++)
			if (from != to)
				cJSON_AddItemToArray(
				    pairs, pair_json(from, to, &before->pairs[from][to],
					       &after->pairs[from][to]));
	cJSON_AddItemToObject(
	    json, "lateness", histogram_to_json(wire->lateness_ns, &label));
	return json;
}

void wire_counters_taints(cJSON *taints, const struct wire_counters *wire)
{
	if (wire->lateness_ns != NULL)
		taint_check(taints, TAINT_EMULATOR_LATE,
		    (double)histogram_percentile(wire->lateness_ns, 99), NULL);
	taint_check(taints, TAINT_EMULATOR_DROP, (double)wire->dropped_emulator, NULL);
	taint_check(taints, TAINT_TUN_DROP, (double)wire->tun_dropped, NULL);
}
