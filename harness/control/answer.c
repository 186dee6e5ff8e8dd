/* SPDX-License-Identifier: MIT */
#include "harness/control/answer.h"
#include "harness/party/party_message.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_MAX 9007199254740992.0 /* 2^53: integers a JSON number holds exactly */

static int take_values(
    const cJSON *output, struct workload_output *out, struct error *err)
{
	const cJSON *values = cJSON_GetObjectItemCaseSensitive(output, "values"), *item;

	if (!cJSON_IsArray(values) ||
	    cJSON_GetArraySize(values) > (int)WORKLOAD_OUTPUTS_MAX)
		return error_set(err, -EPROTO, "reported no list of values");
	cJSON_ArrayForEach(item, values)
	{
		if (!cJSON_IsNumber(item) || !(fabs(item->valuedouble) <= EXACT_MAX) ||
		    item->valuedouble != floor(item->valuedouble))
			return error_set(
			    err, -EPROTO, "reported a value that is no integer");
		out->values[out->n_values++] = (int64_t)item->valuedouble;
	}
	return 0;
}

static int take_answer(
    const cJSON *report, struct workload_output *out, struct error *err)
{
	const cJSON *output = cJSON_GetObjectItemCaseSensitive(report, "output");
	uint64_t attempts;
	int rc;

	memset(out, 0, sizeof(*out));
	rc = take_values(output, out, err);
	if (rc == 0)
		rc = party_message_number(output, "attempts", UINT32_MAX, &attempts, err);
	if (rc == 0)
		out->attempts = (uint32_t)attempts;
	return rc;
}

static int check_all(const struct workload *workload, const struct workload_task *task,
    const cJSON *const *reports, uint32_t n_parties, struct workload_output *first,
    struct workload_output *other, struct error *err)
{
	for (uint32_t p = 0; p < n_parties; p++) {
		int rc = take_answer(reports[p], p == 0 ? first : other, err);

		if (rc < 0)
			return error_wrap(err, "party %u", p);
		if (p > 0 && memcmp(first, other, sizeof(*first)) != 0)
			return error_set(err, -EBADMSG,
			    "parties 0 and %u learned different answers", p);
	}
	return workload->check(task, first, err);
}

int answer_check(const struct workload *workload, const struct workload_task *task,
    const cJSON *const *reports, uint32_t n_parties, struct error *err)
{
	struct workload_output *outputs = calloc(2, sizeof(*outputs));
	int rc;

	if (outputs == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	rc = check_all(workload, task, reports, n_parties, &outputs[0], &outputs[1], err);
	free(outputs);
	return rc;
}
