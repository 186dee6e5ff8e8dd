/* SPDX-License-Identifier: MIT */
/* The fleet's asynchronous calls as steps of a straight-line program: each drives the
 * loop until all hosts have an outcome. */
#ifndef HARNESS_CONTROL_FLEET_STEP_H
#define HARNESS_CONTROL_FLEET_STEP_H

#include "harness/fleet/fleet.h"

#include <cjson/cJSON.h>
#include <uv.h>

#define FLEET_STEP_HOSTS_MAX 64u

struct fleet_step {
	uv_loop_t *loop;
	struct fleet *fleet;
	uint32_t n_hosts;
	/* Asked on every turn: why the run must end, or NULL. */
	const struct error *(*must_end)(void *user);
	void *user;
	struct outcome outcomes[FLEET_STEP_HOSTS_MAX]; /* of the last step */
};

/* Each returns 0 when every host is OK, else the first failure with its sentence. */
int fleet_step_connect(struct fleet_step *step, struct error *err);
int fleet_step_upload(struct fleet_step *step, const struct fleet_file *files,
    uint32_t n_files, struct error *err);

/* Run argvs[h] on every host h at once; replies[h] is the JSON its one line of output
 * holds (the caller deletes them, also on failure; NULL = none). */
int fleet_step_ask(struct fleet_step *step, const char *const *const *argvs,
    cJSON **replies, struct error *err);

/* Remove what is ours from every host that can be reached, also when the run must end:
 * look at outcomes. */
void fleet_step_clean(struct fleet_step *step);

/* Close all connections; the fleet is gone afterwards. */
void fleet_step_destroy(struct fleet_step *step);

#endif
