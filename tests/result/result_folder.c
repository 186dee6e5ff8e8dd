/* SPDX-License-Identifier: MIT */
#include "tests/result/result_folder.h"

#include "base/units.h"
#include "tests/result/made_run.h"
#include "tests/tap.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

static char folder[64];

const char *result_folder(void)
{
	return folder;
}

int result_folder_make(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/e3-test-result-XXXXXX");
	return mkdtemp(folder) == NULL;
}

int result_folder_remove(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

uint32_t result_folder_files(const char *path)
{
	const struct dirent *entry;
	DIR *dir = opendir(path);
	uint32_t n = 0;

	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

struct result *result_folder_create(const char *where, struct error *err)
{
	static char *const argv[] = {
	    (char *)"run", (char *)"scenarios/made-up.json", NULL};
	const struct result_config config = {.name = "made-up",
	    .folder = where,
	    .scenario_path = "scenarios/made-up.json",
	    .scenario_text = "{\"name\": \"made-up\"}\n",
	    .seed = 42,
	    .argv = argv,
	    .inventory =
		cJSON_Parse("{\"hosts\":[{\"name\":\"paris\",\"region\":\"ams\"},"
			    "{\"name\":\"tokyo\",\"region\":\"sgp\"}]}"),
	    .versions = cJSON_Parse("{\"e3\":\"0.1.0\"}")};
	struct result *r = NULL;
	int rc = result_create(&config, &r, err);

	assert_true((rc == 0) == (r != NULL));
	return r;
}

void result_folder_add_blocks(struct result *r, const char *transport)
{
	for (uint32_t i = 0; i < 3; i++) {
		struct made_run run = {.n_parties = 3,
		    .n_rounds = 17,
		    .one_way_ns = 20 * NS_PER_MS,
		    .work_ns = (i + 1) * NS_PER_MS,
		    .bytes = 40};
		struct result_block block;
		struct result_verdict verdict;

		made_run_play(&run);
		block = made_run_block(&run, transport, "secret-santa");
		block.index = i;
		assert_int_equal(result_block(r, &block, &verdict, NULL), 0);
		assert_int_equal(verdict.status, CELL_OK);
		assert_int_equal(verdict.n_taints, 0);
		made_run_forget(&run);
	}
}
