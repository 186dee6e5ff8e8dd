/* SPDX-License-Identifier: MIT */
/* What the table of a workload says. */
#include "engine/workload.h"

int workload_accepts(
    const struct workload *w, const struct workload_task *task, struct error *err)
{
	if (task->field_bits < w->field_bits_min)
		return error_set(err, -EINVAL,
		    "%s takes field_bits of %u or more, not %u", w->name,
		    w->field_bits_min, task->field_bits);
	return w->accepts == NULL ? 0 : w->accepts(task, err);
}

struct workload_estimate workload_estimate(
    const struct workload *w, const struct workload_case *of)
{
	if (w->estimate != NULL)
		return w->estimate(of);
	return (struct workload_estimate){.rounds = of->size, .bytes = 8 * of->size};
}
