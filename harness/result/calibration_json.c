/* SPDX-License-Identifier: MIT */
#include "harness/result/calibration_json.h"

#include "harness/measure/calibrate.h"
#include "harness/measure/taint.h"
#include "harness/result/result.h"

#include <cjson/cJSON.h>
#include <stdio.h>

#define RTT_TOLERANCE 0.01
#define NAME_BYTES    64

cJSON *calibration_pair_json(uint32_t from, uint32_t to, uint64_t configured_rtt_ns,
    const struct calibrate_pair *measured)
{
	cJSON *json = cJSON_CreateObject(), *rtt;

	cJSON_AddNumberToObject(json, "from", from);
	cJSON_AddNumberToObject(json, "to", to);
	if (configured_rtt_ns == RESULT_RTT_UNKNOWN)
		cJSON_AddNullToObject(json, "configured_rtt_ns");
	else
		cJSON_AddNumberToObject(
		    json, "configured_rtt_ns", (double)configured_rtt_ns);
	cJSON_AddNumberToObject(json, "sent", measured->sent);
	cJSON_AddNumberToObject(json, "received", measured->received);
	if (measured->received == 0) {
		cJSON_AddNullToObject(json, "rtt_ns");
		return json;
	}
	rtt = cJSON_AddObjectToObject(json, "rtt_ns");
	cJSON_AddNumberToObject(rtt, "min", (double)measured->min_ns);
	cJSON_AddNumberToObject(rtt, "p50", (double)measured->p50_ns);
	cJSON_AddNumberToObject(rtt, "p99", (double)measured->p99_ns);
	return json;
}

/* "host2 sfo" */
static const char *name_of(const cJSON *inventory, uint32_t host, char *out)
{
	const cJSON *item = cJSON_GetArrayItem(
	    cJSON_GetObjectItemCaseSensitive(inventory, "hosts"), (int)host);
	const char *name =
	    cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "name"));
	const char *region =
	    cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "region"));

	snprintf(out, NAME_BYTES, "%s%s%s", name == NULL ? "?" : name,
	    region == NULL ? "" : " ", region == NULL ? "" : region);
	return out;
}

void calibration_pair_taints(cJSON *taints, const cJSON *inventory, uint32_t from,
    uint32_t to, uint64_t configured_rtt_ns, const struct calibrate_pair *measured)
{
	double limit = (double)configured_rtt_ns * RTT_TOLERANCE;
	double off = (double)measured->p50_ns - (double)configured_rtt_ns;
	char a[NAME_BYTES], b[NAME_BYTES], pair[3 * NAME_BYTES];

	if (limit < taint_limit(TAINT_RTT_OFF))
		limit = taint_limit(TAINT_RTT_OFF);
	snprintf(pair, sizeof(pair), "%s to %s", name_of(inventory, from, a),
	    name_of(inventory, to, b));
	if (measured->received == 0)
		taint_check(taints, TAINT_PROBES_LOST, 1, pair);
	else if (configured_rtt_ns != RESULT_RTT_UNKNOWN)
		taint_check_limit(
		    taints, TAINT_RTT_OFF, off < 0 ? -off : off, limit, pair);
}
