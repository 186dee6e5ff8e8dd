/* SPDX-License-Identifier: MIT */
/*
 * Open-loop probes beside the workload: small messages at a fixed rate to every peer, on
 * a lane, an endpoint, a loop and a thread of their own, so that neither a busy engine
 * nor a full channel delays them. A probe's latency counts from the time it was meant to
 * leave.
 */
#ifndef HARNESS_LINK_PROBER_H
#define HARNESS_LINK_PROBER_H

#include "base/error.h"

#include <e3/transport.h>

struct prober;
struct recorder;

#define PROBER_LANE      1u
#define PROBER_BYTES_MIN 16u

struct prober_config {
	const struct e3_transport *transport;
	struct e3_host
	    host; /* its loop is replaced by the prober's; calls from its thread */
	const char *const *options;
	e3_party self;
	uint32_t n_parties;
	uint32_t rate_hz;          /* to each peer */
	uint32_t bytes;            /* of a probe, at least PROBER_BYTES_MIN */
	struct recorder *recorder; /* only recorder_probe*() is called, until quiet */
	/* prober_state() may say something else now. From the prober's thread; may be
	 * NULL. */
	void (*on_changed)(void *user);
	void *user;
};

/* Start the thread; it opens its channels at once. -ENOMEM, -EMFILE, -EAGAIN (no thread):
 * nothing is left of it. */
int prober_start(
    const struct prober_config *config, struct prober **out, struct error *err);

/* 1 = all channels are open, 0 = not yet, negative = failed, with the sentence. */
int prober_state(struct prober *prober, struct error *err);

/* What host->signal() of the peer's prober carried. Copied. */
void prober_signal(struct prober *prober, e3_party from, struct e3_iov message);

/* Begin to send; from now on peers' probes have always been answered. */
void prober_go(struct prober *prober);

/* Send and record no more, but go on answering; returns when the recorder is the caller's
 * again. Probes under way are counted neither as answered nor as lost. */
void prober_quiet(struct prober *prober);

/* Stop answering, close the channels, end the thread and free it. NULL is fine. */
void prober_stop(struct prober *prober);

#endif
