/* SPDX-License-Identifier: MIT */
/*
 * What controller and party say to one another: one JSON object a line, "t" says which.
 * The controller writes to the standard input of `e3 party`, the party to its standard
 * output; in between are `e3 lease` and SSH, so both ends know whom they talk to.
 *
 * controller -> party                         party -> controller
 *   plan   the cell, addresses, deadlines       prepared  card (base64), prepare_ns
 *   cards  of all parties                       up        exchange_ns, up_ns
 *   signal from, endpoint, data                 signal    to, endpoint, data
 *   go     all channels of all are open         open      open_ns
 *   close  all have reported                    report    harness/result/party_report.h
 *   down   all have hung up: no channel that    hung_up
 *          still needs a peer's overlay
 *   stop   end early                            closed    close_ns, down_ns, finalise_ns
 *                                               log       level, text
 *                                               error     phase, code, text: the party
 *                                                         gave up
 *
 * Both sides treat what they read as hostile: types and ranges are checked here.
 */
#ifndef HARNESS_PARTY_PARTY_MESSAGE_H
#define HARNESS_PARTY_PARTY_MESSAGE_H

#include "base/error.h"
#include "engine/network.h"

#include <cjson/cJSON.h>
#include <stdint.h>

#define PARTY_OPTIONS_MAX      32u /* texts: keys and values */
#define PARTY_SIGNAL_BYTES_MAX (64u << 10)
#define PARTY_LINE_BYTES_MAX   (16u << 20)

/* Why a party gave up; becomes the status of its cell. */
#define PARTY_FAULTS(X)                                                                  \
	X(UNSUPPORTED, "unsupported") /* a program, device or right is missing here */   \
	X(FAILED, "failed")                                                              \
	X(TIMEOUT, "timeout")                                                            \
	X(LOST, "lost") /* a peer is gone */                                             \
	X(CANCELLED, "cancelled")

enum party_fault {
#define PARTY_FAULT_ENUM(name, text) PARTY_FAULT_##name,
	PARTY_FAULTS(PARTY_FAULT_ENUM)
#undef PARTY_FAULT_ENUM
};

const char *party_fault_text(enum party_fault fault);
/* PARTY_FAULT_FAILED for a text that is none of them. */
enum party_fault party_fault_parse(const char *text);
/* -ENOTSUP, -ETIMEDOUT, -ECONNRESET, -ECANCELED have a fault of their own. */
enum party_fault party_fault_of(int code);

/* One cell, as a party sees it. Texts are owned by the plan. */
struct party_plan {
	uint32_t self, n_parties;
	char *addresses[NETWORK_PARTIES_MAX + 1]; /* NULL-terminated */
	char *transport;
	char *options[PARTY_OPTIONS_MAX + 1]; /* key, value, ..., NULL */
	char *workload, *size, *mode;         /* mode may be NULL */
	uint32_t field_bits;
	uint64_t seed;
	char *model_file, *images_file; /* NULL where this party has none */
	uint32_t n_images;
	uint32_t probe_rate_hz, probe_bytes;
	uint32_t step_ms;  /* deadline of prepare, up, open, down, finalise, each */
	uint32_t round_ms; /* deadline of one round */
};

/* Adds a "plan" object; the caller deletes it. NULL when out of memory. */
cJSON *party_plan_json(const struct party_plan *plan);
/* -EPROTO with a sentence. On success the plan owns its texts. */
int party_plan_parse(struct party_plan *plan, const cJSON *json, struct error *err);
void party_plan_finish(struct party_plan *plan); /* zeroed is fine */

/* {"t": TYPE}. */
cJSON *party_message(const char *type);
/* Member as text or number in [0, max]; NULL / -EPROTO with a sentence. */
const char *party_message_text(const cJSON *message, const char *key, struct error *err);
int party_message_number(const cJSON *message, const char *key, uint64_t max,
    uint64_t *out, struct error *err);
/* Binary as base64. -EPROTO with a sentence; returns the length. */
void party_message_set_bytes(
    cJSON *message, const char *key, const void *bytes, size_t len);
int64_t party_message_bytes(
    const cJSON *message, const char *key, void *out, size_t max, struct error *err);

#endif
