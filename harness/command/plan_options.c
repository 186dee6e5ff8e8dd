/* SPDX-License-Identifier: MIT */
#include "harness/command/plan_options.h"

int plan_options_use(const char *path, const struct plan_filter *filter,
    int (*use)(const struct plan *plan, const void *options, struct error *err),
    const void *options)
{
	struct scenario *scenario = NULL;
	struct plan *plan = NULL;
	struct error err = {0};
	int rc = scenario_read(path, &scenario, &err);

	if (rc == 0)
		rc = plan_create(scenario, filter, &plan, &err);
	if (rc == 0)
		rc = use(plan, options, &err);
	if (rc < 0)
		rc = command_failed(&err, EXIT_USAGE);
	plan_free(plan);
	scenario_free(scenario);
	return rc;
}
