/* SPDX-License-Identifier: MIT */
#include "harness/party/console.h"
#include "harness/party/party_message.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES 65536u

static void console_ended(struct console *console, int code, const char *sentence)
{
	struct error why = {0};

	if (console->has_ended)
		return;
	console->has_ended = 1;
	uv_read_stop((uv_stream_t *)&console->input);
	error_set(&why, code, "%s", sentence);
	console->events.ended(console->events.user, &why);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct console *console = handle->data;
	size_t room = console->line_bytes + READ_BYTES;

	(void)suggested;
	if (room > console->line_room) {
		char *grown = realloc(console->line, room * 2);

		if (grown == NULL) {
			*buf = uv_buf_init(NULL, 0);
			return;
		}
		console->line = grown;
		console->line_room = room * 2;
	}
	*buf = uv_buf_init(console->line + console->line_bytes, READ_BYTES);
}

static void line_came(struct console *console, const char *line, size_t len)
{
	cJSON *message = cJSON_ParseWithLength(line, len);

	if (!cJSON_IsObject(message))
		console_ended(
		    console, -EPROTO, "the controller sent a line that is no message");
	else
		console->events.message(console->events.user, message);
	cJSON_Delete(message);
}

static void on_bytes(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct console *console = stream->data;
	char *from = console->line, *newline;

	(void)buf;
	if (n == 0)
		return;
	if (n < 0) {
		console_ended(console, -ECANCELED, "the controller is gone");
		return;
	}
	console->line_bytes += (size_t)n;
	while (!console->has_ended &&
	       (newline = memchr(from, '\n',
		    (size_t)(console->line + console->line_bytes - from))) != NULL) {
		line_came(console, from, (size_t)(newline - from));
		from = newline + 1;
	}
	console->line_bytes -= (size_t)(from - console->line);
	memmove(console->line, from, console->line_bytes);
	if (console->line_bytes > PARTY_LINE_BYTES_MAX)
		console_ended(console, -EPROTO, "the controller sent a line without end");
}

int console_init(struct console *console, uv_loop_t *loop, int input_fd, int output_fd,
    const struct console_events *events, struct error *err)
{
	int rc;

	memset(console, 0, sizeof(*console));
	console->events = *events;
	console->output_fd = output_fd;
	pthread_mutex_init(&console->output_lock, NULL);
	uv_pipe_init(loop, &console->input, 0);
	console->input.data = console;
	console->is_initialised = 1;
	rc = uv_pipe_open(&console->input, input_fd);
	if (rc == 0)
		rc = uv_read_start((uv_stream_t *)&console->input, on_room, on_bytes);
	return rc < 0 ? error_set_errno(err, rc, "standard input must be a pipe") : 0;
}

static void write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		/* A reader that is gone shows as the end of our input. */
		if (n <= 0)
			return;
		bytes += n;
		len -= (size_t)n;
	}
}

void console_send(struct console *console, cJSON *message)
{
	char *text = message == NULL ? NULL : cJSON_PrintUnformatted(message);

	cJSON_Delete(message);
	if (text == NULL)
		return;
	pthread_mutex_lock(&console->output_lock);
	write_all(console->output_fd, text, strlen(text));
	write_all(console->output_fd, "\n", 1);
	pthread_mutex_unlock(&console->output_lock);
	cJSON_free(text);
}

void console_finish(struct console *console)
{
	if (!console->is_initialised)
		return;
	console->has_ended = 1;
	uv_close((uv_handle_t *)&console->input, NULL);
	pthread_mutex_destroy(&console->output_lock);
	free(console->line);
	console->line = NULL;
	console->is_initialised = 0;
}
