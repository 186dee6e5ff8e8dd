/* SPDX-License-Identifier: MIT */
#include "testbed/wan_counters.h"

#include <string.h>
#include <sys/mman.h>

struct wan_counters_shared *wan_counters_create(void)
{
	struct wan_counters_shared *shared = mmap(NULL, sizeof(*shared),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		return NULL;
	histogram_reset(&shared->lateness_ns);
	return shared;
}

void wan_counters_destroy(struct wan_counters_shared *shared)
{
	if (shared != NULL)
		munmap(shared, sizeof(*shared));
}

void wan_counters_snapshot(const struct wan_counters_shared *shared, uint32_t n_hosts,
    struct testbed_counters *out)
{
	struct histogram *h = &out->lateness_ns;

	memset(out, 0, sizeof(*out));
	for (uint32_t from = 0; from < n_hosts; from++)
		memcpy(out->pairs[from], shared->pairs[from],
		    n_hosts * sizeof(struct testbed_pair));
	out->undeliverable = shared->undeliverable;
	memcpy(h, &shared->lateness_ns, sizeof(*h));
	/* Percentiles need a total that is the sum, whatever was recorded meanwhile. */
	h->total = 0;
	for (uint32_t i = 0; i < HISTOGRAM_COUNTS; i++)
		h->total += h->counts[i];
}
