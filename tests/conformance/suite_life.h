/* SPDX-License-Identifier: MIT */
/*
 * The life of an overlay on one host, step by step, for tests of what it leaves behind.
 * The host is number 2 of suite_hosts; the endpoint is party 0 of 2, its peer's card is
 * made up. A second life with the folder of a first is a fresh process after a crash.
 */
#ifndef TESTS_CONFORMANCE_SUITE_LIFE_H
#define TESTS_CONFORMANCE_SUITE_LIFE_H

#include "tests/conformance/suite_hosts.h"
#include "tests/tap.h"

#include <e3/transport.h>

#include <sys/types.h>
#include <uv.h>

#define SUITE_LIFE_MS        20000u
#define SUITE_LIFE_LOG_BYTES 8192

struct suite_life {
	char folder[64];
	char log[SUITE_LIFE_LOG_BYTES]; /* every line, in a row */
	struct e3_host host;
	uv_loop_t loop;
	struct e3_endpoint *endpoint;
	unsigned char card[E3_CARD_BYTES_MAX];
	size_t card_bytes;
};

/* The plugin under test, while suite_life_run() runs. */
extern const struct e3_transport *suite_life_table;

/* Hosts up, all tests, hosts down: the exit code of main(). Skips without root. */
int suite_life_run(const char *plugin, const struct CMUnitTest *tests, size_t n_tests);

/* The calling thread goes to the host. `folder` NULL = a fresh one. */
void suite_life_begin(
    struct suite_life *life, const char *const *options, const char *folder);
int suite_life_prepare(struct suite_life *life);
int suite_life_up(struct suite_life *life, const char *peer_card);
/* The test fails with the log when rc < 0. */
void suite_life_must(struct suite_life *life, int rc);
/* Destroy the endpoint and take nothing down. */
void suite_life_drop(struct suite_life *life);
/* down and finalise, twice each, in a fresh process; the folder is empty then, and
 * removed.
 */
void suite_life_clean(const char *folder);

/* What the host looks like (the caller's to free), and the check that it looks so again.
 */
char *suite_life_look(void);
void suite_life_is_as(const char *before);

/* Process of the daemon that the folder names, 0 if there is none. */
pid_t suite_life_daemon(const char *folder);
int suite_life_files(const char *folder);
int suite_life_file_has(const char *path, const char *word);

#endif
