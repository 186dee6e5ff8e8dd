/* SPDX-License-Identifier: MIT */
#include "harness/command/json_output.h"

#include "harness/command/command.h"
#include "harness/result/clean_text.h"

#include <cjson/cJSON.h>
#include <stdio.h>

int json_output(struct cJSON *json)
{
	/* Sentences quote names of files and what stands in them. */
	char *text = json == NULL ? NULL : cJSON_Print(clean_text_json(json));
	struct error err;

	cJSON_Delete(json);
	if (text == NULL) {
		error_set(&err, -ENOMEM, "out of memory");
		return command_failed(&err, EXIT_RUN_FAILED);
	}
	puts(text);
	cJSON_free(text);
	return 0;
}
