/* SPDX-License-Identifier: MIT */
#include "harness/command/home.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* /a/b/build/e3 -> /a/b */
static int above_program(char path[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (len < 0)
		return -errno;
	path[len] = '\0';
	for (int i = 0; i < 2; i++) {
		char *slash = strrchr(path, '/');

		if (slash == NULL || slash == path)
			return -ENOENT;
		*slash = '\0';
	}
	return 0;
}

int home_folder(char path[PATH_MAX], struct error *err)
{
	const char *home = getenv("E3_HOME");
	char folder[PATH_MAX] = "", scenarios[PATH_MAX + 16];

	if (home != NULL && home[0] != '\0')
		snprintf(folder, sizeof(folder), "%s", home);
	else if (above_program(folder) < 0)
		folder[0] = '\0';
	snprintf(scenarios, sizeof(scenarios), "%s/scenarios", folder);
	if (folder[0] == '\0' || access(scenarios, R_OK | X_OK) < 0)
		return error_set(err, -ENOENT,
		    "there is no %s: set E3_HOME to the folder of E3's sources",
		    scenarios);
	strcpy(path, folder);
	return 0;
}
