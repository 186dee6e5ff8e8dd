/* SPDX-License-Identifier: MIT */
#include "harness/party/party_host.h"
#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static e3_nanos host_now(void *ctx)
{
	(void)ctx;
	return clock_monotonic_ns();
}

static void host_log(void *ctx, uint32_t level, const char *fmt, ...)
{
	struct party_host *host = ctx;
	char text[ERROR_TEXT_BYTES];
	cJSON *message;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (level == E3_LOG_ERROR) {
		pthread_mutex_lock(&host->lock);
		memcpy(host->last_error, text, sizeof(text));
		pthread_mutex_unlock(&host->lock);
	}
	if (level > E3_LOG_INFO)
		return;
	message = party_message("log");
	cJSON_AddNumberToObject(message, "level", level);
	cJSON_AddStringToObject(message, "text", text);
	console_send(host->console, message);
}

static int host_signal(void *ctx, e3_party peer, struct e3_iov signal)
{
	struct party_host *host = ctx;
	cJSON *message;

	if (signal.len > PARTY_SIGNAL_BYTES_MAX)
		return -E2BIG;
	message = party_message("signal");
	cJSON_AddNumberToObject(message, "to", peer);
	cJSON_AddNumberToObject(message, "endpoint", host->endpoint);
	party_message_set_bytes(message, "data", signal.base, signal.len);
	console_send(host->console, message);
	return 0;
}

void party_host_init(struct party_host *host, struct console *console, uv_loop_t *loop,
    uint32_t endpoint, const struct party_plan *plan, const char *state_folder)
{
	memset(host, 0, sizeof(*host));
	host->console = console;
	host->endpoint = endpoint;
	pthread_mutex_init(&host->lock, NULL);
	host->table = (struct e3_host){
	    .struct_size = sizeof(host->table),
	    .endpoint = endpoint,
	    .ctx = host,
	    .loop = loop,
	    .now = host_now,
	    .log = host_log,
	    .state_folder = state_folder,
	    .addresses = (const char *const *)plan->addresses,
	    .signal = host_signal,
	};
}

void party_host_finish(struct party_host *host)
{
	if (host->console != NULL)
		pthread_mutex_destroy(&host->lock);
	host->console = NULL;
}

int party_host_error(
    struct party_host *host, int code, const char *what, struct error *err)
{
	char text[ERROR_TEXT_BYTES];

	pthread_mutex_lock(&host->lock);
	memcpy(text, host->last_error, sizeof(text));
	pthread_mutex_unlock(&host->lock);
	if (text[0] != '\0')
		return error_set(err, code, "%s: %s", what, text);
	return error_set_errno(err, code, "%s", what);
}
