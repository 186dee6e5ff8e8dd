/* SPDX-License-Identifier: MIT */
#include "engine/workload.h"
#include "engine/cnn.h"
#include "engine/millionaires.h"
#include "engine/multiplications.h"
#include "engine/rounds.h"
#include "engine/santa.h"

#include <stdlib.h>
#include <string.h>

const struct workload *const workloads[] = {
    &workload_rounds,
    &workload_santa,
    &workload_cnn,
    &workload_millionaires,
    &workload_multiplications,
    NULL,
};

const struct workload *workload_find(const char *name)
{
	for (size_t i = 0; workloads[i] != NULL; i++)
		if (strcmp(workloads[i]->name, name) == 0)
			return workloads[i];
	return NULL;
}

int workload_size(
    const struct workload *w, const char *size, uint32_t *n, struct error *err)
{
	static const char *const names[] = {"low", "medium", "high"};
	unsigned long value;
	char *end;

	for (int i = 0; i < 3; i++)
		if (strcmp(size, names[i]) == 0) {
			*n = w->sizes[i];
			return 0;
		}
	value = strtoul(size, &end, 10);
	if (size[0] < '0' || size[0] > '9' || *end != '\0' || value == 0 ||
	    value > UINT32_MAX)
		return error_set(err, -EINVAL,
		    "'%s' is no size of %s: low, medium, high or a number", size,
		    w->name);
	if (w->size_max > 0 && (value < w->size_min || value > w->size_max))
		return error_set(err, -EINVAL, "%s takes %u to %u, not %lu (%s)", w->name,
		    w->size_min, w->size_max, value, w->size_unit);
	*n = (uint32_t)value;
	return 0;
}
