/* SPDX-License-Identifier: MIT */
#include "harness/measure/late_counts.h"

#include <errno.h>
#include <stdlib.h>

int late_counts_init(struct late_counts *late, uint32_t width)
{
	*late = (struct late_counts){.width = width};
	late->values = malloc((size_t)LATE_ROUNDS_MAX * width * sizeof(*late->values));
	return late->values == NULL ? -ENOMEM : 0;
}

void late_counts_finish(struct late_counts *late)
{
	free(late->values);
	*late = (struct late_counts){0};
}

uint64_t *late_counts_add(struct late_counts *late)
{
	uint32_t at = (late->first + late->n_rounds) % LATE_ROUNDS_MAX;

	if (late->n_rounds == LATE_ROUNDS_MAX)
		return NULL;
	late->n_rounds++;
	return late->values + (size_t)at * late->width;
}

const uint64_t *late_counts_take(struct late_counts *late)
{
	const uint64_t *values;

	if (late->n_rounds == 0)
		return NULL;
	values = late->values + (size_t)late->first * late->width;
	late->n_rounds--;
	/* Begins anew when empty, in pages that are there already. */
	late->first = late->n_rounds == 0 ? 0 : (late->first + 1) % LATE_ROUNDS_MAX;
	return values;
}
