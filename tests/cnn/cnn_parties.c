/* SPDX-License-Identifier: MIT */
#include "tests/cnn/cnn_parties.h"

#include "base/clock.h"

#include <pthread.h>
#include <string.h>

static pthread_mutex_t phase_lock = PTHREAD_MUTEX_INITIALIZER;

static struct cnn_phase *phase_of(struct cnn_parties *parties, const char *name)
{
	struct cnn_phase *phase;

	for (uint32_t i = 0; i < parties->n_phases; i++)
		if (strcmp(parties->phases[i].name, name) == 0)
			return &parties->phases[i];
	if (parties->n_phases == CNN_PHASES_MAX)
		return NULL;
	phase = &parties->phases[parties->n_phases++];
	phase->name = name;
	return phase;
}

/* The running phase ends here: what was counted until it began is taken off when it does.
 * Differences of unsigned sums are exact. */
static void on_phase(void *user, uint32_t party, const char *name)
{
	struct cnn_parties *parties = user;
	const struct memory_counters *sent =
	    memory_network_counters(parties->memory, party);
	static _Thread_local struct cnn_phase *running;
	static _Thread_local const struct cnn_parties *running_of;
	struct cnn_phase *next;

	pthread_mutex_lock(&phase_lock);
	next = name != NULL ? phase_of(parties, name) : NULL;
	if (running != NULL && running_of == parties) {
		running->rounds[party] += sent->rounds;
		running->bytes[party] += sent->bytes;
	}
	if (next != NULL) {
		next->rounds[party] -= sent->rounds;
		next->bytes[party] -= sent->bytes;
	}
	running = next;
	running_of = parties;
	pthread_mutex_unlock(&phase_lock);
}

static int party_main(struct network *net, void *user, struct error *err)
{
	struct cnn_parties *parties = user;
	struct workload_task own = parties->task;
	uint64_t began_ns = clock_thread_cpu_ns();
	int rc;

	if (net->self != 0)
		own.model = NULL;
	if (net->self != (net->n_parties > 1 ? 1 : 0))
		own.images = NULL;
	rc = cnn_run_shape(
	    net, parties->shape, &own, parties->n_images, &parties->out[net->self], err);
	on_phase(parties, net->self, NULL);
	pthread_mutex_lock(&phase_lock);
	parties->cpu_ns += clock_thread_cpu_ns() - began_ns;
	pthread_mutex_unlock(&phase_lock);
	return rc;
}

static int judge(struct cnn_parties *parties)
{
	const struct workload_output *first = &parties->out[0];

	for (uint32_t p = 1; p < parties->m; p++)
		if (parties->out[p].n_values != first->n_values ||
		    memcmp(parties->out[p].values, first->values,
			first->n_values * sizeof(int64_t)) != 0)
			return error_set(&parties->err, -EBADMSG,
			    "party %u has other outputs than party 0", p);
	return cnn_check(&parties->task, parties->n_images, first, &parties->err);
}

int cnn_parties_run(struct cnn_parties *parties)
{
	const struct memory_network_options options = {
	    .n_parties = parties->m,
	    .on_phase = on_phase,
	    .user = parties,
	};
	int rc = memory_network_create(&parties->memory, &options, &parties->err);

	if (rc < 0)
		return rc;
	rc =
	    memory_network_run(parties->memory, party_main, parties, NULL, &parties->err);
	memory_network_destroy(parties->memory);
	return rc < 0 ? rc : judge(parties);
}

const struct cnn_phase *cnn_parties_phase(
    const struct cnn_parties *parties, const char *name)
{
	for (uint32_t i = 0; i < parties->n_phases; i++)
		if (strcmp(parties->phases[i].name, name) == 0)
			return &parties->phases[i];
	return NULL;
}
