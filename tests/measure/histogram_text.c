/* SPDX-License-Identifier: MIT */
/* For tests that lay another implementation beside ours: `encode` reads "VALUE COUNT"
 * lines and prints the payload; `decode` reads a payload and prints a line for each
 * bucket in use, "LOWEST COUNT". */
#include "base/histogram.h"
#include "harness/measure/histogram_codec.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int encode(struct histogram *h)
{
	uint64_t value, count;
	char *text;

	while (scanf("%" SCNu64 " %" SCNu64, &value, &count) == 2)
		while (count-- > 0)
			histogram_record(h, value);
	text = histogram_encode(h);
	if (text == NULL)
		return 1;
	puts(text);
	free(text);
	return 0;
}

static int decode(struct histogram *h)
{
	struct error err;
	char *text = NULL;
	size_t room = 0;
	ssize_t len = getline(&text, &room, stdin);

	if (len > 0)
		text[strcspn(text, "\n")] = '\0';
	if (len <= 0 || histogram_decode(h, text, &err) < 0) {
		fprintf(stderr, "%s\n", len <= 0 ? "no line" : err.text);
		free(text);
		return 1;
	}
	free(text);
	for (uint32_t i = 0; i < HISTOGRAM_COUNTS; i++)
		if (h->counts[i] != 0)
			printf("%" PRIu64 " %" PRIu64 "\n", histogram_lowest(i),
			    h->counts[i]);
	return 0;
}

int main(int argc, char **argv)
{
	struct histogram *h = histogram_create();
	int rc = 2;

	if (h != NULL && argc == 2)
		rc = strcmp(argv[1], "encode") == 0 ? encode(h) : decode(h);
	histogram_destroy(h);
	return rc;
}
