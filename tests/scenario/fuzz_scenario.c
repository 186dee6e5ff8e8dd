/* SPDX-License-Identifier: MIT */
/*
 * Damaged scenarios and matrices: whatever the bytes, there is an answer, a sentence that
 * names the file or a document that keeps its promises. Run in the root of the sources.
 * Arguments: seed, seconds.
 */
#include "base/clock.h"
#include "base/random.h"
#include "base/units.h"
#include "harness/scenario/json_reader.h"
#include "harness/scenario/scenario.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX     16384u
#define SEEDS_MAX    16u
#define NAME         "scenarios/fuzz.json"
#define DEFAULT_SEED 20261121u
#define SECONDS      4

static const char *const tokens[] = {"{", "}", "[", "]", ",", ":", "\"", "\\u0000",
    "\\ud800", "null", "true", "-1", "1e999", "-0", "0.5", "11", "9007199254740993",
    "\"ams\"", "\"count\"", "\"options\"", "\"sizes\"", "{\"a\":", "[[[[[[[[", "\xc3",
    "\xed\xa0\x80", "\n", "/*", "\"../../etc/passwd\"", "\"matrices\"",
    "18446744073709551616", "\"rtt\":[[null]]"};

struct text {
	char bytes[TEXT_MAX];
	size_t len;
};

static struct text seeds[SEEDS_MAX];
static size_t n_seeds;
static struct random_stream randoms;

static size_t below(size_t bound)
{
	return (size_t)random_stream_below(&randoms, bound);
}

static void load_seeds(const char *pattern)
{
	glob_t found;

	if (glob(pattern, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc && n_seeds < SEEDS_MAX; i++) {
		FILE *file = fopen(found.gl_pathv[i], "r");

		if (file == NULL)
			continue;
		seeds[n_seeds].len = fread(seeds[n_seeds].bytes, 1, TEXT_MAX, file);
		n_seeds += seeds[n_seeds].len > 0;
		fclose(file);
	}
	globfree(&found);
}

/* Put `len` bytes in the place of `cut` bytes at `at`. */
static void splice(
    struct text *text, size_t at, size_t cut, const char *bytes, size_t len)
{
	if (text->len - cut + len > TEXT_MAX)
		return;
	memmove(text->bytes + at + len, text->bytes + at + cut, text->len - at - cut);
	memmove(text->bytes + at, bytes, len);
	text->len += len - cut;
}

static void mutate(struct text *text)
{
	size_t at = below(text->len + 1), rest = text->len - at;
	size_t cut = rest == 0 ? 0 : below(rest < 40 ? rest : 40);
	const struct text *other = &seeds[below(n_seeds)];
	const char *token = tokens[below(sizeof(tokens) / sizeof(*tokens))];
	size_t from = below(other->len), part = below(other->len - from);
	char byte = (char)below(256);

	switch (below(7)) {
	case 0:
		if (rest > 0)
			text->bytes[at] ^= (char)(1 << below(8));
		break;
	case 1:
		splice(text, at, 0, &byte, 1);
		break;
	case 2:
		splice(text, at, cut, "", 0);
		break;
	case 3:
		splice(text, at, 0, token, strlen(token));
		break;
	case 4:
		splice(text, at, cut, token, strlen(token));
		break;
	case 5:
		splice(text, at, cut, other->bytes + from, part);
		break;
	default:
		text->len = at;
		break;
	}
}

static void fail(const struct text *text, const char *what)
{
	printf("not ok 1 - %s\n# %.*s\n1..1\n", what, (int)text->len, text->bytes);
	fflush(stdout);
	abort();
}

/* What scenario.h promises of one that was read. */
static void check_promises(const struct text *text, const struct scenario *s)
{
	uint32_t n = scenario_parties_max(s);

	if (n < 1 || n > NETWORK_PARTIES_MAX || s->n_regions < 1 || s->blocks < 1 ||
	    s->cell_timeout_s < 1 || s->n_transports < 1 || s->n_workloads < 1)
		fail(text, "a scenario breaks its promises");
	for (uint32_t a = 0; a < n; a++)
		for (uint32_t b = 0; b < n; b++)
			if (scenario_one_way_ns(s, a, b) > 60 * NS_PER_S)
				fail(text, "a delay beyond all limits");
	if (s->text == NULL || s->matrix_text == NULL || s->loss < 0 || s->loss >= 1)
		fail(text, "a scenario without its text, or with a wild loss");
}

static int try(const struct text *text)
{
	struct scenario *scenario = NULL;
	struct error err = {0};
	/* A copy of the exact size: reading beyond its end is seen. */
	char *bytes = malloc(text->len == 0 ? 1 : text->len);
	int rc;

	memcpy(bytes, text->bytes, text->len);
	rc = scenario_parse(NAME, bytes, text->len, &scenario, &err);
	if (rc == 0)
		check_promises(text, scenario);
	else if (rc == -ENOMEM || scenario != NULL || err.code != rc ||
		 strncmp(err.text, NAME ": ", strlen(NAME) + 2) != 0)
		fail(text, err.text);
	scenario_free(scenario);
	free(bytes);
	return rc == 0;
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : DEFAULT_SEED;
	uint64_t seconds = argc > 2 ? strtoull(argv[2], NULL, 10) : SECONDS;
	uint64_t until_ns = clock_monotonic_ns() + seconds * NS_PER_S;
	unsigned long tries = 0, good = 0;

	load_seeds("scenarios/*.json");
	load_seeds("scenarios/matrices/*.json");
	if (n_seeds < 2) {
		printf("not ok 1 - no scenarios to begin with\n1..1\n");
		return 1;
	}
	random_stream_seed(&randoms, seed);
	while (clock_monotonic_ns() < until_ns) {
		struct text text = seeds[below(n_seeds)];

		for (size_t n = 1 + below(4); n > 0; n--)
			mutate(&text);
		good += (unsigned long)try(&text);
		tries++;
	}
	/* Too few that pass would mean that nothing but the syntax is tried. */
	printf("%s 1 - seed %llu: %lu damaged documents, %lu of them still "
	       "scenarios\n1..1\n",
	    good > 0 && good < tries ? "ok" : "not ok", (unsigned long long)seed, tries,
	    good);
	return !(good > 0 && good < tries);
}
