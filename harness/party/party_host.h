/* SPDX-License-Identifier: MIT */
/* What a party lends to its plugin: clock, log, and signals carried by the console. */
#ifndef HARNESS_PARTY_PARTY_HOST_H
#define HARNESS_PARTY_PARTY_HOST_H

#include "base/error.h"
#include "harness/party/console.h"
#include "harness/party/party_message.h"

#include <e3/host.h>
#include <pthread.h>

struct party_host {
	struct e3_host table; /* give this to the plugin */
	struct console *console;
	uint32_t endpoint; /* 0 = the workload's, 1 = the probes' */
	pthread_mutex_t lock;
	char last_error[ERROR_TEXT_BYTES]; /* newest line the plugin logged as an error */
};

/* `plan` and `state_folder` stay valid as long as the host. */
void party_host_init(struct party_host *host, struct console *console, uv_loop_t *loop,
    uint32_t endpoint, const struct party_plan *plan, const char *state_folder);
void party_host_finish(struct party_host *host);

/* A plugin call returned `code`: its sentence is what was logged, or strerror(). Returns
 * `code`. */
int party_host_error(
    struct party_host *host, int code, const char *what, struct error *err);

#endif
