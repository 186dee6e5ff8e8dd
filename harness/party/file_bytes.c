/* SPDX-License-Identifier: MIT */
#include "harness/party/file_bytes.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int read_open_file(FILE *file, const char *path, size_t max, unsigned char **out,
    size_t *len, struct error *err)
{
	struct stat st;
	unsigned char *bytes;
	size_t got;

	if (fstat(fileno(file), &st) < 0)
		return error_set_errno(err, -errno, "%s", path);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > max)
		return error_set(
		    err, -EFBIG, "%s: no regular file of at most %zu bytes", path, max);
	bytes = malloc((size_t)st.st_size + 1);
	if (bytes == NULL)
		return error_set(err, -ENOMEM, "%s: out of memory", path);
	got = fread(bytes, 1, (size_t)st.st_size, file);
	if (got != (size_t)st.st_size) {
		free(bytes);
		return error_set(err, -EIO, "%s: could be read only in part", path);
	}
	bytes[got] = '\0';
	*out = bytes;
	*len = got;
	return 0;
}

int file_bytes_read(
    const char *path, size_t max, unsigned char **out, size_t *len, struct error *err)
{
	FILE *file = fopen(path, "re");
	int rc;

	if (file == NULL)
		return error_set_errno(err, -errno, "%s", path);
	rc = read_open_file(file, path, max, out, len, err);
	fclose(file);
	return rc;
}
