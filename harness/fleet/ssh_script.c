/* SPDX-License-Identifier: MIT */
/*
 * The script runs as `exec sh -c SCRIPT e3 NONCE ARGUMENTS` so that the user's own shell,
 * whichever it is, only has to start a program. Its outcome is OK or EXIT by the last
 * answer; LOST when the shell ended without one; TIMEOUT by its deadlines.
 */
#include "harness/fleet/ssh_script.h"

#include "base/bytes.h"
#include "base/random.h"
#include "harness/fleet/quote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONCE_BYTES   8
#define ARGUMENTS_MAX 200
#define COMMAND_BYTES 30000 /* libssh2 sends it in one packet */

struct ssh_script {
	struct ssh_session *session;
	struct ssh_channel *channel;
	struct ssh_script_config config;
	struct ssh_script_events events;
	char nonce[2 * NONCE_BYTES + 1];
	uint64_t started_ms;
	bool is_answered;
	int code; /* of the last answer */
	struct stderr_tail errors;
	size_t line_len;
	char line[SSH_SCRIPT_LINE_BYTES];
};

static void script_end(struct ssh_script *script, const struct outcome *outcome)
{
	struct ssh_script_events events = script->events;

	free(script);
	events.on_ended(events.user, outcome);
}

static void script_line(struct ssh_script *script)
{
	const char *answer = script->line + strlen(script->nonce) + 1;

	script->line[script->line_len] = '\0';
	if (script->is_answered || script->line_len < strlen(script->nonce) + 1 ||
	    memcmp(script->line, script->nonce, strlen(script->nonce)) != 0)
		return;
	if (sscanf(answer, "exit %d", &script->code) == 1)
		script->is_answered = true;
	else
		script->events.on_answer(script->events.user, answer);
}

/* A line too long for an answer is noise. */
static void on_output(void *user, const char *bytes, size_t len)
{
	struct ssh_script *script = user;

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n') {
			script_line(script);
			script->line_len = 0;
		} else if (script->line_len < sizeof(script->line) - 1) {
			script->line[script->line_len++] = bytes[i];
		}
	}
}

static void on_error_output(void *user, const char *bytes, size_t len)
{
	struct ssh_script *script = user;

	stderr_tail_add(&script->errors, bytes, len);
}

static void on_ended(void *user, const struct outcome *why)
{
	struct ssh_script *script = user;
	const char *name = script->session->config.name;
	struct outcome outcome;
	char said[256];

	stderr_tail_last_line(&script->errors, said, sizeof(said));
	if (why)
		outcome = *why;
	else if (!script->is_answered)
		outcome_set(&outcome, OUTCOME_LOST, 0,
		    "%s: cannot %s: the shell of user '%s' ended without an answer%s%s",
		    name, script->config.purpose, script->session->config.user,
		    said[0] ? ": " : "", said);
	else if (script->code != 0)
		outcome_set(&outcome, OUTCOME_EXIT, script->code, "%s: cannot %s%s%s",
		    name, script->config.purpose, said[0] ? ": " : "", said);
	else
		outcome_set(&outcome, OUTCOME_OK, 0, "%s", "");
	script_end(script, &outcome);
}

static uint64_t on_time(void *user, uint64_t now_ms)
{
	struct ssh_script *script = user;
	uint64_t heard_ms = script->session->received_ms, idle_due = SSH_NEVER_MS;
	struct outcome outcome;

	if (heard_ms < script->started_ms)
		heard_ms = script->started_ms;
	if (script->config.idle_ms > 0)
		idle_due = heard_ms + script->config.idle_ms;
	if (now_ms < idle_due && now_ms < script->config.due_ms)
		return idle_due < script->config.due_ms ? idle_due
							: script->config.due_ms;
	outcome_set(&outcome, OUTCOME_TIMEOUT, 0, "%s: cannot %s: no answer within %s",
	    script->session->config.name, script->config.purpose,
	    now_ms >= idle_due ? "the idle deadline" : "the deadline");
	ssh_channel_close(script->channel);
	script_end(script, &outcome);
	return SSH_NEVER_MS;
}

static char *script_command(
    const struct ssh_script *script, const struct ssh_script_config *config)
{
	const char *words[ARGUMENTS_MAX + 8] = {"exec", "sh", "-c"};
	size_t n = 3;
	char *body, *command;

	if (asprintf(&body, "n=$1; shift; %s", config->script) < 0)
		return NULL;
	words[n++] = body;
	words[n++] = "e3";
	words[n++] = script->nonce;
	for (size_t i = 0; config->arguments && config->arguments[i]; i++) {
		if (i == ARGUMENTS_MAX) {
			free(body);
			return NULL;
		}
		words[n++] = config->arguments[i];
	}
	words[n] = NULL;
	command = quote_words(words);
	free(body);
	return command;
}

static int script_open(struct ssh_script *script)
{
	static const struct ssh_channel_events channel_events = {
	    .on_output = on_output,
	    .on_error_output = on_error_output,
	    .on_ended = on_ended,
	    .on_time = on_time,
	};
	struct ssh_channel_events events = channel_events;
	const struct ssh_script_config *config = &script->config;
	char *command = script_command(script, config);
	int rc = 0;

	events.user = script;
	if (command && strlen(command) > COMMAND_BYTES) {
		free(command);
		return -E2BIG;
	}
	if (command)
		script->channel = ssh_channel_create(script->session, command, &events);
	free(command);
	if (!script->channel)
		return -ENOMEM;
	if (config->input_len > 0)
		rc = ssh_channel_write_shared(
		    script->channel, config->input, config->input_len);
	if (!config->keeps_input)
		ssh_channel_write_end(script->channel);
	if (rc < 0)
		ssh_channel_close(script->channel);
	return rc;
}

struct ssh_script *ssh_script_start(struct ssh_session *session,
    const struct ssh_script_config *config, const struct ssh_script_events *events,
    struct error *err)
{
	struct ssh_script *script = calloc(1, sizeof(*script));
	unsigned char nonce[NONCE_BYTES];
	int rc;

	if (!script) {
		error_set(err, -ENOMEM, "%s: out of memory", session->config.name);
		return NULL;
	}
	random_bytes(nonce, sizeof(nonce));
	bytes_to_hex(script->nonce, nonce, sizeof(nonce));
	script->session = session;
	script->config = *config;
	script->events = *events;
	script->started_ms = ssh_now_ms();
	rc = script_open(script);
	if (rc < 0) {
		error_set_errno(
		    err, rc, "%s: cannot %s", session->config.name, config->purpose);
		free(script);
		return NULL;
	}
	return script;
}

void ssh_script_stay(struct ssh_script *script)
{
	script->config.idle_ms = 0;
	script->config.due_ms = SSH_NEVER_MS;
}

void ssh_script_cancel(struct ssh_script *script)
{
	if (!script)
		return;
	ssh_channel_close(script->channel);
	free(script);
}
