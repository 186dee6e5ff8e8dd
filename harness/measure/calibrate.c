/* SPDX-License-Identifier: MIT */
#include "harness/measure/calibrate.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/sort.h"
#include "base/units.h"

#include <arpa/inet.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ECHO_DATA_BYTES 56u /* as ping: 84 bytes with its headers */

/* Of ICMP and ICMPv6, whose echoes have the same header. */
struct echo {
	struct icmphdr header;
	uint64_t nonce; /* tells our echoes from those of other programs */
	uint8_t padding[ECHO_DATA_BYTES - sizeof(uint64_t)];
} __attribute__((packed));

enum { IPV4, IPV6, FAMILIES };

static const struct family {
	int domain, protocol;
	uint8_t request, reply;
} families[FAMILIES] = {
    [IPV4] = {AF_INET, IPPROTO_ICMP, ICMP_ECHO, ICMP_ECHOREPLY},
    [IPV6] = {AF_INET6, IPPROTO_ICMPV6, ICMP6_ECHO_REQUEST, ICMP6_ECHO_REPLY},
};

struct peer {
	int family;              /* index of families[] */
	struct in6_addr address; /* of IPv4 the first four bytes, the others 0 */
};

struct calibration {
	const struct calibrate_config *config;
	int fds[FAMILIES]; /* -1 = no address of it */
	int is_raw;        /* IPv4: replies come with their IP header */
	uint16_t id;
	uint64_t nonce;
	struct peer peers[CALIBRATE_ADDRESSES_MAX];
	uint64_t *sent_ns; /* [address * count + sequence]; 0 = not yet */
	uint64_t *rtt_ns;  /* the same; 0 = no reply yet */
	uint32_t n_sent, n_received;
};

static int read_addresses(struct calibration *c, struct error *err)
{
	const struct calibrate_config *config = c->config;

	if (config->n_addresses < 1 || config->n_addresses > CALIBRATE_ADDRESSES_MAX)
		return error_set(err, -EINVAL, "%u addresses: 1 to %u are possible",
		    config->n_addresses, CALIBRATE_ADDRESSES_MAX);
	if (config->count < 1 || config->count > CALIBRATE_COUNT_MAX)
		return error_set(err, -EINVAL, "%u echoes: 1 to %u are possible",
		    config->count, CALIBRATE_COUNT_MAX);
	for (uint32_t a = 0; a < config->n_addresses; a++) {
		struct peer *peer = &c->peers[a];

		peer->family = strchr(config->addresses[a], ':') == NULL ? IPV4 : IPV6;
		if (inet_pton(families[peer->family].domain, config->addresses[a],
			&peer->address) != 1)
			return error_set(err, -EINVAL,
			    "'%s' is no numeric address (like 10.77.0.1 or 2001:db8::7)",
			    config->addresses[a]);
	}
	return 0;
}

static void filter_replies(int fd, int family)
{
	const struct icmp_filter only_replies = {~(1u << ICMP_ECHOREPLY)};
	struct icmp6_filter only_replies6;

	if (family == IPV4) {
		setsockopt(fd, SOL_RAW, ICMP_FILTER, &only_replies, sizeof only_replies);
		return;
	}
	ICMP6_FILTER_SETBLOCKALL(&only_replies6);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &only_replies6);
	setsockopt(
	    fd, IPPROTO_ICMPV6, ICMP6_FILTER, &only_replies6, sizeof only_replies6);
}

static int open_socket(struct calibration *c, int f, struct error *err)
{
	const int on = 1, room = 1 << 20, type = SOCK_CLOEXEC | SOCK_NONBLOCK;
	const struct family *family = &families[f];
	int fd = socket(family->domain, SOCK_RAW | type, family->protocol);

	if (fd >= 0)
		filter_replies(fd, f);
	if (f == IPV4)
		c->is_raw = fd >= 0;
	if (fd < 0)
		fd = socket(family->domain, SOCK_DGRAM | type, family->protocol);
	if (fd < 0)
		return error_set_errno(err, -errno,
		    "sending echoes (as root, or after `sysctl -w "
		    "net.ipv4.ping_group_range=\"0 2147483647\"`)");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
	c->fds[f] = fd;
	return 0;
}

static int open_sockets(struct calibration *c, struct error *err)
{
	int rc = 0;

	for (uint32_t a = 0; rc == 0 && a < c->config->n_addresses; a++)
		if (c->fds[c->peers[a].family] < 0)
			rc = open_socket(c, c->peers[a].family, err);
	return rc;
}

static socklen_t socket_address(const struct peer *peer, struct sockaddr_in6 *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;

	memset(out, 0, sizeof *out);
	out->sin6_family = (sa_family_t)families[peer->family].domain;
	if (peer->family == IPV6) {
		out->sin6_addr = peer->address;
		return sizeof *out;
	}
	memcpy(&v4->sin_addr, &peer->address, sizeof v4->sin_addr);
	return sizeof *v4;
}

static int is_from(const struct sockaddr_in6 *from, const struct peer *peer)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;

	if (from->sin6_family != families[peer->family].domain)
		return 0;
	if (peer->family == IPV6)
		return memcmp(&from->sin6_addr, &peer->address, sizeof peer->address) ==
		       0;
	return memcmp(&v4->sin_addr, &peer->address, sizeof v4->sin_addr) == 0;
}

static uint16_t checksum(const void *bytes, size_t len)
{
	const uint16_t *words = bytes;
	uint32_t sum = 0;

	for (size_t i = 0; i < len / 2; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

static int send_echo(struct calibration *c, struct error *err)
{
	uint32_t address = c->n_sent % c->config->n_addresses;
	uint32_t sequence = c->n_sent / c->config->n_addresses;
	const struct peer *peer = &c->peers[address];
	struct echo echo = {
	    .header = {.type = families[peer->family].request}, .nonce = c->nonce};
	struct sockaddr_in6 to;
	socklen_t to_bytes = socket_address(peer, &to);
	_Alignas(uint16_t) char packet[sizeof echo];

	echo.header.un.echo.id = htons(c->id);
	echo.header.un.echo.sequence = htons((uint16_t)sequence);
	memcpy(packet, &echo, sizeof echo);
	/* Of ICMPv6 the kernel makes it: it takes the address it will send from. */
	if (peer->family == IPV4)
		echo.header.checksum = checksum(packet, sizeof packet);
	c->sent_ns[address * c->config->count + sequence] = clock_monotonic_ns();
	c->n_sent++;
	if (sendto(c->fds[peer->family], &echo, sizeof echo, 0, (const void *)&to,
		to_bytes) < 0 &&
	    errno != ENOBUFS && errno != EAGAIN) /* those two are loss */
		return error_set_errno(
		    err, -errno, "echo to %s", c->config->addresses[address]);
	return 0;
}

/* When the kernel received this message, on the monotonic clock. Its stamp is wall time:
 * only its short distance from now is used, lest a step of that clock shows. */
static uint64_t arrival_ns(struct msghdr *message)
{
	uint64_t now_ns = clock_monotonic_ns();
	struct timespec stamp;

	for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at != NULL;
	     at = CMSG_NXTHDR(message, at)) {
		if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&stamp, CMSG_DATA(at), sizeof stamp);
		int64_t at_ns = (int64_t)stamp.tv_sec * (int64_t)NS_PER_S +
				stamp.tv_nsec - clock_wall_offset_ns();
		int64_t age_ns = (int64_t)now_ns - at_ns;
		if (age_ns > 0 && age_ns < (int64_t)NS_PER_S)
			return (uint64_t)at_ns;
	}
	return now_ns;
}

static void take_reply(struct calibration *c, const struct echo *echo,
    const struct sockaddr_in6 *from, uint64_t at_ns)
{
	uint32_t sequence = ntohs(echo->header.un.echo.sequence);

	if (echo->nonce != c->nonce || sequence >= c->config->count)
		return;
	for (uint32_t a = 0; a < c->config->n_addresses; a++) {
		uint32_t slot = a * c->config->count + sequence;

		if (!is_from(from, &c->peers[a]) ||
		    echo->header.type != families[c->peers[a].family].reply ||
		    c->sent_ns[slot] == 0 || c->rtt_ns[slot] != 0)
			continue;
		c->rtt_ns[slot] = at_ns > c->sent_ns[slot] ? at_ns - c->sent_ns[slot] : 1;
		c->n_received++;
		return;
	}
}

static void receive_from(struct calibration *c, int f)
{
	char packet[256], control[128];
	struct sockaddr_in6 from;
	struct iovec iov = {packet, sizeof packet};
	struct echo echo;

	for (;;) {
		struct msghdr message = {.msg_name = &from,
		    .msg_namelen = sizeof from,
		    .msg_iov = &iov,
		    .msg_iovlen = 1,
		    .msg_control = control,
		    .msg_controllen = sizeof control};
		ssize_t n = recvmsg(c->fds[f], &message, 0);
		size_t skip = f == IPV4 && c->is_raw ? (size_t)(packet[0] & 15) * 4 : 0;

		if (n < 0)
			return;
		if ((size_t)n < skip + sizeof echo)
			continue;
		memcpy(&echo, packet + skip, sizeof echo);
		take_reply(c, &echo, &from, arrival_ns(&message));
	}
}

static void receive(struct calibration *c)
{
	for (int f = 0; f < FAMILIES; f++)
		if (c->fds[f] >= 0)
			receive_from(c, f);
}

static void wait_readable(const struct calibration *c, uint64_t until_ns)
{
	struct pollfd readable[FAMILIES] = {
	    [IPV4] = {.fd = c->fds[IPV4], .events = POLLIN},
	    [IPV6] = {.fd = c->fds[IPV6], .events = POLLIN}};
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
	const struct timespec timeout = {.tv_sec = (time_t)(left_ns / NS_PER_S),
	    .tv_nsec = (long)(left_ns % NS_PER_S)};

	ppoll(readable, FAMILIES, &timeout, NULL);
}

static int exchange(struct calibration *c, struct error *err)
{
	const uint32_t n_echoes = c->config->n_addresses * c->config->count;
	const uint64_t step_ns = c->config->interval_ns / c->config->n_addresses;
	uint64_t due_ns = clock_monotonic_ns();

	while (c->n_sent < n_echoes) {
		uint64_t now_ns = clock_monotonic_ns();

		if (now_ns >= due_ns) {
			int rc = send_echo(c, err);

			if (rc < 0)
				return rc;
			/* After a stall go on at the same pace: a burst would measure
			 * itself. */
			due_ns = due_ns + step_ns > now_ns ? due_ns + step_ns : now_ns;
		}
		wait_readable(c, due_ns);
		receive(c);
	}
	due_ns = clock_monotonic_ns() + c->config->patience_ns;
	while (c->n_received < n_echoes && clock_monotonic_ns() < due_ns) {
		wait_readable(c, due_ns);
		receive(c);
	}
	return 0;
}

/* Nearest rank: the smallest value at or below which `percent` of all lie. */
static uint64_t rank(const uint64_t *sorted, uint32_t n, uint32_t percent)
{
	return sorted[((uint64_t)n * percent + 99) / 100 - 1];
}

static void summarise(
    struct calibration *c, uint32_t address, struct calibrate_pair *pair)
{
	const uint32_t count = c->config->count;
	uint64_t *rtt_ns = &c->rtt_ns[address * count];
	uint32_t n_lost = 0;

	sort_u64(rtt_ns, count);
	while (n_lost < count && rtt_ns[n_lost] == 0)
		n_lost++;
	*pair = (struct calibrate_pair){.sent = count, .received = count - n_lost};
	if (pair->received == 0)
		return;
	rtt_ns += n_lost;
	pair->min_ns = rtt_ns[0];
	pair->p50_ns = rank(rtt_ns, pair->received, 50);
	pair->p99_ns = rank(rtt_ns, pair->received, 99);
}

int calibrate_run(const struct calibrate_config *config, struct calibrate_pair *pairs,
    struct error *err)
{
	struct calibration c = {.config = config, .fds = {-1, -1}};
	size_t n_echoes = (size_t)config->n_addresses * config->count;
	int rc = read_addresses(&c, err);

	if (rc == 0)
		rc = open_sockets(&c, err);
	random_bytes(&c.nonce, sizeof c.nonce);
	c.id = (uint16_t)c.nonce;
	prctl(PR_SET_TIMERSLACK, 1);
	if (rc == 0) {
		c.sent_ns = calloc(n_echoes, sizeof *c.sent_ns);
		c.rtt_ns = calloc(n_echoes, sizeof *c.rtt_ns);
	}
	if (rc == 0 && (c.sent_ns == NULL || c.rtt_ns == NULL))
		rc = error_set(err, -ENOMEM, "no memory for %zu echoes", n_echoes);
	if (rc == 0)
		rc = exchange(&c, err);
	for (uint32_t a = 0; rc == 0 && a < config->n_addresses; a++)
		summarise(&c, a, &pairs[a]);
	free(c.sent_ns);
	free(c.rtt_ns);
	for (int f = 0; f < FAMILIES; f++)
		if (c.fds[f] >= 0)
			close(c.fds[f]);
	return rc;
}
