/* SPDX-License-Identifier: MIT */
/*
 * Every protocol, in fields of one, two and four words, against peers whose frames are random, cut, longer, lost, repeated and
 * out of order: each run ends with the right answer or a typed error. (A wrong answer is
 * allowed where a frame was altered within the field: peers are semi-honest.)
 *
 * usage: fuzz_engine_frames [FRAMES [SEED]]     a million frames: 1000000
 */
#include "base/random.h"
#include "tests/engine/parties.h"
#include "tests/engine/protocols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fuzz {
	struct random_stream random;
	uint64_t n_frames, n_altered;
	int has_altered;
	/* Of the run's field: an element with these bits in its last byte is one. */
	size_t element_bytes;
	unsigned char top_byte;
};

static void replace(struct fuzz *fuzz, struct memory_message *message, size_t len)
{
	unsigned char *base = malloc(len > 0 ? len : 1);
	size_t kept = len < message->len ? len : message->len;

	if (base == NULL)
		abort();
	memset(base, (int)random_stream_below(&fuzz->random, 256), len);
	memcpy(base, message->base, kept);
	free(message->base);
	message->base = base;
	message->len = len;
}

static void scramble(struct fuzz *fuzz, struct memory_message *message)
{
	uint64_t n = 1 + random_stream_below(&fuzz->random, 8);

	while (n-- > 0 && message->len > 0) {
		size_t at = random_stream_below(&fuzz->random, message->len);

		message->base[at] = (unsigned char)random_stream_next(&fuzz->random);
	}
}

static void randomise(struct fuzz *fuzz, struct memory_message *message)
{
	/* As likely as not, all elements stay within the field. */
	unsigned char keep =
	    random_stream_below(&fuzz->random, 2) == 0 ? fuzz->top_byte : 0xff;

	for (size_t i = 0; i < message->len; i++) {
		message->base[i] = (unsigned char)random_stream_next(&fuzz->random);
		if (i % fuzz->element_bytes == fuzz->element_bytes - 1)
			message->base[i] &= keep;
	}
}

static void on_message(void *user, struct memory_message *message)
{
	struct fuzz *fuzz = user;

	fuzz->n_frames++;
	if (random_stream_below(&fuzz->random, 24) != 0)
		return;
	fuzz->n_altered++;
	fuzz->has_altered = 1;
	switch (random_stream_below(&fuzz->random, 8)) {
	case 0:
		message->copies = 0;
		break;
	case 1:
		message->copies = 2 + (uint32_t)random_stream_below(&fuzz->random, 3);
		break;
	case 2:
		message->is_held = 1;
		break;
	case 3:
		replace(fuzz, message, random_stream_below(&fuzz->random, message->len));
		break;
	case 4:
		replace(fuzz, message,
		    message->len + 1 + random_stream_below(&fuzz->random, 4096));
		break;
	case 5:
		message->delay_ns = random_stream_below(&fuzz->random, 1000);
		break;
	case 6:
		randomise(fuzz, message);
		break;
	default:
		scramble(fuzz, message);
	}
}

static int is_typed(int rc)
{
	return rc == -EPROTO || rc == -ETIMEDOUT || rc == -ECONNRESET;
}

/* 0 if the run ended as it may. */
static int run_once(struct fuzz *fuzz, uint64_t number)
{
	static const struct {
		struct test_field field;
		size_t element_bytes;
		unsigned char top_byte;
	} fields[] = {{{"2^61-1", 61, 0}, 8, 0x0f}, {{"127 bits", 127, 0}, 16, 0x3f},
	    {{"255 bits", 255, 0}, 32, 0x3f}};
	uint32_t which = (uint32_t)random_stream_below(&fuzz->random, n_protocols);
	/* Two of three in the field of the workloads. */
	uint64_t field = random_stream_below(&fuzz->random, 6);
	struct parties parties = {
	    .m = 3 + (uint32_t)random_stream_below(&fuzz->random, 4),
	    .field = &fields[field < 3 ? field : 0].field,
	    .seed = random_stream_next(&fuzz->random),
	    .body = protocols[which].body,
	    .options = {
		.on_message = on_message, .user = fuzz, .real_deadline_ns = 20000000}};
	int rc;

	fuzz->has_altered = 0;
	fuzz->element_bytes = fields[field < 3 ? field : 0].element_bytes;
	fuzz->top_byte = fields[field < 3 ? field : 0].top_byte;
	rc = parties_run(&parties);
	for (uint32_t p = 0; p < parties.m; p++)
		if (parties.codes[p] != 0 && !is_typed(parties.codes[p]) &&
		    !(parties.codes[p] == -EBADMSG && fuzz->has_altered)) {
			printf("# run %llu, %s, %s: party %u ended with %d: %s\n",
			    (unsigned long long)number, protocols[which].name,
			    parties.field->name, p, parties.codes[p], parties.err.text);
			return -1;
		}
	if (rc != 0 && parties.err.text[0] == '\0') {
		printf("# run %llu, %s: %d without a sentence\n",
		    (unsigned long long)number, protocols[which].name, rc);
		return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t frames = argc > 1 ? strtoull(argv[1], NULL, 10) : 15000, n_runs = 0;
	struct fuzz fuzz = {.n_frames = 0};
	int rc = 0;

	random_stream_seed(&fuzz.random, argc > 2 ? strtoull(argv[2], NULL, 10) : 1);
	while (fuzz.n_frames < frames && rc == 0)
		rc = run_once(&fuzz, n_runs++);
	printf("# %llu frames, %llu of them altered, %llu runs\n",
	    (unsigned long long)fuzz.n_frames, (unsigned long long)fuzz.n_altered,
	    (unsigned long long)n_runs);
	printf("1..1\n%s 1 - every run ends with its answer or a typed error\n",
	    rc == 0 ? "ok" : "not ok");
	return rc != 0;
}
