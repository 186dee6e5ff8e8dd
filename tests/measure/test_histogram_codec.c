/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/random.h"
#include "harness/measure/histogram_codec.h"
#include "harness/measure/histogram_json.h"
#include "harness/measure/packed_text.h"
#include "tests/tap.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define COOKIE_COMPRESSED 0x1c849314u
#define PLAIN_BYTES       400000u

static char *read_all(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 1 << 20);

	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
	fclose(file);
	return text;
}

static struct histogram *of_values(const cJSON *values)
{
	struct histogram *h = histogram_create();
	const cJSON *pair;

	cJSON_ArrayForEach(pair, values)
	{
		uint64_t value = (uint64_t)cJSON_GetArrayItem(pair, 0)->valuedouble;

		for (int n = cJSON_GetArrayItem(pair, 1)->valueint; n > 0; n--)
			histogram_record(h, value);
	}
	return h;
}

static void reads_what_another_implementation_wrote(void **state)
{
	char *text = read_all(GOLDEN);
	cJSON *golden = cJSON_Parse(text), *item;
	struct histogram *h = histogram_create();

	(void)state;
	assert_int_equal(cJSON_GetArraySize(golden), 7);
	cJSON_ArrayForEach(item, golden)
	{
		struct histogram *expected =
		    of_values(cJSON_GetObjectItem(item, "values"));
		const char *payload = cJSON_GetObjectItem(item, "payload")->valuestring;

		assert_int_equal(strncmp(payload, "HISTFAAA", 8), 0);
		assert_int_equal(histogram_decode(h, payload, NULL), 0);
		assert_true(h->total == expected->total && h->overflow == 0);
		assert_memory_equal(h->counts, expected->counts, sizeof(h->counts));
		histogram_destroy(expected);
	}
	histogram_destroy(h);
	cJSON_Delete(golden);
	free(text);
}

static struct histogram *mixed(void)
{
	struct histogram *h = histogram_create();
	struct random_stream stream;

	random_stream_seed(&stream, 7);
	for (int i = 0; i < 20000; i++)
		histogram_record(
		    h, random_stream_below(&stream, UINT64_C(1) << (1 + i % 44)));
	return h;
}

static void returns_every_bucket(void **state)
{
	struct histogram *h = mixed(), *back = histogram_create();
	char *text = histogram_encode(h);

	(void)state;
	assert_int_equal(histogram_decode(back, text, NULL), 0);
	assert_memory_equal(back->counts, h->counts, sizeof(h->counts));
	assert_true(histogram_index(back->min) == histogram_index(h->min));
	assert_true(histogram_index(back->max) == histogram_index(h->max));
	assert_true(back->sum > 0.999 * h->sum && back->sum < 1.001 * h->sum);
	free(text);
	histogram_destroy(h);
	histogram_destroy(back);
}

static void merging_what_was_written_is_the_union(void **state)
{
	struct histogram *both = histogram_create(), *sum = histogram_create();
	struct histogram *part = histogram_create();
	struct random_stream stream;

	(void)state;
	random_stream_seed(&stream, 8);
	for (int file = 0; file < 3; file++) {
		cJSON *json;

		histogram_reset(part);
		for (int i = 0; i < 1000; i++) {
			uint64_t value = random_stream_below(&stream, UINT64_C(1) << 36);

			histogram_record(part, value);
			histogram_record(both, value);
		}
		json = histogram_to_json(
		    part, &(struct histogram_label){.metric = "m", .loop = "open"});
		assert_int_equal(histogram_from_json(part, json, NULL), 0);
		histogram_merge(sum, part);
		cJSON_Delete(json);
	}
	assert_memory_equal(sum->counts, both->counts, sizeof(sum->counts));
	assert_true(sum->min == both->min && sum->max == both->max);
	assert_true(sum->sum == both->sum);
	histogram_destroy(both);
	histogram_destroy(sum);
	histogram_destroy(part);
}

static int decode_plain(const unsigned char *plain, size_t bytes, struct error *err)
{
	struct histogram *h = histogram_create();
	char *text = packed_text_make(COOKIE_COMPRESSED, plain, bytes);
	int rc = histogram_decode(h, text, err);

	assert_true(rc == 0 || h->total == 0);
	free(text);
	histogram_destroy(h);
	return rc;
}

/* Payloads that a liar can make: header fields at offset, and counts. */
static const struct {
	const char *what;
	int at, byte;
	const char *sentence;
} lies[] = {
    {"another cookie", 3, 0x12, "histogram: no V2 payload inside"},
    {"shorter than announced", 7, 99, "histogram: 99 bytes of counts announced, 3 there"},
    {"shifted", 11, 1, "histogram: not of 3 digits, unit 1, unshifted and unscaled"},
    {"2 digits", 15, 2, "histogram: not of 3 digits, unit 1, unshifted and unscaled"},
    {"unit 2", 23, 2, "histogram: not of 3 digits, unit 1, unshifted and unscaled"},
    {"scaled", 33, 0, "histogram: not of 3 digits, unit 1, unshifted and unscaled"},
};

static const struct {
	const char *what;
	unsigned char counts[24];
	size_t n;
	const char *sentence; /* NULL = legal */
} count_lies[] = {
    {"one value", {2}, 1, NULL},
    {"cut count", {0x82}, 1, "histogram: ends inside a count"},
    {"cut ninth byte", {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 8,
	"histogram: ends inside a count"},
    {"run past the end", {0x81, 0x90, 4, 2}, 4, "histogram: values above one hour"},
    {"endless run", {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 9,
	"histogram: values above one hour"},
    {"sum overflows",
	{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff},
	18, "histogram: more than 2^63 values"},
};

static void plain_three_counts(unsigned char *plain)
{
	static const unsigned char header[40] = {0x1c, 0x84, 0x93, 0x13, 0, 0, 0, 3, 0, 0,
	    0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 3, 0x46, 0x30, 0xb8, 0xa0, 0,
	    0x3f, 0xf0};

	memcpy(plain, header, sizeof(header));
	memcpy(plain + 40, "\2\4\6", 3);
}

static void refuses_lies(void **state)
{
	unsigned char plain[64];
	struct error err;

	(void)state;
	plain_three_counts(plain);
	assert_int_equal(decode_plain(plain, 43, NULL), 0);
	assert_int_equal(decode_plain(plain, 39, &err), -EINVAL);
	for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		plain_three_counts(plain);
		plain[lies[i].at] = (unsigned char)lies[i].byte;
		assert_int_equal(decode_plain(plain, 43, &err), -EINVAL);
		assert_string_equal(err.text, lies[i].sentence);
	}
	for (size_t i = 0; i < sizeof(count_lies) / sizeof(*count_lies); i++) {
		plain_three_counts(plain);
		plain[7] = (unsigned char)count_lies[i].n;
		memcpy(plain + 40, count_lies[i].counts, count_lies[i].n);
		assert_int_equal(decode_plain(plain, 40 + count_lies[i].n, &err),
		    count_lies[i].sentence == NULL ? 0 : -EINVAL);
		if (count_lies[i].sentence != NULL)
			assert_string_equal(err.text, count_lies[i].sentence);
	}
}

static void refuses_a_bomb(void **state)
{
	unsigned char *plain = calloc(1, PLAIN_BYTES);
	struct error err;

	(void)state;
	assert_int_equal(decode_plain(plain, PLAIN_BYTES, &err), -EINVAL);
	assert_string_equal(err.text, "histogram: broken zlib stream, or too long");
	free(plain);
}

static void survives_any_damage(void **state)
{
	struct histogram *h = mixed(), *back = histogram_create();
	char *text = histogram_encode(h);
	size_t chars = strlen(text);
	struct random_stream stream;

	(void)state;
	random_stream_seed(&stream, 9);
	for (int i = 0; i < 300; i++) {
		char *damaged = strdup(text);

		damaged[random_stream_below(&stream, chars)] =
		    (char)(1 + random_stream_below(&stream, 255));
		if (i % 3 == 0)
			damaged[random_stream_below(&stream, chars)] = '\0';
		(void)histogram_decode(back, damaged, NULL);
		free(damaged);
	}
	assert_int_equal(histogram_decode(back, "", NULL), -EINVAL);
	assert_int_equal(histogram_decode(back, "HISTFAAA", NULL), -EINVAL);
	free(text);
	histogram_destroy(h);
	histogram_destroy(back);
}

static void json_says_what_the_payload_holds(void **state)
{
	static const struct {
		const char *key, *json, *sentence;
	} wrong[] = {
	    {"count", "3", "histogram: says 3 values, holds 2"},
	    {"min", "900", "histogram: min, max or sum is not that of the payload"},
	    {"max", "2e18", "histogram: min, max or sum is not that of the payload"},
	    {"p99", "1000", "histogram: p99 is not that of the payload"},
	    {"mean", "2500000", "histogram: mean is not that of the payload"},
	    {"sum", "1", "histogram: min, max or sum is not that of the payload"},
	    {"overflow", "-1",
		"histogram: count, overflow, min, max and sum must be numbers"},
	    {"sum", "\"6\"",
		"histogram: count, overflow, min, max and sum must be numbers"},
	    {"encoding", "\"raw\"",
		"histogram: no \"data\" in \"encoding\": \"hdr-v2-base64\""},
	    {"data", "7", "histogram: no \"data\" in \"encoding\": \"hdr-v2-base64\""},
	};
	struct histogram *h = histogram_create(), *back = histogram_create();
	struct error err;
	cJSON *json;

	(void)state;
	histogram_record(h, 1000);
	histogram_record(h, 5000001);
	json = histogram_to_json(h, &(struct histogram_label){.metric = "round_ns",
					.loop = "closed",
					.from = HISTOGRAM_NO_PARTY,
					.to = 1});
	assert_int_equal(histogram_from_json(back, json, NULL), 0);
	assert_true(back->min == 1000 && back->max == 5000001 && back->sum == 5001001);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		cJSON *copy = cJSON_Duplicate(json, 1);

		cJSON_ReplaceItemInObject(copy, wrong[i].key, cJSON_Parse(wrong[i].json));
		assert_int_equal(histogram_from_json(back, copy, &err), -EINVAL);
		assert_string_equal(err.text, wrong[i].sentence);
		cJSON_Delete(copy);
	}
	cJSON_Delete(json);
	histogram_destroy(h);
	histogram_destroy(back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_what_another_implementation_wrote),
	    cmocka_unit_test(returns_every_bucket),
	    cmocka_unit_test(merging_what_was_written_is_the_union),
	    cmocka_unit_test(refuses_lies),
	    cmocka_unit_test(refuses_a_bomb),
	    cmocka_unit_test(survives_any_damage),
	    cmocka_unit_test(json_says_what_the_payload_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
