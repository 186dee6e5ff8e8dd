/* SPDX-License-Identifier: MIT */
/* Parties as threads over a memory network. */
#include "engine/memory_network.h"

#include <pthread.h>
#include <stdlib.h>

#define PARTY_STACK_BYTES ((size_t)8 << 20)

struct party_run {
	struct memory_network *memory;
	uint32_t self;
	int (*party_main)(struct network *net, void *user, struct error *err);
	void *user;
	int rc;
	struct error err;
	pthread_t thread;
	int has_thread;
};

static void *run_one(void *arg)
{
	struct party_run *run = arg;

	memory_network_enter(run->memory, run->self);
	run->rc = run->party_main(
	    memory_network_party(run->memory, run->self), run->user, &run->err);
	memory_network_leave(run->memory, run->self);
	return NULL;
}

static void start_others(struct party_run *runs, uint32_t n)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, PARTY_STACK_BYTES);
	for (uint32_t p = 1; p < n; p++) {
		int rc = pthread_create(&runs[p].thread, &attr, run_one, &runs[p]);

		runs[p].has_thread = rc == 0;
		if (rc == 0)
			continue;
		runs[p].rc = error_set_errno(&runs[p].err, -rc, "no thread");
		memory_network_leave(runs[p].memory, p);
	}
	pthread_attr_destroy(&attr);
}

/* The party whose error explains the others': n if all went well. */
static uint32_t first_failure(const struct party_run *runs, uint32_t n)
{
	uint32_t echo = n;

	for (uint32_t p = n; p-- > 0;)
		if (runs[p].rc != 0)
			echo = p;
	for (uint32_t p = 0; p < n; p++)
		if (runs[p].rc != 0 && runs[p].rc != -ECONNRESET)
			return p;
	return echo;
}

int memory_network_run(struct memory_network *memory,
    int (*party_main)(struct network *net, void *user, struct error *err), void *user,
    int *ret_codes, struct error *err)
{
	uint32_t n = memory_network_party(memory, 0)->n_parties, failed;
	struct party_run *runs = calloc(n, sizeof(*runs));
	int rc = 0;

	if (runs == NULL)
		return error_set(err, -ENOMEM, "no memory for %u parties", n);
	for (uint32_t p = 0; p < n; p++)
		runs[p] = (struct party_run){
		    .memory = memory, .self = p, .party_main = party_main, .user = user};
	start_others(runs, n);
	run_one(&runs[0]);
	for (uint32_t p = 1; p < n; p++)
		if (runs[p].has_thread)
			pthread_join(runs[p].thread, NULL);
	for (uint32_t p = 0; p < n && ret_codes != NULL; p++)
		ret_codes[p] = runs[p].rc;
	failed = first_failure(runs, n);
	if (failed < n)
		rc = error_set(err, runs[failed].rc, "as party %u: %s", failed,
		    runs[failed].err.text);
	free(runs);
	return rc;
}
