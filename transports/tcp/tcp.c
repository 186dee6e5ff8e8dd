/* SPDX-License-Identifier: MIT */
/* Plain TCP between the hosts' own addresses: what every overlay is compared with. */
#include "transports/common/stream_channel.h"

#include <errno.h>
#include <stdlib.h>

struct e3_endpoint {
	struct stream_endpoint *stream;
};

struct tcp_options {
	struct stream_options stream;
};

static const struct option_list_rule rules[] = {
    STREAM_OPTION_RULES(struct tcp_options, stream),
    {.key = NULL},
};

static int tcp_endpoint_create(const struct e3_host *host, e3_party self,
    uint32_t n_parties, const char *const *options, struct e3_endpoint **out)
{
	struct tcp_options read = {.stream = STREAM_OPTIONS_DEFAULT};
	struct e3_endpoint *endpoint;
	int rc;

	if (self >= n_parties)
		return -EINVAL;
	rc = option_list_read(host, "tcp", rules, options, &read);
	if (rc < 0)
		return rc;
	endpoint = calloc(1, sizeof(*endpoint));
	if (endpoint == NULL)
		return -ENOMEM;
	rc = stream_endpoint_create(host, "tcp", self, n_parties, &read.stream,
	    host->addresses, &endpoint->stream);
	if (rc == 0)
		rc = stream_endpoint_listen(endpoint->stream, "");
	if (rc < 0) {
		stream_endpoint_destroy(endpoint->stream);
		free(endpoint);
		return rc;
	}
	*out = endpoint;
	return 0;
}

static int tcp_options_check(
    const char *const *options, char *reason, size_t reason_bytes)
{
	struct tcp_options read = {.stream = STREAM_OPTIONS_DEFAULT};

	return option_list_check("tcp", rules, options, &read, reason, reason_bytes);
}

static void tcp_endpoint_destroy(struct e3_endpoint *endpoint)
{
	if (endpoint == NULL)
		return;
	stream_endpoint_destroy(endpoint->stream);
	free(endpoint);
}

static void tcp_endpoint_signal(
    struct e3_endpoint *endpoint, e3_party from, struct e3_iov message)
{
	stream_endpoint_signal(endpoint->stream, from, message);
}

static int tcp_channel_open(struct e3_endpoint *endpoint,
    const struct e3_channel_config *config, struct e3_channel **out)
{
	return stream_channel_open(endpoint->stream, config, out);
}

static int tcp_supported(char *reason, size_t reason_bytes)
{
	(void)reason, (void)reason_bytes;
	return 0;
}

static int tcp_endpoint_facts(struct e3_endpoint *endpoint, char *out, size_t out_bytes)
{
	return stream_endpoint_facts(endpoint->stream, out, out_bytes);
}

static const struct e3_declared tcp_declared = {
    .struct_size = sizeof(struct e3_declared),
    .layer = "4 (TCP)",
    .needs = "an open TCP port at every party but the one that dials them all",
    .third_parties = "none; everyone on the path reads, changes and drops what is sent",
    .key_distribution = "none",
    .encryption = "none",
    .identity = "none; a random token handed over the control connection keeps strangers "
		"off a channel, not those on the path",
    .steps = "open the port in the firewall",
};

static const struct e3_transport tcp = {
    E3_TRANSPORT_HEADER,
    .name = "tcp",
    .summary = "plain TCP between the hosts' own addresses",
    .caps = E3_CAP_LANES,
    .message_max = STREAM_MESSAGE_MAX,
    .declared = &tcp_declared,
    .endpoint_create = tcp_endpoint_create,
    .endpoint_destroy = tcp_endpoint_destroy,
    .endpoint_signal = tcp_endpoint_signal,
    .channel_open = tcp_channel_open,
    .channel_send = stream_channel_send,
    .channel_pause = stream_channel_pause,
    .channel_close = stream_channel_close,
    .channel_stats = stream_channel_stats,
    .channel_poll = stream_channel_poll,
    .supported = tcp_supported,
    .endpoint_facts = tcp_endpoint_facts,
    .options_check = tcp_options_check,
};

E3_TRANSPORT_ENTRY(tcp);
