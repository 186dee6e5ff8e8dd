/* SPDX-License-Identifier: MIT */
#include "harness/fleet/local_file.h"

#include "base/bytes.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, unsigned char *bytes, size_t len)
{
	size_t at = 0;

	while (at < len) {
		ssize_t n = read(fd, bytes + at, len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += (size_t)n;
	}
	return 0;
}

static int file_read_open(struct local_file *file, int fd)
{
	unsigned char digest[32];
	struct stat status;
	int rc;

	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return S_ISDIR(status.st_mode) ? -EISDIR : -EINVAL;
	if (status.st_size > LOCAL_FILE_BYTES_MAX)
		return -EFBIG;
	file->len = (size_t)status.st_size;
	file->bytes = malloc(file->len + 1);
	if (!file->bytes)
		return -ENOMEM;
	rc = read_all(fd, file->bytes, file->len);
	if (rc < 0)
		return rc;
	if (!EVP_Digest(file->bytes, file->len, digest, NULL, EVP_sha256(), NULL))
		return -ENOTSUP;
	bytes_to_hex(file->sha256, digest, sizeof(digest));
	return 0;
}

int local_file_read(struct local_file *file, const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	memset(file, 0, sizeof(*file));
	rc = fd < 0 ? -errno : file_read_open(file, fd);
	if (fd >= 0)
		close(fd);
	if (rc < 0) {
		local_file_finish(file);
		return error_set_errno(err, rc, "cannot read '%s'", path);
	}
	return 0;
}

void local_file_finish(struct local_file *file)
{
	free(file->bytes);
	memset(file, 0, sizeof(*file));
}
