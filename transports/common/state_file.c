/* SPDX-License-Identifier: MIT */
#include "transports/common/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int state_file_path(char *out, size_t out_bytes, const char *folder, const char *name)
{
	int n = snprintf(out, out_bytes, "%s/%s", folder, name);

	return n < 0 || (size_t)n >= out_bytes ? -ENAMETOOLONG : 0;
}

static int write_whole(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t n = write(fd, text, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		text += n;
		left -= (size_t)n;
	}
	return 0;
}

/* Where it is written before it is renamed. */
static int fresh_path(const char *path, char fresh[PATH_MAX])
{
	return snprintf(fresh, PATH_MAX, "%s.new", path) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int state_file_write(const char *path, const char *text)
{
	char fresh[PATH_MAX];
	int fd, rc = fresh_path(path, fresh);

	if (rc < 0)
		return rc;
	unlink(fresh);
	fd = open(fresh, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	rc = write_whole(fd, text);
	close(fd);
	if (rc == 0 && rename(fresh, path) < 0)
		rc = -errno;
	if (rc < 0)
		unlink(fresh);
	return rc;
}

int state_file_read(const char *path, char *out, size_t out_bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t used = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		n = read(fd, out + used, out_bytes - used);
		if (n > 0)
			used += (size_t)n;
	} while (n > 0 && used < out_bytes);
	close(fd);
	if (n < 0)
		return -EIO;
	if (used == out_bytes)
		return -EFBIG;
	out[used] = '\0';
	return (int)used;
}

int state_file_remove(const char *path)
{
	char fresh[PATH_MAX];

	if (fresh_path(path, fresh) == 0)
		unlink(fresh); /* a crash may have left it */
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}
