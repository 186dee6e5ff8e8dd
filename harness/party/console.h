/* SPDX-License-Identifier: MIT */
/* A party's standard input and output: messages from and to the controller, a line each.
 */
#ifndef HARNESS_PARTY_CONSOLE_H
#define HARNESS_PARTY_CONSOLE_H

#include "base/error.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <uv.h>

struct console_events {
	/* One message; deleted after the call. */
	void (*message)(void *user, const cJSON *message);
	/* No more will come: the controller is gone or what it said is no message. Once. */
	void (*ended)(void *user, const struct error *why);
	void *user;
};

struct console {
	uv_pipe_t input;
	int output_fd;
	pthread_mutex_t output_lock;
	char *line; /* what has come of the next line */
	size_t line_bytes, line_room;
	int has_ended, is_initialised;
	struct console_events events;
};

/* Reads from input_fd (a pipe) on `loop`, writes to output_fd. */
int console_init(struct console *console, uv_loop_t *loop, int input_fd, int output_fd,
    const struct console_events *events, struct error *err);
/* Send and delete a message; NULL is dropped. May be called by any thread. Blocks while
 * the pipe is full. */
void console_send(struct console *console, cJSON *message);
/* Run the loop once afterwards to let the handle close. Zeroed is fine. */
void console_finish(struct console *console);

#endif
