/* SPDX-License-Identifier: MIT */
#include "harness/result/atomic_file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int atomic_file_error(struct error *err, int code, const char *path)
{
	const char *advice = "";

	if (code == -ENOSPC || code == -EDQUOT || code == -EFBIG)
		advice = "; free some space there";
	else if (code == -EACCES || code == -EPERM || code == -EROFS)
		advice = "; give the right to write there, or choose another folder";
	else if (code == -ENOENT || code == -ENOTDIR)
		advice = "; its folder must exist";
	return error_set(
	    err, code, "%s: can't be written: %s%s", path, strerror(-code), advice);
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* So that the new name survives a power cut too; not all file systems can. */
static void sync_folder(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd;

	snprintf(folder, sizeof(folder), "%.*s",
	    slash == NULL ? 1 : (int)(slash - path + 1), slash == NULL ? "." : path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

int atomic_file_write(const char *path, const char *text, size_t len, struct error *err)
{
	char part[PATH_MAX];
	int fd, rc;

	if (snprintf(part, sizeof(part), "%s.part", path) >= (int)sizeof(part))
		return atomic_file_error(err, -ENAMETOOLONG, path);
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return atomic_file_error(err, -errno, path);
	rc = write_all(fd, text, len);
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && rename(part, path) < 0)
		rc = -errno;
	if (rc < 0) {
		unlink(part);
		return atomic_file_error(err, rc, path);
	}
	sync_folder(path);
	return 0;
}
