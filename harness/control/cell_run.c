/* SPDX-License-Identifier: MIT */
#include "harness/control/cell_run.h"
#include "harness/control/answer.h"
#include "harness/control/crew.h"
#include "harness/control/run.h"

#include <stdlib.h>
#include <string.h>

#define STEP_MS       20000u /* a party's own deadline for each step */
#define STEP_GRACE_MS 10000u /* then the controller's */
#define ROUND_MS      60000u
#define END_MS        15000u
#define RUN_GRACE_MS  2000u

/* What a block leaves behind for the result. */
struct block_notes {
	struct crew crew;
	struct testbed_counters *wire; /* [2]: before and after the run phase */
	int has_wire;
	struct pressure before;
	struct pressure_delta pressure;
	int has_pressure;
	char *addresses[NETWORK_PARTIES_MAX + 1];
	struct error answer; /* code 0 = right, or not asked */
};

static void fill_plan(struct run *run, const struct plan_cell *cell,
    struct block_notes *notes, uint32_t p, struct party_plan *plan)
{
	const struct scenario *scenario = run->scenario;
	const struct scenario_transport *transport =
	    &scenario->transports[cell->transport];
	/* The model is party 0's, the images are party 1's if there is one. */
	int has_images = p == (cell->parties > 1 ? 1 : 0);
	int needs_inputs = run_inputs_are_for(plan_cell_workload(run->plan, cell));

	*plan = (struct party_plan){
	    .self = p,
	    .n_parties = cell->parties,
	    .transport = (char *)transport->plugin,
	    .workload = (char *)plan_cell_workload(run->plan, cell),
	    .size = (char *)plan_cell_size(run->plan, cell),
	    .mode = (char *)cell->mode,
	    .field_bits = plan_cell_field_bits(run->plan, cell),
	    .seed = scenario->seed,
	    .model_file = needs_inputs && p == 0 ? (char *)RUN_INPUTS_MODEL : NULL,
	    .images_file = needs_inputs && has_images ? (char *)RUN_INPUTS_IMAGES : NULL,
	    .n_images = needs_inputs ? cell->size_number : 0,
	    .probe_rate_hz = scenario->probe_rate_hz,
	    .probe_bytes = scenario->probe_bytes,
	    .step_ms = STEP_MS,
	    .round_ms = ROUND_MS,
	};
	memcpy(plan->addresses, notes->addresses, sizeof(plan->addresses));
	memcpy(plan->options, transport->options, sizeof(transport->options));
}

static int start_crew(struct run *run, const struct plan_cell *cell,
    struct block_notes *notes, struct error *err)
{
	struct party_plan plans[NETWORK_PARTIES_MAX];

	notes->crew = (struct crew){.loop = &run->loop,
	    .fleet = run->hosts.fleet,
	    .n_parties = cell->parties,
	    .must_end = run_must_end,
	    .user = run};
	for (uint32_t p = 0; p < cell->parties; p++) {
		notes->addresses[p] = run->inventory.hosts[p].address;
		notes->crew.hosts[p] = run->inventory.hosts[p].name;
	}
	for (uint32_t p = 0; p < cell->parties; p++)
		fill_plan(run, cell, notes, p, &plans[p]);
	return crew_start(&notes->crew, plans, err);
}

static void begin_measuring(struct run *run, struct block_notes *notes)
{
	notes->has_wire = notes->wire != NULL && run->testbed != NULL &&
			  testbed_counters(run->testbed, &notes->wire[0], NULL) == 0;
	pressure_sample("", &notes->before);
}

static void end_measuring(struct run *run, struct block_notes *notes)
{
	struct pressure after;

	pressure_sample("", &after);
	pressure_between(&notes->before, &after, &notes->pressure);
	/* Of this machine, where hosts of an inventory aren't. */
	notes->has_pressure = run->testbed != NULL;
	notes->has_wire =
	    notes->has_wire && testbed_counters(run->testbed, &notes->wire[1], NULL) == 0;
}

/* Up to the point where all have reported; then the end, whatever happened. */
static int live(struct run *run, struct block_notes *notes)
{
	struct crew *crew = &notes->crew;
	uint32_t run_ms = run->scenario->cell_timeout_s * 1000 + RUN_GRACE_MS;
	int rc = crew_await(crew, CREW_PREPARED, STEP_MS + STEP_GRACE_MS);

	if (rc == 0)
		rc = crew_send_cards(crew);
	if (rc == 0)
		rc = crew_await(crew, CREW_UP, STEP_MS + STEP_GRACE_MS);
	if (rc == 0)
		rc = crew_await(crew, CREW_OPEN, STEP_MS + STEP_GRACE_MS);
	if (rc < 0)
		return rc;
	progress_running(&run->progress);
	begin_measuring(run, notes);
	crew_send(crew, "go");
	rc = crew_await(crew, CREW_REPORTED, run_ms);
	end_measuring(run, notes);
	if (rc < 0)
		return rc;
	crew_send(crew, "close");
	rc = crew_await(crew, CREW_HUNG_UP, STEP_MS + STEP_GRACE_MS);
	if (rc == 0)
		crew_send(crew, "down");
	return rc;
}

static void check_answer(
    struct run *run, const struct plan_cell *cell, struct block_notes *notes)
{
	const struct workload *workload =
	    workload_find(plan_cell_workload(run->plan, cell));
	const struct workload_task task = run_inputs_task(&run->inputs, run->plan, cell);
	const cJSON *reports[NETWORK_PARTIES_MAX];

	for (uint32_t p = 0; p < cell->parties; p++)
		reports[p] = notes->crew.members[p].report;
	if (answer_check(workload, &task, reports, cell->parties, &notes->answer) < 0)
		error_wrap(&notes->answer, "wrong answer");
}

/* Longest of the parties; the exchange of cards lasts as long as it did for the last one
 * that handed its card in: the others also waited for that one to prepare. */
static void merge_phases(const struct crew *crew, uint64_t *out)
{
	struct crew_phases longest = {.exchange_ns = UINT64_MAX};
	enum crew_state least = CREW_ENDED;
	int is_complete = 1;

	for (uint32_t p = 0; p < crew->n_parties; p++) {
		const struct crew_phases *phases = &crew->members[p].phases;

#define LONGER(name)                                                                     \
	if (phases->name##_ns > longest.name##_ns)                                       \
	longest.name##_ns = phases->name##_ns
		LONGER(prepare);
		LONGER(up);
		LONGER(open);
		LONGER(run);
		LONGER(close);
		LONGER(down);
		LONGER(finalise);
#undef LONGER
		if (phases->exchange_ns < longest.exchange_ns)
			longest.exchange_ns = phases->exchange_ns;
		if (crew->members[p].reached < least)
			least = crew->members[p].reached;
		is_complete &= crew->members[p].reached >= CREW_CLOSED;
	}
	for (int phase = 0; phase < LIFE_PHASE_COUNT; phase++)
		out[phase] = LIFE_NOT_REACHED;
	if (least >= CREW_PREPARED)
		out[LIFE_PREPARE] = longest.prepare_ns;
	if (least >= CREW_UP) {
		out[LIFE_EXCHANGE] = longest.exchange_ns;
		out[LIFE_UP] = longest.up_ns;
	}
	if (least >= CREW_OPEN)
		out[LIFE_OPEN] = longest.open_ns;
	if (least >= CREW_REPORTED)
		out[LIFE_RUN] = longest.run_ns;
	if (is_complete) {
		out[LIFE_CLOSE] = longest.close_ns;
		out[LIFE_DOWN] = longest.down_ns;
		out[LIFE_FINALISE] = longest.finalise_ns;
	}
}

static enum cell_status status_of(const struct block_notes *notes)
{
	if (notes->crew.failure.code == 0)
		return notes->answer.code == 0 ? CELL_OK : CELL_FAILED;
	switch (notes->crew.failure_fault) {
	case PARTY_FAULT_UNSUPPORTED:
		return CELL_UNSUPPORTED;
	case PARTY_FAULT_TIMEOUT:
		return CELL_TIMEOUT;
	default:
		return CELL_FAILED;
	}
}

static int tell(struct run *run, const struct cell_run *which, struct block_notes *notes,
    struct result_verdict *verdict, struct error *err)
{
	const struct plan_cell *cell = which->cell;
	char outcomes[NETWORK_PARTIES_MAX][24];
	struct result_block block = {
	    .cell = run_result_cell(run, cell),
	    .index = which->block,
	    .attempt = which->attempt,
	    .position = which->position,
	    .delay_scale = which->delay_scale,
	    .status = status_of(notes),
	    .wire_before = notes->has_wire ? &notes->wire[0] : NULL,
	    .wire_after = notes->has_wire ? &notes->wire[1] : NULL,
	    .one_way_ns = run->knows_one_way
			      ? (const uint64_t(*)[NETWORK_PARTIES_MAX])run->one_way_ns
			      : NULL,
	    .rate_bps = run->testbed != NULL ? run->scenario->rate_bps : 0,
	    .is_lossy = run->testbed != NULL && run->scenario->loss > 0,
	    .shares_clock = run->testbed != NULL,
	    .pressure = notes->has_pressure ? &notes->pressure : NULL,
	};

	if (notes->crew.failure.code != 0)
		block.error = notes->crew.failure.text;
	else if (notes->answer.code != 0)
		block.error = notes->answer.text;
	merge_phases(&notes->crew, block.phases_ns);
	for (uint32_t p = 0; p < cell->parties; p++) {
		const struct crew_member *member = &notes->crew.members[p];

		block.parties[p] = (struct result_party){
		    .host = run->inventory.hosts[p].name,
		    .outcome = outcome_text(&member->outcome, outcomes[p]),
		    .error = member->error.code != 0 ? member->error.text : NULL,
		    .report = member->report_line,
		    .report_bytes = member->report_bytes,
		};
	}
	return result_block(run->result, &block, verdict, err);
}

int cell_run(struct run *run, const struct cell_run *which,
    struct result_verdict *verdict, struct error *sentence, struct error *err)
{
	struct block_notes *notes = calloc(1, sizeof(*notes));
	int rc;

	if (notes == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	notes->wire = calloc(2, sizeof(*notes->wire));
	rc = start_crew(run, which->cell, notes, err);
	if (rc == 0)
		rc = live(run, notes);
	crew_end(&notes->crew, END_MS);
	if (notes->crew.failure.code == 0)
		check_answer(run, which->cell, notes);
	*sentence = notes->crew.failure.code != 0 ? notes->crew.failure : notes->answer;
	if (notes->crew.failure_fault == PARTY_FAULT_CANCELLED &&
	    run->ended.code == -ECANCELED) {
		/* Nothing of it was measured, and the cell did not fail. */
		result_note(run->result,
		    "the block under way when the run was interrupted is left out");
		verdict->status = CELL_NOT_RUN;
		rc = 0;
	} else {
		rc = tell(run, which, notes, verdict, err);
	}
	crew_finish(&notes->crew);
	free(notes->wire);
	free(notes);
	return rc;
}
