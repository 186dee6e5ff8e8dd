/* SPDX-License-Identifier: MIT */
/*
 * The IDX format of the MNIST files, plain or compressed by gzip: big-endian header (two
 * zero bytes, type 8 = bytes, number of dimensions, one u32 a dimension), then the data.
 */
#ifndef HARNESS_PARTY_IDX_FILE_H
#define HARNESS_PARTY_IDX_FILE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define IDX_DIMENSIONS_MAX 3u
#define IDX_BYTES_MAX      (64u << 20) /* of what is kept, uncompressed */

struct idx_file {
	uint32_t n_items;     /* kept: the first of those in the file */
	uint32_t n_in_file;   /* as its header says */
	uint32_t rows, cols;  /* of an item; 1 and 1 for labels */
	unsigned char *bytes; /* n_items x rows x cols; owned */
};

/* Read at most `max_items` of bytes (labels) or of images. -ENOENT and the like, -EINVAL
 * (not IDX, or shorter than its header says, or damaged), -EMSGSIZE (an item, or all of
 * them, larger than IDX_BYTES_MAX), with a sentence that names the file. */
int idx_file_read(
    struct idx_file *idx, const char *path, uint32_t max_items, struct error *err);
void idx_file_finish(struct idx_file *idx);

/* As idx_file_read() for folder/NAME or folder/NAME.gz, NAME being the first of `names`
 * (NULL-terminated) that is there. -ENOENT when none is. */
int idx_file_read_first(struct idx_file *idx, const char *folder,
    const char *const *names, uint32_t max_items, struct error *err);

#endif
