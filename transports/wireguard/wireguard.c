/* SPDX-License-Identifier: MIT */
/*
 * WireGuard between the hosts (wireguard.com/papers/wireguard.pdf), and TCP channels over
 * it.
 *
 *   prepare   find the programs, make or load the key, choose the UDP port; the card says
 *             the public key and the port
 *   up        make the interface, give it the key and the peers of the cards, address
 *             10.78.N.(party + 1)/24, listen there for channels
 *   down      close the listener, remove the interface and the process behind it
 *   finalise  down, and the key
 *
 * Both of the last work from the state folder alone. No handshake is made by `up`: the
 * first packet to a peer makes it, within the opening of the first channel.
 */
#include "transports/common/helper_program.h"
#include "transports/common/state_file.h"
#include "transports/common/stream_channel.h"
#include "transports/wireguard/wireguard_config.h"
#include "transports/wireguard/wireguard_device.h"
#include "transports/wireguard/wireguard_key.h"
#include "transports/wireguard/wireguard_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PARTIES_MAX            250u
#define ADDRESS_BYTES          16
#define REASON_BYTES           512
#define DEFAULT_PORT           51820u
#define DEFAULT_MTU            1420u
#define LOOK_MS                5000u
/* What wireguard-go asks for since 0.0.20230223. */
#define DEFAULT_UDP_BUFFER_KIB 7168u
#define UDP_BUFFER_KIB_MAX     65536u
#define WIDEN_MS               1000u

struct wireguard_options {
	struct stream_options stream;
	uint32_t udp_port, udp_buffer_kib, mtu, network, keepalive_s;
	uint32_t implementation; /* enum wireguard_kind */
	char program[PATH_MAX];
};

/* Looks at the process behind the interface. Outlives the endpoint by a loop turn. */
struct wireguard_watch {
	struct e3_endpoint *endpoint;
	uv_poll_t poll;
	int fd;
};

struct e3_endpoint {
	const struct e3_host *host;
	e3_party self;
	uint32_t n_parties;
	struct wireguard_options options;
	struct wireguard_programs programs;
	struct wireguard_device device;
	struct stream_endpoint *stream;
	struct wireguard_card card; /* own, after prepare */
	int is_up;
	int64_t udp_buffer_bytes;      /* as the kernel counts; 0 = not known */
	struct wireguard_watch *watch; /* while up, if there is a process */
	struct wireguard_mesh mesh;
	char (*address_texts)[ADDRESS_BYTES];
	const char **addresses; /* in the overlay */
};

static const char *const implementations[] = {"any", "kernel", "wireguard-go", NULL};

static const struct option_list_rule rules[] = {
    {.key = "udp_port",
	.offset = offsetof(struct wireguard_options, udp_port),
	.max = 65535},
    {.key = "udp_buffer_kib",
	.offset = offsetof(struct wireguard_options, udp_buffer_kib),
	.max = UDP_BUFFER_KIB_MAX},
    {.key = "mtu",
	.offset = offsetof(struct wireguard_options, mtu),
	.min = 576,
	.max = 65000},
    {.key = "network", .offset = offsetof(struct wireguard_options, network), .max = 255},
    {.key = "keepalive_s",
	.offset = offsetof(struct wireguard_options, keepalive_s),
	.max = 65535},
    {.key = "implementation",
	.offset = offsetof(struct wireguard_options, implementation),
	.choices = implementations},
    {.key = "program",
	.offset = offsetof(struct wireguard_options, program),
	.text_bytes = PATH_MAX},
    STREAM_OPTION_RULES(struct wireguard_options, stream),
    {.key = NULL},
};

__attribute__((format(printf, 3, 4))) static int failed(
    const struct e3_endpoint *endpoint, int rc, const char *fmt, ...)
{
	char text[REASON_BYTES + 64];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	endpoint->host->log(
	    endpoint->host->ctx, E3_LOG_ERROR, "transport wireguard: %s", text);
	return rc;
}

static void on_watch_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void watch_stop(struct e3_endpoint *endpoint)
{
	struct wireguard_watch *watch = endpoint->watch;

	if (watch == NULL)
		return;
	endpoint->watch = NULL;
	uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
	close(watch->fd);
}

static void on_process_ended(uv_poll_t *poll, int status, int events)
{
	struct wireguard_watch *watch = poll->data;
	struct e3_endpoint *endpoint = watch->endpoint;

	(void)status, (void)events;
	failed(endpoint, -ENETDOWN, "%s has ended: the interface is gone",
	    endpoint->programs.go);
	watch_stop(endpoint);
	stream_channel_all_broken(endpoint->stream, -ENETDOWN);
}

static int watch_start(struct e3_endpoint *endpoint)
{
	int fd = wireguard_device_watch(&endpoint->device), rc = -ENOMEM;
	struct wireguard_watch *watch;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	watch = calloc(1, sizeof(*watch));
	if (watch != NULL)
		rc = uv_poll_init(endpoint->host->loop, &watch->poll, fd);
	if (rc < 0) {
		free(watch);
		close(fd);
		return rc;
	}
	watch->endpoint = endpoint;
	watch->fd = fd;
	watch->poll.data = watch;
	uv_poll_start(&watch->poll, UV_READABLE, on_process_ended);
	uv_unref((uv_handle_t *)&watch->poll);
	endpoint->watch = watch;
	return 0;
}

static void wireguard_endpoint_destroy(struct e3_endpoint *endpoint)
{
	if (endpoint == NULL)
		return;
	watch_stop(endpoint);
	stream_endpoint_destroy(endpoint->stream);
	free(endpoint->address_texts);
	free(endpoint->addresses);
	free(endpoint);
}

static int make_addresses(struct e3_endpoint *endpoint)
{
	endpoint->address_texts = calloc(endpoint->n_parties, ADDRESS_BYTES);
	endpoint->addresses = calloc(endpoint->n_parties, sizeof(endpoint->addresses[0]));
	if (endpoint->address_texts == NULL || endpoint->addresses == NULL)
		return -ENOMEM;
	for (e3_party p = 0; p < endpoint->n_parties; p++) {
		snprintf(endpoint->address_texts[p], ADDRESS_BYTES, "10.78.%u.%u",
		    endpoint->options.network, (p + 1) & 0xff);
		endpoint->addresses[p] = endpoint->address_texts[p];
	}
	return 0;
}

static int wireguard_endpoint_create(const struct e3_host *host, e3_party self,
    uint32_t n_parties, const char *const *options, struct e3_endpoint **out)
{
	struct e3_endpoint *endpoint;
	char path[PATH_MAX];
	int rc;

	if (self >= n_parties || n_parties > PARTIES_MAX || host->state_folder == NULL)
		return -EINVAL;
	rc = state_file_path(path, sizeof(path) - 64, host->state_folder, "interface");
	if (rc < 0)
		return rc;
	endpoint = calloc(1, sizeof(*endpoint));
	if (endpoint == NULL)
		return -ENOMEM;
	endpoint->host = host;
	endpoint->device.host = host;
	endpoint->self = self;
	endpoint->n_parties = n_parties;
	endpoint->options = (struct wireguard_options){.stream = STREAM_OPTIONS_DEFAULT,
	    .udp_port = DEFAULT_PORT,
	    .udp_buffer_kib = DEFAULT_UDP_BUFFER_KIB,
	    .mtu = DEFAULT_MTU};
	rc = option_list_read(host, "wireguard", rules, options, &endpoint->options);
	if (rc == 0)
		rc = make_addresses(endpoint);
	endpoint->mesh = (struct wireguard_mesh){.host = host,
	    .self = self,
	    .n_parties = n_parties,
	    .addresses = endpoint->addresses,
	    .keepalive_s = endpoint->options.keepalive_s};
	if (rc == 0)
		rc = stream_endpoint_create(host, "wireguard", self, n_parties,
		    &endpoint->options.stream, endpoint->addresses, &endpoint->stream);
	if (rc < 0) {
		wireguard_endpoint_destroy(endpoint);
		return rc;
	}
	*out = endpoint;
	return 0;
}

static int wireguard_options_check(
    const char *const *options, char *reason, size_t reason_bytes)
{
	struct wireguard_options read = {.stream = STREAM_OPTIONS_DEFAULT};

	return option_list_check(
	    "wireguard", rules, options, &read, reason, reason_bytes);
}

static int find_programs(struct e3_endpoint *endpoint, uint64_t deadline_ms)
{
	char reason[REASON_BYTES] = "";
	int rc;

	if (endpoint->programs.wg[0] != '\0')
		return 0;
	rc = wireguard_programs_find(&endpoint->programs,
	    (enum wireguard_kind)endpoint->options.implementation,
	    endpoint->options.program, deadline_ms, reason, sizeof(reason));
	if (rc < 0) {
		endpoint->programs.wg[0] = '\0';
		return failed(endpoint, rc, "%s", reason);
	}
	return 0;
}

/* The UDP port, which must be free now; 0 = any that is. */
static int choose_port(struct e3_endpoint *endpoint)
{
	struct sockaddr_in6 at = {.sin6_family = AF_INET6,
	    .sin6_port = htons((uint16_t)endpoint->options.udp_port)};
	socklen_t at_bytes = sizeof(at);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc = fd < 0 ? -errno : 0;

	if (rc == 0 && bind(fd, (struct sockaddr *)&at, at_bytes) < 0)
		rc = -errno;
	if (rc == 0 && getsockname(fd, (struct sockaddr *)&at, &at_bytes) < 0)
		rc = -errno;
	if (fd >= 0)
		close(fd);
	if (rc == -EAFNOSUPPORT && endpoint->options.udp_port != 0) {
		endpoint->card.port = (uint16_t)endpoint->options.udp_port;
		return 0;
	}
	if (rc < 0)
		return failed(endpoint, rc,
		    "UDP port %u cannot be used: %s (`ss -lnup` shows who has it; option "
		    "udp_port chooses another, 0 any)",
		    endpoint->options.udp_port, strerror(-rc));
	endpoint->card.port = ntohs(at.sin6_port);
	return 0;
}

static int wireguard_prepare(
    struct e3_endpoint *endpoint, uint32_t deadline_ms, void *card, size_t *card_bytes)
{
	uint64_t deadline = helper_now_ms() + deadline_ms;
	int rc = find_programs(endpoint, deadline);

	/* While it is up, the port is in use by ourselves. */
	if (rc == 0 && endpoint->device.is_made_by == WIREGUARD_ANY)
		rc = choose_port(endpoint);
	if (rc == 0)
		rc = wireguard_key_make(
		    endpoint->host, &endpoint->programs, endpoint->card.key, deadline);
	if (rc < 0)
		return rc;
	rc = wireguard_card_write(&endpoint->card, card, *card_bytes);
	if (rc < 0)
		return failed(endpoint, rc, "no room for the card");
	*card_bytes = (size_t)rc;
	return 0;
}

static int configure(
    struct e3_endpoint *endpoint, const struct wireguard_card *cards, uint64_t deadline)
{
	char *config = wireguard_config_write(&endpoint->mesh, cards);
	int rc;

	if (config == NULL)
		return -ENOMEM;
	rc = wireguard_device_set(
	    &endpoint->device, &endpoint->programs, config, deadline);
	wireguard_config_free(config);
	return rc;
}

/* Two interfaces of one network would take each other's packets. */
static int check_network_is_free(const struct e3_endpoint *endpoint)
{
	uint32_t network = 10u << 24 | 78u << 16 | endpoint->options.network << 8;
	struct ifaddrs *all, *at;
	int rc = 0;

	if (getifaddrs(&all) < 0)
		return -errno;
	for (at = all; at != NULL && rc == 0; at = at->ifa_next) {
		const struct sockaddr_in *in = (const void *)at->ifa_addr;

		if (in != NULL && in->sin_family == AF_INET &&
		    (ntohl(in->sin_addr.s_addr) & 0xffffff00u) == network)
			rc = failed(endpoint, -EADDRINUSE,
			    "network 10.78.%u.0/24 is in use on interface %s: remove it "
			    "(ip "
			    "link del %s) or choose another by option network",
			    endpoint->options.network, at->ifa_name, at->ifa_name);
	}
	freeifaddrs(all);
	return rc;
}

/* A narrow buffer costs packets, not the run. */
static void widen(struct e3_endpoint *endpoint, uint64_t deadline)
{
	uint64_t end_ms = helper_now_ms() + WIDEN_MS;
	int64_t bytes;

	endpoint->udp_buffer_bytes = 0;
	if (endpoint->options.udp_buffer_kib == 0)
		return;
	bytes = wireguard_device_widen(&endpoint->device, endpoint->card.port,
	    endpoint->options.udp_buffer_kib << 10,
	    end_ms < deadline ? end_ms : deadline);
	if (bytes >= 0)
		endpoint->udp_buffer_bytes = bytes;
	else
		endpoint->host->log(endpoint->host->ctx, E3_LOG_WARN,
		    "transport wireguard: the UDP buffers of %s stay as they are: %s; "
		    "bursts may overflow them",
		    endpoint->programs.go, strerror((int)-bytes));
}

static int bring_up(
    struct e3_endpoint *endpoint, const struct wireguard_card *cards, uint64_t deadline)
{
	char address[ADDRESS_BYTES + 4];
	int rc = check_network_is_free(endpoint);

	if (rc < 0)
		return rc;
	rc = wireguard_device_make(&endpoint->device, &endpoint->programs,
	    (enum wireguard_kind)endpoint->options.implementation, deadline);
	if (rc == 0)
		rc = configure(endpoint, cards, deadline);
	snprintf(address, sizeof(address), "%s/24", endpoint->addresses[endpoint->self]);
	if (rc == 0)
		rc = wireguard_device_address(&endpoint->device, &endpoint->programs,
		    address, endpoint->options.mtu, deadline);
	if (rc == 0)
		rc = stream_endpoint_listen(endpoint->stream, endpoint->device.name);
	if (rc == 0)
		widen(endpoint, deadline);
	return rc < 0 ? rc : watch_start(endpoint);
}

static int take_down(struct e3_endpoint *endpoint, uint64_t deadline)
{
	watch_stop(endpoint);
	stream_endpoint_unlisten(endpoint->stream);
	endpoint->is_up = 0;
	return wireguard_device_remove(&endpoint->device, deadline);
}

static int wireguard_up(
    struct e3_endpoint *endpoint, uint32_t deadline_ms, const struct e3_iov *cards)
{
	uint64_t deadline = helper_now_ms() + deadline_ms;
	struct wireguard_card *read;
	int rc;

	if (endpoint->is_up)
		return 0;
	if (endpoint->card.key[0] == '\0')
		return failed(endpoint, -EINVAL, "up before prepare");
	read = calloc(endpoint->n_parties, sizeof(*read));
	if (read == NULL)
		return -ENOMEM;
	rc =
	    wireguard_config_read_cards(&endpoint->mesh, endpoint->card.key, cards, read);
	if (rc == 0)
		/* What a crash may have left. */
		rc = wireguard_device_remove(&endpoint->device, deadline);
	if (rc == 0) {
		rc = bring_up(endpoint, read, deadline);
		endpoint->is_up = rc == 0;
		if (rc < 0)
			take_down(endpoint, helper_now_ms() + LOOK_MS);
	}
	free(read);
	return rc;
}

static int wireguard_down(struct e3_endpoint *endpoint, uint32_t deadline_ms)
{
	return take_down(endpoint, helper_now_ms() + deadline_ms);
}

static int wireguard_finalise(struct e3_endpoint *endpoint, uint32_t deadline_ms)
{
	int rc = take_down(endpoint, helper_now_ms() + deadline_ms);
	int key_rc = wireguard_key_remove(endpoint->host);

	explicit_bzero(&endpoint->card, sizeof(endpoint->card));
	return rc < 0 ? rc : key_rc;
}

static void wireguard_endpoint_signal(
    struct e3_endpoint *endpoint, e3_party from, struct e3_iov message)
{
	stream_endpoint_signal(endpoint->stream, from, message);
}

/* Over the interface that the party's endpoint 0 has brought up. */
static int join(struct e3_endpoint *endpoint)
{
	if (endpoint->host->endpoint == 0 || wireguard_device_find(&endpoint->device) < 0)
		return -ENETDOWN;
	return stream_endpoint_listen(endpoint->stream, endpoint->device.name);
}

static int wireguard_channel_open(struct e3_endpoint *endpoint,
    const struct e3_channel_config *config, struct e3_channel **out)
{
	if (!endpoint->is_up && join(endpoint) < 0)
		return -ENETDOWN;
	return stream_channel_open(endpoint->stream, config, out);
}

static int wireguard_supported(char *reason, size_t reason_bytes)
{
	struct wireguard_programs programs;

	return wireguard_programs_find(
	    &programs, WIREGUARD_ANY, "", 0, reason, reason_bytes);
}

static int wireguard_endpoint_facts(
    struct e3_endpoint *endpoint, char *out, size_t out_bytes)
{
	int is_go = endpoint->device.is_made_by == WIREGUARD_GO;
	int n = snprintf(out, out_bytes,
	    "implementation=%s\nversion=%s\nmtu=%u\nudp_port=%u\nkeepalive_s=%u\n"
	    "cipher=ChaCha20-Poly1305\naddress=%s\nudp_buffer_bytes=%lld\n"
	    "udp_dropped_packets=%lld\n",
	    implementations[endpoint->device.is_made_by],
	    is_go ? endpoint->programs.go_version : "of the kernel",
	    endpoint->options.mtu, endpoint->card.port, endpoint->options.keepalive_s,
	    endpoint->addresses[endpoint->self], (long long)endpoint->udp_buffer_bytes,
	    (long long)wireguard_socket_dropped(endpoint->card.port));

	if (n < 0 || (size_t)n >= out_bytes)
		return -ENOSPC;
	return stream_endpoint_facts(endpoint->stream, out + n, out_bytes - (size_t)n);
}

static const struct e3_declared wireguard_declared = {
    .struct_size = sizeof(struct e3_declared),
    .layer = "3 (IP over UDP, ChaCha20-Poly1305), channels over TCP",
    .needs = "root, a UDP port that the peers reach, and WireGuard in the kernel or "
	     "wireguard-go with /dev/net/tun",
    .third_parties = "none; who controls the run hands the public keys round and could "
		     "name a wrong one",
    .key_distribution = "each host makes its key; public keys go round over the control "
			"connections",
    .encryption = "Noise IKpsk2 handshake, ChaCha20-Poly1305, new keys every 2 minutes",
    .identity = "a Curve25519 public key, as strong as the way it was handed round",
    .steps = "open the UDP port in the firewall",
};

static const struct e3_transport wireguard = {
    E3_TRANSPORT_HEADER,
    .name = "wireguard",
    .summary = "WireGuard between the hosts, TCP over it",
    .caps = E3_CAP_SECURE | E3_CAP_LANES | E3_CAP_THREADS,
    .message_max = STREAM_MESSAGE_MAX,
    .declared = &wireguard_declared,
    .endpoint_create = wireguard_endpoint_create,
    .endpoint_destroy = wireguard_endpoint_destroy,
    .endpoint_signal = wireguard_endpoint_signal,
    .channel_open = wireguard_channel_open,
    .channel_send = stream_channel_send,
    .channel_pause = stream_channel_pause,
    .channel_close = stream_channel_close,
    .channel_stats = stream_channel_stats,
    .channel_poll = stream_channel_poll,
    .supported = wireguard_supported,
    .endpoint_facts = wireguard_endpoint_facts,
    .prepare = wireguard_prepare,
    .up = wireguard_up,
    .down = wireguard_down,
    .finalise = wireguard_finalise,
    .options_check = wireguard_options_check,
};

E3_TRANSPORT_ENTRY(wireguard);
