/* SPDX-License-Identifier: MIT */
/*
 * The role `e3 party`: one party of one cell on one host. It loads one transport plugin,
 * runs the engine over it, and tells the controller what it measured; party_message.h has
 * the messages. It ends when the cell is done, when a step fails, and when the controller
 * is gone; in all three cases channels, overlay and keys are taken down first.
 */
#ifndef HARNESS_PARTY_PARTY_H
#define HARNESS_PARTY_PARTY_H

#include "base/list.h"
#include "harness/link/mesh.h"
#include "harness/link/prober.h"
#include "harness/measure/recorder.h"
#include "harness/party/console.h"
#include "harness/party/party_host.h"
#include "harness/party/party_message.h"
#include "harness/plugin/plugin.h"

#include <limits.h>

struct party_card {
	unsigned char bytes[E3_CARD_BYTES_MAX];
	size_t len;
};

struct party {
	uv_loop_t loop;
	uv_signal_t on_term;
	uv_async_t prober_changed; /* ends a turn of the loop */
	struct console console;
	struct party_plan plan;
	struct plugin *plugin;
	char state_folder[PATH_MAX];
	struct party_host host, probe_host;
	struct e3_endpoint *endpoint;
	struct mesh *mesh;
	struct prober *prober;
	struct recorder *recorder;
	struct party_card cards[NETWORK_PARTIES_MAX];
	struct list early_signals; /* for the prober, before there is one */
	size_t early_bytes;
	int has_plan, has_cards, may_go, may_close, may_go_down;
	int is_prepared;      /* down and finalise are due */
	int is_hung_up;       /* mesh_close() was called */
	uint64_t close_ns;    /* how long it took */
	struct error stopped; /* code 0 while the run may go on */
};

/* Runs one cell over the console on fds 0 and 1. Returns the exit code of the process. */
int party_main(void);

/* party_work.c: run the workload and send the report. */
int party_work(struct party *party, struct error *err);

#endif
