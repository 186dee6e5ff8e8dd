/* SPDX-License-Identifier: MIT */
/* make_result FOLDER: write a made-up result there, print its path and, on a terminal or
 * not, its summary; with a second argument the summary as JSON. */
#include "harness/result/summary.h"
#include "tests/result/made_document.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct terminal terminal;
	struct error err;
	struct result *r;
	cJSON *summary;
	char *text;

	if (argc < 2)
		return 2;
	r = made_document(argv[1]);
	if (result_finish(r, RESULT_PARTIAL, "a cell was not run", &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 4;
	}
	terminal_detect(STDOUT_FILENO, &terminal);
	if (argc == 2) {
		summary_print(result_document(r), result_path(r), stdout, &terminal);
	} else {
		summary = summary_json(result_document(r), result_path(r));
		text = cJSON_PrintUnformatted(summary);
		puts(text);
		cJSON_free(text);
		cJSON_Delete(summary);
	}
	result_destroy(r);
	return 0;
}
