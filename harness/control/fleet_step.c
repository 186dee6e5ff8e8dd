/* SPDX-License-Identifier: MIT */
#include "harness/control/fleet_step.h"
#include "harness/link/loop_wait.h"

#include <string.h>

/* The fleet has deadlines of its own; this one only bounds a defect. */
#define STEP_DEADLINE_MS    600000u
#define DESTROY_DEADLINE_MS 5000u

struct pending {
	struct fleet_step *step;
	uint32_t n_left;
	int is_cancelled;
};

static int is_over(void *user)
{
	struct pending *pending = user;
	struct fleet_step *step = pending->step;

	if (pending->n_left > 0 && !pending->is_cancelled && step->must_end != NULL &&
	    step->must_end(step->user) != NULL) {
		pending->is_cancelled = 1;
		fleet_cancel(step->fleet);
	}
	return pending->n_left == 0;
}

static int first_failure(struct fleet_step *step, struct error *err)
{
	const struct error *why =
	    step->must_end == NULL ? NULL : step->must_end(step->user);

	if (why != NULL) {
		if (err != NULL)
			*err = *why;
		return why->code;
	}
	for (uint32_t h = 0; h < step->n_hosts; h++) {
		const struct outcome *outcome = &step->outcomes[h];

		if (outcome->kind == OUTCOME_OK || outcome->kind == OUTCOME_SKIPPED ||
		    outcome->kind == OUTCOME_CANCELLED)
			continue;
		return error_set(err,
		    outcome->error.code != 0 ? outcome->error.code : -EIO, "%s",
		    outcome->error.text);
	}
	for (uint32_t h = 0; h < step->n_hosts; h++)
		if (step->outcomes[h].kind != OUTCOME_OK)
			return error_set(
			    err, -ECANCELED, "%s", step->outcomes[h].error.text);
	return 0;
}

static int wait_step(struct pending *pending, struct error *err)
{
	if (loop_wait(pending->step->loop, STEP_DEADLINE_MS, is_over, pending) < 0)
		return error_set(err, -ETIMEDOUT, "a step on the hosts did not end");
	return first_failure(pending->step, err);
}

static void on_done(void *user, const struct outcome *outcomes, uint32_t n_hosts)
{
	struct pending *pending = user;

	memcpy(pending->step->outcomes, outcomes, n_hosts * sizeof(*outcomes));
	pending->n_left = 0;
}

int fleet_step_connect(struct fleet_step *step, struct error *err)
{
	struct pending pending = {.step = step, .n_left = 1};

	fleet_connect(step->fleet, on_done, &pending);
	return wait_step(&pending, err);
}

int fleet_step_upload(struct fleet_step *step, const struct fleet_file *files,
    uint32_t n_files, struct error *err)
{
	struct pending pending = {.step = step, .n_left = 1};

	fleet_upload(step->fleet, files, n_files, on_done, &pending);
	return wait_step(&pending, err);
}

struct question {
	struct pending *pending;
	uint32_t host;
	cJSON **reply;
};

static void on_line(void *user, const char *line, size_t len)
{
	struct question *question = user;

	cJSON_Delete(*question->reply);
	*question->reply = cJSON_ParseWithLength(line, len);
}

static void on_ended(void *user, const struct outcome *outcome, const char *stderr_tail)
{
	struct question *question = user;
	struct outcome *to = &question->pending->step->outcomes[question->host];

	*to = *outcome;
	if (outcome->kind == OUTCOME_EXIT && stderr_tail[0] != '\0')
		error_set(&to->error, outcome->error.code, "%.200s: %.700s",
		    outcome->error.text, stderr_tail);
	question->pending->n_left--;
}

int fleet_step_ask(struct fleet_step *step, const char *const *const *argvs,
    cJSON **replies, struct error *err)
{
	struct pending pending = {.step = step};
	struct question questions[FLEET_STEP_HOSTS_MAX];
	int started = 0;

	for (uint32_t h = 0; h < step->n_hosts; h++) {
		struct fleet_command_events events = {
		    .line = on_line, .ended = on_ended, .user = &questions[h]};
		struct fleet_command *command;

		replies[h] = NULL;
		questions[h] = (struct question){
		    .pending = &pending, .host = h, .reply = &replies[h]};
		memset(&step->outcomes[h], 0, sizeof(step->outcomes[h]));
		if (started < 0)
			step->outcomes[h].kind = OUTCOME_SKIPPED;
		else
			started = fleet_command_start(
			    step->fleet, h, argvs[h], &events, &command, err);
		if (started == 0)
			pending.n_left++;
	}
	if (started < 0) {
		pending.is_cancelled = 1;
		fleet_cancel(step->fleet);
		loop_wait(step->loop, STEP_DEADLINE_MS, is_over, &pending);
		return started;
	}
	return wait_step(&pending, err);
}

void fleet_step_clean(struct fleet_step *step)
{
	struct pending pending = {.step = step, .n_left = 1, .is_cancelled = 1};

	fleet_clean(step->fleet, on_done, &pending);
	loop_wait(step->loop, STEP_DEADLINE_MS, is_over, &pending);
}

static void on_destroyed(void *user)
{
	((struct pending *)user)->n_left = 0;
}

void fleet_step_destroy(struct fleet_step *step)
{
	struct pending pending = {.step = step, .n_left = 1, .is_cancelled = 1};

	if (step->fleet == NULL)
		return;
	fleet_destroy(step->fleet, on_destroyed, &pending);
	loop_wait(step->loop, DESTROY_DEADLINE_MS, is_over, &pending);
	step->fleet = NULL;
}
