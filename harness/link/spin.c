/* SPDX-License-Identifier: MIT */
#include "harness/link/spin.h"

#include "base/clock.h"

#include <sched.h>
#include <string.h>

/* Most waits end earlier: they need not read the clock. */
#define UNTIMED_YIELDS 4u

void spin_init(struct spin *spin, uint32_t n_parties)
{
	memset(spin, 0, sizeof(*spin));
	spin->skip = spin->n_to_skip = SPIN_SKIP_FIRST;
	spin->was_vain = 1;
	spin->limit_ns = n_parties * SPIN_OWN_NS;
}

int spin_begin(struct spin *spin)
{
	if (spin->n_to_skip > 0) {
		spin->n_to_skip--;
		return 0;
	}
	if (!spin->was_vain)
		spin->skip /= 2;
	spin->was_vain = 0;
	spin->n_yields = 0;
	spin->back_ns = spin->own_ns = 0;
	return 1;
}

static void gives_up(struct spin *spin)
{
	spin->was_vain = 1;
	spin->skip = spin->skip == 0 ? 1 : 2 * spin->skip;
	if (spin->skip > SPIN_SKIP_MAX)
		spin->skip = SPIN_SKIP_MAX;
	spin->n_to_skip = spin->skip;
}

int spin_yield(struct spin *spin)
{
	if (spin->back_ns != 0)
		spin->own_ns += clock_monotonic_ns() - spin->back_ns;
	if (spin->own_ns > spin->limit_ns) {
		gives_up(spin);
		return 0;
	}
	sched_yield();
	if (++spin->n_yields >= UNTIMED_YIELDS)
		spin->back_ns = clock_monotonic_ns();
	return 1;
}
