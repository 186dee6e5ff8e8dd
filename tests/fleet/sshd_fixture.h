/* SPDX-License-Identifier: MIT */
/*
 * Real sshd processes on the loopback of a network and mount namespace of our own, each
 * with its own port, host key and home folder, and a fleet over them. Needs root.
 */
#ifndef TESTS_FLEET_SSHD_FIXTURE_H
#define TESTS_FLEET_SSHD_FIXTURE_H

#include "harness/fleet/fleet.h"
#include "tests/fleet/process.h"

#include <stdbool.h>
#include <sys/types.h>
#include <uv.h>

#define SSHD_MAX        8
#define CREW_MAX        16
#define SSHD_PORT_FIRST 2200

struct sshd_fixture {
	char folder[64];
	uint32_t n;
	pid_t pids[SSHD_MAX];
	char host_keys[SSHD_MAX][160];
	char names[SSHD_MAX][16];
	struct fleet_host_config hosts[SSHD_MAX];
	struct fleet_key key; /* accepted by all */
};

extern struct sshd_fixture fixture;

/* Once a process: enters the namespaces and starts n servers with `extra` lines in their
 * configuration. What fails is kept for fixture_need(). */
void fixture_up(uint32_t n, const char *extra);
/* At the beginning of a test: skips it without root or sshd, fails when they failed. */
void fixture_need(void);
/* A group teardown. */
int fixture_down(void **state);

/* The connection of a test to its hosts, with what was reported. */
struct crew {
	uv_loop_t loop;
	struct fleet *fleet;
	int n_done;
	bool is_closed;
	uint64_t stalled_ms; /* while it waited: how late its wake-ups were, in all */
	struct outcome outcomes[CREW_MAX];
};

void crew_up(struct crew *crew, const struct fleet_host_config *hosts, uint32_t n,
    const struct fleet_key *key, const struct fleet_deadlines *deadlines);
/* A fleet_done that notes; `user` is the crew. */
void crew_done(void *user, const struct outcome *outcomes, uint32_t n);
/* Turns the loop until `flag` is not 0; fails after WAIT_MS. */
void crew_wait(struct crew *crew, const int *flag);
void crew_connect(struct crew *crew); /* and wait */
void crew_upload(struct crew *crew, const struct fleet_file *files, uint32_t n);
void crew_down(struct crew *crew); /* destroy, wait, check that the loop is empty */

/* One remote command with what was reported. */
struct work {
	struct crew *crew;
	struct fleet_command *command;
	int n_ended;
	uint64_t n_lines, n_bytes;
	char last[256]; /* line, cut */
	void (*on_line)(struct work *work, const char *line, size_t len);
	struct outcome outcome;
	char stderr_tail[4097];
};

/* Runs the test's remote program (tests/fleet/remote_program.c) with these arguments. */
void work_start(
    struct work *work, struct crew *crew, uint32_t host, const char *const *argv);
void work_wait(struct work *work);
void work_wait_lines(struct work *work, uint64_t n);

/* Uploads the remote program as "e3". */
void crew_upload_program(struct crew *crew);

/* A failure of this kind, with a sentence that names the host. */
void check_outcome(const struct outcome *outcome, enum outcome_kind kind);

#endif
