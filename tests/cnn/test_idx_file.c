/* SPDX-License-Identifier: MIT */
/* IDX files: plain, compressed, cut short, lying. */
#include "tests/tap.h"

#include "harness/party/idx_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static char folder[] = "/tmp/e3-test-idx-XXXXXX";
static const unsigned char two_images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3,
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
static const unsigned char three_labels[] = {0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9};

static const char *path_of(const char *name)
{
	static char path[sizeof folder + 32];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static const char *write_plain(const char *name, const void *bytes, size_t len)
{
	FILE *file = fopen(path_of(name), "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	return path_of(name);
}

static const char *write_gzip(const char *name, const void *bytes, unsigned len)
{
	gzFile file = gzopen(path_of(name), "wb");

	assert_non_null(file);
	assert_int_equal(gzwrite(file, bytes, len), (int)len);
	assert_int_equal(gzclose(file), Z_OK);
	return path_of(name);
}

static void assert_two_images(const struct idx_file *idx, uint32_t n_items)
{
	assert_int_equal(idx->n_in_file, 2);
	assert_int_equal(idx->n_items, n_items);
	assert_int_equal(idx->rows, 2);
	assert_int_equal(idx->cols, 3);
	assert_memory_equal(idx->bytes, two_images + 16, 6 * (size_t)n_items);
}

static void test_good(void **state)
{
	static const char *const names[] = {"images", NULL};
	struct idx_file idx;
	struct error err;

	(void)state;
	write_gzip("images.gz", two_images, sizeof two_images);
	assert_int_equal(idx_file_read_first(&idx, folder, names, 9, &err), 0);
	assert_two_images(&idx, 2);
	idx_file_finish(&idx);
	write_plain("images", two_images, sizeof two_images);
	assert_int_equal(idx_file_read_first(&idx, folder, names, 1, &err), 0);
	assert_two_images(&idx, 1);
	idx_file_finish(&idx);
	assert_int_equal(
	    idx_file_read(
		&idx, write_plain("labels", three_labels, sizeof three_labels), 9, &err),
	    0);
	assert_int_equal(idx.n_items, 3);
	assert_memory_equal(idx.bytes, "\7\10\11", 3);
	idx_file_finish(&idx);
	idx_file_finish(&idx);
}

static void test_missing(void **state)
{
	static const char *const names[] = {"none", NULL};
	struct idx_file idx;
	struct error err;

	(void)state;
	assert_int_equal(idx_file_read(&idx, path_of("none"), 9, &err), -ENOENT);
	assert_non_null(strstr(err.text, path_of("none")));
	assert_int_equal(idx_file_read_first(&idx, folder, names, 9, &err), -ENOENT);
	assert_non_null(strstr(err.text, folder));
}

static void test_truncated(void **state)
{
	struct idx_file idx;
	struct error err;

	(void)state;
	for (size_t len = 0; len < sizeof two_images; len++) {
		assert_int_equal(
		    idx_file_read(&idx, write_plain("cut", two_images, len), 9, &err),
		    -EINVAL);
		assert_non_null(strstr(err.text, "/cut: "));
	}
}

/* Bytes of the gzip header that say nothing about the data: time, flags, system. */
static int is_gzip_remark(size_t offset)
{
	return offset >= 4 && offset < 10;
}

static void test_damaged_gzip(void **state)
{
	unsigned char packed[128];
	size_t len;
	FILE *file = fopen(write_gzip("ok.gz", two_images, sizeof two_images), "rb");
	struct idx_file idx;
	struct error err;

	(void)state;
	assert_non_null(file);
	len = fread(packed, 1, sizeof packed, file);
	fclose(file);
	for (size_t i = 0; i < len; i++) {
		assert_int_equal(
		    idx_file_read(&idx, write_plain("cut.gz", packed, i), 9, &err),
		    -EINVAL);
		packed[i] ^= 0x55;
		err.code =
		    idx_file_read(&idx, write_plain("bad.gz", packed, len), 9, &err);
		packed[i] ^= 0x55;
		if (err.code == 0)
			idx_file_finish(&idx);
		else
			assert_int_equal(err.code, -EINVAL);
		assert_true(err.code < 0 || is_gzip_remark(i));
	}
}

static void test_lies(void **state)
{
	static const struct lie {
		unsigned char head[16];
		int code;
	} lies[] = {
	    {{1, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3}, -EINVAL},
	    {{0, 0, 9, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3}, -EINVAL},
	    {{0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3}, -EINVAL},
	    {{0, 0, 8, 0, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3}, -EINVAL},
	    {{0, 0, 8, 255, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3}, -EINVAL},
	    {{0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3}, -EINVAL},
	    {{0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3}, -EINVAL},
	    {{0, 0, 8, 3, 255, 255, 255, 255, 0, 0, 0, 2, 0, 0, 0, 3}, -EINVAL},
	    {{0, 0, 8, 3, 0, 0, 0, 2, 255, 255, 255, 255, 255, 255, 255, 255}, -EMSGSIZE},
	    {{0, 0, 8, 3, 255, 255, 255, 255, 0, 1, 0, 0, 0, 1, 0, 0}, -EMSGSIZE},
	};
	unsigned char bytes[sizeof two_images];
	struct idx_file idx;
	struct error err;

	(void)state;
	memcpy(bytes, two_images, sizeof bytes);
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		memcpy(bytes, lies[i].head, sizeof lies[i].head);
		assert_int_equal(idx_file_read(&idx,
				     write_plain("lie", bytes, sizeof bytes), 1000, &err),
		    lies[i].code);
		assert_non_null(strstr(err.text, "/lie: "));
	}
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {
	    "images", "images.gz", "labels", "cut", "ok.gz", "bad.gz", "cut.gz", "lie"};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unlink(path_of(names[i]));
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_missing),
	    cmocka_unit_test(test_truncated),
	    cmocka_unit_test(test_damaged_gzip),
	    cmocka_unit_test(test_lies),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
