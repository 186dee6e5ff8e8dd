/* SPDX-License-Identifier: MIT */
/*
 * A remote command is `e3 lease` on an SSH channel:
 *   1. HELLO with our nonce; lines; EXIT or SIGNAL; then the channel ends, which brings
 *      the rest of standard error, and ended() is called.
 *   2. Cancelled, or over its total deadline: CANCEL is sent and the last frame awaited
 *      for a while, then the channel is closed, which ends the remote side as well.
 *   3. Silent for the idle deadline: TIMEOUT at once; nobody is there to be asked.
 *   4. The channel ends, or the session, before the last frame: LOST.
 */
#include "harness/fleet/fleet_host.h"

#include "base/bytes.h"
#include "base/random.h"
#include "harness/fleet/lease.h"
#include "harness/fleet/lease_frame.h"
#include "harness/fleet/quote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND_BYTES     30000 /* libssh2 sends it in one packet */
#define PROGRAM_BYTES     4096
#define BEATS_PER_TIMEOUT 5
#define CANCEL_WAIT_MS    (LEASE_TERM_GRACE_MS + 2000u)
#define TIMEOUT_WAIT_MS   700u
#define LAST_WAIT_MS      1000u /* between the last frame and the channel's end */

struct fleet_command {
	struct list link;
	struct fleet_host *host;
	struct ssh_channel *channel;
	struct fleet_command_events events;
	struct lease_reports reports;
	char *program; /* for sentences */
	bool is_running, is_stopping, is_input_ended;
	struct outcome verdict; /* why it is being stopped */
	enum lease_report last; /* valid when reports.is_over */
	int last_number;
	uint64_t started_ms, heard_ms, beat_due_ms, last_ms;
	uint64_t stop_due_ms; /* valid when is_stopping */
	struct stderr_tail errors;
};

/* The one end of a command. The channel is closed or gone. */
static void command_end(struct fleet_command *command, const struct outcome *outcome)
{
	struct fleet_command_events events = command->events;

	list_remove(&command->link);
	command->events = (struct fleet_command_events){0};
	if (events.ended)
		events.ended(events.user, outcome, command->errors.text);
	lease_reports_finish(&command->reports);
	free(command->program);
	free(command);
}

static void command_close(struct fleet_command *command, const struct outcome *outcome)
{
	ssh_channel_close(command->channel);
	command_end(command, outcome);
}

static void command_last_outcome(
    const struct fleet_command *command, struct outcome *outcome)
{
	const char *name = command->host->name;
	char said[512];

	stderr_tail_last_line(&command->errors, said, sizeof(said));
	if (command->is_stopping)
		*outcome = command->verdict;
	else if (command->last == LEASE_REPORT_SIGNAL)
		outcome_set(outcome, OUTCOME_SIGNAL, command->last_number,
		    "%s: '%s' was ended by signal %d (%s)%s%s", name, command->program,
		    command->last_number, strsignal(command->last_number),
		    said[0] ? ": " : "", said);
	else if (command->last_number != 0)
		outcome_set(outcome, OUTCOME_EXIT, command->last_number,
		    "%s: '%s' ended with code %d%s%s", name, command->program,
		    command->last_number, said[0] ? ": " : "", said);
	else
		outcome_set(outcome, OUTCOME_OK, 0, "%s", "");
}

/* The channel has ended. */
static void on_ended(void *user, const struct outcome *why)
{
	struct fleet_command *command = user;
	struct outcome outcome;
	char said[512];

	stderr_tail_last_line(&command->errors, said, sizeof(said));
	if (command->reports.is_over || command->is_stopping)
		command_last_outcome(command, &outcome);
	else if (why)
		outcome = *why;
	else if (!command->reports.is_greeted)
		outcome_set(&outcome, OUTCOME_LOST, 0,
		    "%s: 'e3 lease' for '%s' did not start%s%s; is e3 uploaded?",
		    command->host->name, command->program, said[0] ? ": " : "", said);
	else
		outcome_set(&outcome, OUTCOME_LOST, 0,
		    "%s: 'e3 lease' for '%s' ended without its last line%s%s",
		    command->host->name, command->program, said[0] ? ": " : "", said);
	command_end(command, &outcome);
}

static void on_report(
    void *user, enum lease_report report, const char *line, size_t len, int number)
{
	struct fleet_command *command = user;

	switch (report) {
	case LEASE_REPORT_HELLO:
		break;
	case LEASE_REPORT_LINE:
		if (command->events.line)
			command->events.line(command->events.user, line, len);
		break;
	case LEASE_REPORT_EXIT:
	case LEASE_REPORT_SIGNAL:
		command->last = report;
		command->last_number = number;
		command->last_ms = ssh_now_ms();
		ssh_session_kick(command->host->session);
		break;
	}
}

static void on_output(void *user, const char *bytes, size_t len)
{
	struct fleet_command *command = user;
	struct outcome lost;
	int rc;

	command->heard_ms = ssh_now_ms();
	rc = lease_reports_feed(&command->reports, bytes, len, on_report, command);
	if (rc == 0)
		return;
	if (rc == -EMSGSIZE)
		outcome_set(&lost, OUTCOME_LOST, 0,
		    "%s: '%s' wrote a line of more than %u MiB", command->host->name,
		    command->program, FLEET_LINE_BYTES_MAX >> 20);
	else if (rc == -ENOMEM)
		outcome_set(&lost, OUTCOME_LOST, 0,
		    "%s: out of memory for a line of '%s'", command->host->name,
		    command->program);
	else
		outcome_set(&lost, OUTCOME_LOST, 0,
		    "%s: what came from 'e3 lease' for '%s' is not its framing; does a "
		    "login script of user '%s' print much?",
		    command->host->name, command->program, command->host->user);
	command_close(command, &lost);
}

static void on_error_output(void *user, const char *bytes, size_t len)
{
	struct fleet_command *command = user;

	command->heard_ms = ssh_now_ms();
	stderr_tail_add(&command->errors, bytes, len);
}

static void on_started(void *user)
{
	struct fleet_command *command = user;

	command->is_running = true;
	ssh_session_kick(command->host->session);
}

static void command_stop(
    struct fleet_command *command, const struct outcome *verdict, uint32_t wait_ms)
{
	if (command->is_stopping || command->reports.is_over)
		return;
	command->is_stopping = true;
	command->verdict = *verdict;
	command->stop_due_ms = ssh_now_ms() + (command->is_running ? wait_ms : 0);
	ssh_channel_write_copy(command->channel, "CANCEL\n", 7);
	ssh_session_kick(command->host->session);
}

static uint64_t command_beat(struct fleet_command *command, uint64_t now_ms)
{
	uint32_t every_ms = command->host->fleet->deadlines.lease_ms / BEATS_PER_TIMEOUT;

	if (!command->is_running)
		return SSH_NEVER_MS;
	if (now_ms >= command->beat_due_ms) {
		ssh_channel_write_copy(command->channel, "BEAT\n", 5);
		if (every_ms > LEASE_BEAT_MS)
			every_ms = LEASE_BEAT_MS;
		command->beat_due_ms = now_ms + (every_ms > 0 ? every_ms : 1);
	}
	return command->beat_due_ms;
}

static uint64_t min_ms(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t on_time(void *user, uint64_t now_ms)
{
	struct fleet_command *command = user;
	const struct fleet_deadlines *deadlines = &command->host->fleet->deadlines;
	uint64_t idle_due = command->heard_ms + deadlines->idle_ms;
	uint64_t total_due = deadlines->total_ms > 0
				 ? command->started_ms + deadlines->total_ms
				 : SSH_NEVER_MS;
	struct outcome outcome;

	if (command->reports.is_over) {
		if (now_ms < command->last_ms + LAST_WAIT_MS)
			return command->last_ms + LAST_WAIT_MS;
		command_last_outcome(command, &outcome);
		command_close(command, &outcome);
		return SSH_NEVER_MS;
	}
	if (command->is_stopping && now_ms >= command->stop_due_ms) {
		outcome = command->verdict;
		command_close(command, &outcome);
		return SSH_NEVER_MS;
	}
	if (now_ms >= idle_due) {
		outcome_set(&outcome, OUTCOME_TIMEOUT, 0,
		    "%s: not a byte from '%s' for %u ms", command->host->name,
		    command->program, deadlines->idle_ms);
		if (command->is_stopping)
			outcome = command->verdict;
		command_close(command, &outcome);
		return SSH_NEVER_MS;
	}
	if (now_ms >= total_due && !command->is_stopping) {
		outcome_set(&outcome, OUTCOME_TIMEOUT, 0,
		    "%s: '%s' did not end within its total deadline of %u ms",
		    command->host->name, command->program, deadlines->total_ms);
		command_stop(command, &outcome, TIMEOUT_WAIT_MS);
	}
	if (command->is_stopping)
		return min_ms(command->stop_due_ms,
		    min_ms(idle_due, command_beat(command, now_ms)));
	return min_ms(min_ms(idle_due, total_due), command_beat(command, now_ms));
}

/* "exec FOLDER/e3 lease --nonce N --beat-timeout-ms M -- ARGV" */
static char *command_line(
    const struct fleet_command *command, const char *const *argv, struct error *err)
{
	const struct fleet_host *host = command->host;
	char lease[FLEET_FOLDER_BYTES + 8],
	    program[FLEET_FOLDER_BYTES + PROGRAM_BYTES + 2], timeout[16];
	const char **words;
	char *line;
	size_t n = 0;

	while (argv[n])
		n++;
	words = calloc(n + 10, sizeof(*words));
	if (!words) {
		error_set(err, -ENOMEM, "%s: out of memory", host->name);
		return NULL;
	}
	snprintf(lease, sizeof(lease), "%s/e3", host->folder);
	snprintf(program, sizeof(program), "%s/%s", host->folder, argv[0]);
	snprintf(timeout, sizeof(timeout), "%u", host->fleet->deadlines.lease_ms);
	memcpy(words,
	    (const char *[]){"exec", lease, "lease", "--nonce", command->reports.nonce,
		"--beat-timeout-ms", timeout, "--"},
	    8 * sizeof(*words));
	memcpy(words + 8, argv, n * sizeof(*words));
	if (!strchr(argv[0], '/'))
		words[8] = program;
	line = quote_words(words);
	free(words);
	if (line && strlen(line) <= COMMAND_BYTES)
		return line;
	error_set(err, line ? -E2BIG : -ENOMEM,
	    "%s: the arguments of '%s' are longer than %d bytes; send them to its "
	    "standard input",
	    host->name, argv[0], COMMAND_BYTES);
	free(line);
	return NULL;
}

static int command_init(
    struct fleet_command *command, const char *const *argv, struct error *err)
{
	struct ssh_channel_events events = {
	    .on_started = on_started,
	    .on_output = on_output,
	    .on_error_output = on_error_output,
	    .on_ended = on_ended,
	    .on_time = on_time,
	    .user = command,
	};
	unsigned char nonce[LEASE_NONCE_CHARS / 2];
	char hex[LEASE_NONCE_CHARS + 1];
	char *line;

	random_bytes(nonce, sizeof(nonce));
	bytes_to_hex(hex, nonce, sizeof(nonce));
	command->program = strdup(argv[0]);
	if (!command->program ||
	    lease_reports_init(&command->reports, hex, FLEET_LINE_BYTES_MAX) < 0)
		return error_set(err, -ENOMEM, "%s: out of memory", command->host->name);
	line = command_line(command, argv, err);
	if (!line)
		return err ? err->code : -E2BIG;
	command->channel = ssh_channel_create(command->host->session, line, &events);
	free(line);
	if (!command->channel)
		return error_set(err, -ENOMEM, "%s: out of memory", command->host->name);
	return 0;
}

int fleet_command_start(struct fleet *fleet, uint32_t host_index, const char *const *argv,
    const struct fleet_command_events *events, struct fleet_command **out,
    struct error *err)
{
	struct fleet_command *command;
	struct fleet_host *host;
	int rc;

	if (host_index >= fleet->n_hosts)
		return error_set(err, -EINVAL,
		    "the fleet has %u hosts, there is no host %u", fleet->n_hosts,
		    host_index);
	host = &fleet->hosts[host_index];
	if (!argv[0] || strlen(argv[0]) > PROGRAM_BYTES)
		return error_set(err, -EINVAL, "%s: the program's name is %s", host->name,
		    argv[0] ? "too long" : "missing");
	if (fleet->is_destroyed)
		return error_set(err, -ECANCELED, "%s: the fleet ends", host->name);
	if (!host->is_connected)
		return error_set(err, -ENOTCONN, "cannot run '%s': %s", argv[0],
		    host->connection.error.text);
	command = calloc(1, sizeof(*command));
	if (!command)
		return error_set(err, -ENOMEM, "%s: out of memory", host->name);
	command->host = host;
	command->events = *events;
	command->started_ms = command->heard_ms = ssh_now_ms();
	rc = command_init(command, argv, err);
	if (rc < 0) {
		lease_reports_finish(&command->reports);
		free(command->program);
		free(command);
		return rc;
	}
	list_push(&host->commands, &command->link);
	*out = command;
	return 0;
}

int fleet_command_write(struct fleet_command *command, const void *bytes, size_t len)
{
	const char *at = bytes;
	char header[LEASE_HEADER_BYTES];

	if (command->reports.is_over || command->is_stopping || command->is_input_ended)
		return -EPIPE;
	while (len > 0) {
		size_t n = len < LEASE_DATA_BYTES_MAX ? len : LEASE_DATA_BYTES_MAX;

		snprintf(header, sizeof(header), "DATA %zu\n", n);
		if (ssh_channel_write_copy(command->channel, header, strlen(header)) <
			0 ||
		    ssh_channel_write_copy(command->channel, at, n) < 0)
			return -ENOMEM;
		at += n;
		len -= n;
	}
	ssh_session_kick(command->host->session);
	return 0;
}

int fleet_command_end_input(struct fleet_command *command)
{
	if (command->reports.is_over || command->is_stopping || command->is_input_ended)
		return -EPIPE;
	command->is_input_ended = true;
	return ssh_channel_write_copy(command->channel, "END\n", 4);
}

void fleet_command_cancel(struct fleet_command *command)
{
	struct outcome cancelled;

	outcome_set(&cancelled, OUTCOME_CANCELLED, 0, "%s: '%s' was cancelled",
	    command->host->name, command->program);
	command_stop(command, &cancelled, CANCEL_WAIT_MS);
}

void host_commands_cancel(struct fleet_host *host)
{
	list_for_each(&host->commands, link, after)
	    fleet_command_cancel(container_of(link, struct fleet_command, link));
}
