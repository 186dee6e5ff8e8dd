/* SPDX-License-Identifier: MIT */
#include "harness/party/idx_file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define TYPE_BYTES 8

static uint32_t load_be32(const unsigned char *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Exactly len bytes; zlib passes plain files through. */
static int read_exactly(
    gzFile file, void *out, size_t len, const char *path, struct error *err)
{
	int got = gzread(file, out, (unsigned)len), status;

	if (got >= 0 && (size_t)got == len)
		return 0;
	gzerror(file, &status);
	return error_set(err, -EINVAL,
	    status == Z_OK || status == Z_BUF_ERROR
		? "%s: ends before what its header promises; fetch it again"
		: "%s: damaged (gzip); fetch it again",
	    path);
}

/* Reading to the end makes zlib compare the checksum. */
static int check_end(gzFile file, const char *path, struct error *err)
{
	unsigned char beyond;
	int got = gzread(file, &beyond, 1), status;

	gzerror(file, &status);
	if (got > 0)
		return error_set(
		    err, -EINVAL, "%s: goes on beyond what its header promises", path);
	if (got < 0 || status != Z_OK)
		return error_set(
		    err, -EINVAL, "%s: damaged (gzip); fetch it again", path);
	return 0;
}

static int read_header(
    struct idx_file *idx, gzFile file, const char *path, struct error *err)
{
	unsigned char head[4], sizes[4 * IDX_DIMENSIONS_MAX];
	int rc = read_exactly(file, head, sizeof head, path, err);

	if (rc < 0)
		return rc;
	if (head[0] != 0 || head[1] != 0 || head[2] != TYPE_BYTES ||
	    (head[3] != 1 && head[3] != IDX_DIMENSIONS_MAX))
		return error_set(
		    err, -EINVAL, "%s: is no IDX file of labels or grey images", path);
	rc = read_exactly(file, sizes, 4u * head[3], path, err);
	if (rc < 0)
		return rc;
	idx->n_in_file = load_be32(sizes);
	idx->rows = head[3] == 1 ? 1 : load_be32(sizes + 4);
	idx->cols = head[3] == 1 ? 1 : load_be32(sizes + 8);
	if (idx->n_in_file == 0 || idx->rows == 0 || idx->cols == 0)
		return error_set(err, -EINVAL, "%s: holds nothing", path);
	return 0;
}

static int read_items(struct idx_file *idx, gzFile file, const char *path,
    uint32_t max_items, struct error *err)
{
	const uint64_t item_bytes = (uint64_t)idx->rows * idx->cols;
	int rc;

	idx->n_items = idx->n_in_file < max_items ? idx->n_in_file : max_items;
	if (item_bytes > IDX_BYTES_MAX || item_bytes * idx->n_items > IDX_BYTES_MAX)
		return error_set(err, -EMSGSIZE,
		    "%s: %u items of %u x %u are more than %u MiB", path, idx->n_items,
		    idx->rows, idx->cols, IDX_BYTES_MAX >> 20);
	idx->bytes = malloc(item_bytes * idx->n_items + 1);
	if (idx->bytes == NULL)
		return error_set(err, -ENOMEM, "%s: no memory for it", path);
	rc = read_exactly(file, idx->bytes, item_bytes * idx->n_items, path, err);
	if (rc == 0 && idx->n_items == idx->n_in_file)
		rc = check_end(file, path, err);
	if (rc < 0)
		idx_file_finish(idx);
	return rc;
}

int idx_file_read(
    struct idx_file *idx, const char *path, uint32_t max_items, struct error *err)
{
	struct idx_file read = {0};
	gzFile file = gzopen(path, "rb");
	int rc;

	if (file == NULL)
		return error_set_errno(
		    err, errno != 0 ? -errno : -ENOMEM, "%s: can't be opened", path);
	rc = read_header(&read, file, path, err);
	if (rc == 0)
		rc = read_items(&read, file, path, max_items, err);
	gzclose_r(file);
	if (rc == 0)
		*idx = read;
	return rc;
}

void idx_file_finish(struct idx_file *idx)
{
	free(idx->bytes);
	*idx = (struct idx_file){0};
}

int idx_file_read_first(struct idx_file *idx, const char *folder,
    const char *const *names, uint32_t max_items, struct error *err)
{
	static const char *const endings[] = {"", ".gz"};
	char path[PATH_MAX];

	for (size_t i = 0; names[i] != NULL; i++)
		for (size_t k = 0; k < 2; k++) {
			int len = snprintf(
			    path, sizeof path, "%s/%s%s", folder, names[i], endings[k]);

			if (len > 0 && (size_t)len < sizeof path &&
			    access(path, F_OK) == 0)
				return idx_file_read(idx, path, max_items, err);
		}
	return error_set(
	    err, -ENOENT, "%s: has neither %s nor %s.gz", folder, names[0], names[0]);
}
