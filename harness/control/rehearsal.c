/* SPDX-License-Identifier: MIT */
#include "harness/control/rehearsal.h"
#include "base/clock.h"
#include "base/units.h"
#include "engine/memory_network.h"
#include "engine/mpc.h"
#include "engine/workload.h"
#include "harness/control/machine_cost.h"
#include "harness/control/path_model.h"
#include "harness/control/path_settings.h"
#include "harness/control/run_inputs.h"
#include "harness/scenario/plan.h"

#include <stdlib.h>
#include <string.h>

#define REAL_DEADLINE_NS (120 * NS_PER_S)

struct cast {
	const struct workload *workload;
	struct workload_task task;       /* all inputs in the clear */
	struct workload_output *outputs; /* of every party */
	struct path paths[NETWORK_PARTIES_MAX][NETWORK_PARTIES_MAX];
	uint32_t n_parties;
	const struct machine_cost *machine;       /* NULL = messages cost nothing */
	uint64_t carried_ns[NETWORK_PARTIES_MAX]; /* when a sender's messages are */
};

static int play(struct network *net, void *user, struct error *err)
{
	const struct cast *cast = user;
	struct workload_task task = cast->task;

	if (net->self != 0)
		task.model = NULL;
	if (net->self != (net->n_parties > 1 ? 1 : 0))
		task.images = NULL;
	return cast->workload->run(net, &task, &cast->outputs[net->self], err);
}

static uint64_t more_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Parties work at the same time: on fewer cores each gets its part. */
static double stretch(const struct cast *cast)
{
	if (cast->machine == NULL || cast->n_parties <= cast->machine->cores)
		return 1;
	return (double)cast->n_parties / cast->machine->cores;
}

/* The emulator takes turns between all senders, and carries what each has sent in order,
 * while more is sent. A small message takes longer than its CPU time at all three. */
static void add_machine(struct cast *cast, struct memory_message *message)
{
	const struct machine_cost *machine = cast->machine;
	double bytes = (double)message->len, share = stretch(cast);
	double end_ns = (double)machine->message_ns / 2;
	uint64_t cpu_ns = machine->message_ns + machine->carry_ns;
	uint64_t *carried_ns = &cast->carried_ns[message->from], given_ns, arrives_ns;

	message->give_ns = (uint64_t)(share * (end_ns + bytes * machine->give_byte_ns));
	message->take_ns = (uint64_t)(share * (end_ns + bytes * machine->take_byte_ns));
	given_ns = message->sent_ns + message->give_ns;
	*carried_ns = more_of(*carried_ns, message->sent_ns) +
		      (uint64_t)(cast->n_parties * ((double)machine->carry_ns +
						       bytes * machine->carry_byte_ns));
	arrives_ns = more_of(given_ns, *carried_ns) +
		     cast->paths[message->from][message->to].one_way_ns;
	arrives_ns = more_of(arrives_ns,
	    message->sent_ns + message->delay_ns + (uint64_t)(share * end_ns));
	if (machine->pass_ns > cpu_ns)
		arrives_ns += machine->pass_ns - cpu_ns;
	message->delay_ns = arrives_ns - message->sent_ns;
}

static void on_message(void *user, struct memory_message *message)
{
	struct cast *cast = user;

	struct path_times times = path_send(
	    &cast->paths[message->from][message->to], message->sent_ns, message->len);

	message->delay_ns = times.arrived_ns - message->sent_ns;
	message->left_ns = times.left_ns;
	if (cast->machine != NULL)
		add_machine(cast, message);
}

static void lay_paths(
    const struct scenario *scenario, uint32_t n_parties, struct cast *cast)
{
	char congestion[PATH_CONGESTION_BYTES];

	path_settings_congestion(scenario, "", congestion);
	for (uint32_t from = 0; from < n_parties; from++)
		for (uint32_t to = 0; to < n_parties; to++)
			path_init(&cast->paths[from][to],
			    scenario_one_way_ns(scenario, from, to),
			    scenario_one_way_ns(scenario, to, from), scenario->rate_bps,
			    path_settings_kind(congestion));
}

static void take_counts(
    struct memory_network *memory, uint32_t n_parties, struct rehearsal *out)
{
	for (uint32_t p = 0; p < n_parties; p++) {
		const struct memory_counters *counters =
		    memory_network_counters(memory, p);

		out->parties[p] = (struct rehearsal_party){.rounds = counters->rounds,
		    .messages = counters->messages,
		    .bytes = counters->bytes};
		if (counters->now_ns > out->virtual_ns)
			out->virtual_ns = counters->now_ns;
	}
}

static int perform(struct cast *cast, uint32_t n_parties, enum rehearsal_time time,
    struct rehearsal *out, struct error *err)
{
	const struct memory_network_options options = {.n_parties = n_parties,
	    .real_deadline_ns = REAL_DEADLINE_NS,
	    .counts_work = time >= REHEARSAL_NETWORK_AND_WORK,
	    .work_stretch = stretch(cast),
	    .on_message = time != REHEARSAL_TIMELESS ? on_message : NULL,
	    .user = cast};
	struct memory_network *memory;
	uint64_t began_ns, cpu_began_ns;
	int rc = memory_network_create(&memory, &options, err);

	if (rc < 0)
		return rc;
	began_ns = clock_monotonic_ns();
	cpu_began_ns = clock_process_cpu_ns();
	rc = memory_network_run(memory, play, cast, NULL, err);
	out->wall_ns = clock_monotonic_ns() - began_ns;
	out->cpu_ns = clock_process_cpu_ns() - cpu_began_ns;
	take_counts(memory, n_parties, out);
	memory_network_destroy(memory);
	if (rc == 0)
		rc = cast->workload->check(&cast->task, &cast->outputs[0], err);
	return rc;
}

int rehearse(const struct plan *plan, const struct plan_cell *cell,
    const struct run_inputs *inputs, enum rehearsal_time time,
    const struct machine_cost *machine, struct rehearsal *out, struct error *err)
{
	struct cast *cast = calloc(1, sizeof(*cast));
	int rc = -ENOMEM;

	memset(out, 0, sizeof(*out));
	if (cast != NULL)
		cast->outputs = calloc(cell->parties, sizeof(*cast->outputs));
	if (cast != NULL && cast->outputs != NULL) {
		cast->workload = workload_find(plan_cell_workload(plan, cell));
		cast->n_parties = cell->parties;
		cast->machine = time == REHEARSAL_MACHINE ? machine : NULL;
		cast->task = run_inputs_task(inputs, plan, cell);
		lay_paths(plan->scenario, cell->parties, cast);
		rc = mpc_warm_up(err);
		if (rc == 0)
			rc = perform(cast, cell->parties, time, out, err);
		out->attempts = cast->outputs[0].attempts;
		free(cast->outputs);
	} else {
		error_set(err, rc, "out of memory");
	}
	free(cast);
	return rc;
}
