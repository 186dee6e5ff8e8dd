/* SPDX-License-Identifier: MIT */
#include "harness/result/cell_taints.h"

#include <cjson/cJSON.h>

static void sum_up_taint(cJSON *sums, const cJSON *taint)
{
	const cJSON *code = cJSON_GetObjectItemCaseSensitive(taint, "code");
	double value =
	    cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(taint, "value"));
	cJSON *sum;

	cJSON_ArrayForEach(sum, sums)
	{
		cJSON *worst = cJSON_GetObjectItemCaseSensitive(sum, "value");

		if (!cJSON_Compare(
			code, cJSON_GetObjectItemCaseSensitive(sum, "code"), 1))
			continue;
		if (worst != NULL && value > worst->valuedouble) {
			cJSON_SetNumberValue(worst, value);
			cJSON_ReplaceItemInObjectCaseSensitive(sum, "sentence",
			    cJSON_Duplicate(
				cJSON_GetObjectItemCaseSensitive(taint, "sentence"), 1));
		}
		return;
	}
	sum = cJSON_Duplicate(taint, 1);
	cJSON_DeleteItemFromObjectCaseSensitive(sum, "of");
	cJSON_AddNumberToObject(sum, "blocks", 0);
	cJSON_AddItemToArray(sums, sum);
}

void cell_taints_add(cJSON *sums, const cJSON *taints)
{
	const cJSON *taint;
	cJSON *sum;

	cJSON_ArrayForEach(taint, taints)
	{
		sum_up_taint(sums, taint);
	}
	cJSON_ArrayForEach(sum, sums)
	{
		const cJSON *code = cJSON_GetObjectItemCaseSensitive(sum, "code");
		cJSON *blocks = cJSON_GetObjectItemCaseSensitive(sum, "blocks");
		int is_in_block = 0;

		cJSON_ArrayForEach(taint, taints)
		{
			is_in_block |= cJSON_Compare(
			    code, cJSON_GetObjectItemCaseSensitive(taint, "code"), 1);
		}
		cJSON_SetNumberValue(blocks, blocks->valuedouble + is_in_block);
	}
}
