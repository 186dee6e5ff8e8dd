/* SPDX-License-Identifier: MIT */
#include "harness/party/state_folder.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int state_folder_sibling(const char *name, char *out, size_t out_bytes, struct error *err)
{
	char path[PATH_MAX], *slash;
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (len < 0)
		return error_set_errno(err, -errno, "/proc/self/exe");
	path[len] = '\0';
	slash = strrchr(path, '/');
	*slash = '\0';
	if ((size_t)snprintf(out, out_bytes, "%s/%s", path, name) >= out_bytes)
		return error_set(err, -ENAMETOOLONG, "%s/%s: path too long", path, name);
	return 0;
}

int state_folder_make(const char *name, char *out, size_t out_bytes, struct error *err)
{
	char folder[64];
	int rc;

	snprintf(folder, sizeof(folder), "state-%s", name);
	rc = state_folder_sibling(folder, out, out_bytes, err);
	if (rc < 0)
		return rc;
	if (mkdir(out, 0700) < 0 && errno != EEXIST)
		return error_set_errno(err, -errno, "%s", out);
	if (chmod(out, 0700) < 0)
		return error_set_errno(err, -errno, "%s", out);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

int state_folder_remove(const char *path, struct error *err)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0 &&
	    errno != ENOENT)
		return error_set_errno(err, -errno, "%s could not be removed", path);
	return 0;
}
