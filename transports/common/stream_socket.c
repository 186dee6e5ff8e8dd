/* SPDX-License-Identifier: MIT */
#include "transports/common/stream_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define AVAILABLE_FILE    "/proc/sys/net/ipv4/tcp_available_congestion_control"
#define KEEPALIVE_IDLE_S  10
#define KEEPALIVE_EVERY_S 2
#define KEEPALIVE_PROBES  5
#define PROBES_UNANSWERED 3
#define LISTEN_BACKLOG    128
/* Up to the last field read; the structure grew with Linux. */
#define INFO_BYTES        (offsetof(struct tcp_info, tcpi_bytes_sent) + sizeof(uint64_t))

union socket_address {
	struct sockaddr any;
	struct sockaddr_in ip4;
	struct sockaddr_in6 ip6;
};

/* Length of the address, 0 when the text is none. */
static socklen_t parse(union socket_address *out, const char *text, uint16_t port)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &out->ip4.sin_addr) == 1) {
		out->ip4.sin_family = AF_INET;
		out->ip4.sin_port = htons(port);
		return sizeof(out->ip4);
	}
	if (inet_pton(AF_INET6, text, &out->ip6.sin6_addr) == 1) {
		out->ip6.sin6_family = AF_INET6;
		out->ip6.sin6_port = htons(port);
		return sizeof(out->ip6);
	}
	return 0;
}

static void set_int(int fd, int level, int name, int value)
{
	setsockopt(fd, level, name, &value, sizeof(value));
}

static int set_congestion(int fd, const char *congestion)
{
	if (congestion[0] == '\0')
		return 0;
	if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion,
		(socklen_t)strlen(congestion)) < 0)
		return -errno;
	return 0;
}

static int set_style(int fd, const struct stream_socket_style *style)
{
	if (style->device[0] != '\0' &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, style->device,
		(socklen_t)strlen(style->device)) < 0)
		return -errno;
	return set_congestion(fd, style->congestion);
}

/* No TCP_USER_TIMEOUT: it also ends a connection whose reader merely pauses. */
static void set_common(int fd)
{
	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_EVERY_S);
	set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
}

int stream_socket_congestion_check(
    const struct e3_host *host, const char *transport, const char *congestion)
{
	char available[256] = "";
	int fd, rc;
	FILE *file;

	if (congestion[0] == '\0')
		return 0;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	rc = set_congestion(fd, congestion);
	close(fd);
	if (rc == 0)
		return 0;
	file = fopen(AVAILABLE_FILE, "re");
	if (file != NULL) {
		if (fgets(available, sizeof(available), file) == NULL)
			available[0] = '\0';
		available[strcspn(available, "\n")] = '\0';
		fclose(file);
	}
	host->log(host->ctx, E3_LOG_ERROR,
	    "transport %s: option congestion is '%s', which this kernel does not offer; "
	    "it "
	    "offers: %s (more by `modprobe tcp_%s`)",
	    transport, congestion, available, congestion);
	return -EINVAL;
}

static int listen_failed(const struct e3_host *host, const char *transport,
    const char *address, uint16_t port, int rc)
{
	if (rc == -EADDRINUSE)
		host->log(host->ctx, E3_LOG_ERROR,
		    "transport %s: port %u of %s is in use: end what listens there (`ss "
		    "-ltnp`) or choose another with option port",
		    transport, port, address);
	else
		host->log(host->ctx, E3_LOG_ERROR,
		    "transport %s: cannot listen at %s port %u: %s", transport, address,
		    port, strerror(-rc));
	return rc;
}

static int bind_and_listen(int fd, const union socket_address *at, socklen_t at_bytes)
{
	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(fd, &at->any, at_bytes) < 0 || listen(fd, LISTEN_BACKLOG) < 0)
		return -errno;
	return 0;
}

static uint16_t port_of(int fd)
{
	union socket_address at;
	socklen_t bytes = sizeof(at);

	if (getsockname(fd, &at.any, &bytes) < 0)
		return 0;
	return ntohs(at.any.sa_family == AF_INET ? at.ip4.sin_port : at.ip6.sin6_port);
}

int stream_socket_listen(const struct e3_host *host, const char *transport,
    const char *address, uint16_t port, const struct stream_socket_style *style,
    uint16_t *out_port)
{
	union socket_address at;
	socklen_t at_bytes = parse(&at, address, port);
	int fd, rc;

	if (at_bytes == 0)
		return listen_failed(host, transport, address, port, -EINVAL);
	fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return listen_failed(host, transport, address, port, -errno);
	rc = set_style(fd, style);
	if (rc == 0)
		rc = bind_and_listen(fd, &at, at_bytes);
	if (rc < 0) {
		close(fd);
		return listen_failed(host, transport, address, port, rc);
	}
	*out_port = port_of(fd);
	return fd;
}

int stream_socket_connect(const char *own, const char *address, uint16_t port,
    const struct stream_socket_style *style)
{
	union socket_address from, to;
	socklen_t from_bytes = parse(&from, own, 0);
	socklen_t to_bytes = parse(&to, address, port);
	int fd, rc;

	if (from_bytes == 0 || to_bytes == 0 || from.any.sa_family != to.any.sa_family)
		return -EINVAL;
	fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	set_common(fd);
	/* Ports are plenty: choose one at connect(), when both ends are known. */
	set_int(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	rc = set_style(fd, style);
	if (rc == 0 && bind(fd, &from.any, from_bytes) < 0)
		rc = -errno;
	if (rc == 0 && connect(fd, &to.any, to_bytes) < 0 && errno != EINPROGRESS)
		rc = -errno;
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

int stream_socket_accept(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return errno == ECONNABORTED || errno == EINTR ? -EAGAIN : -errno;
	set_common(fd);
	return fd;
}

int stream_socket_error(int fd)
{
	int error = 0;
	socklen_t bytes = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes) < 0)
		return -errno;
	return -error;
}

int stream_socket_unacked(int fd)
{
	int bytes = 0;

	return ioctl(fd, SIOCOUTQ, &bytes) < 0 ? 0 : bytes;
}

/* -ENODATA if the kernel (or an emulator) tells less than what is read here. */
static int read_info(int fd, struct tcp_info *info)
{
	socklen_t bytes = sizeof(*info);

	memset(info, 0, sizeof(*info));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &bytes) < 0)
		return -errno;
	return bytes < INFO_BYTES ? -ENODATA : 0;
}

int stream_socket_is_silent(int fd, uint32_t silent_ms)
{
	struct tcp_info info;

	if (read_info(fd, &info) < 0 || info.tcpi_last_ack_recv < silent_ms)
		return 0;
	/* A reader that pauses answers the probes of its closed window. */
	return info.tcpi_unacked > 0 || info.tcpi_probes >= PROBES_UNANSWERED;
}

int stream_socket_stats(int fd, struct e3_channel_stats *out)
{
	struct tcp_info info;
	int rc = read_info(fd, &info);

	if (rc == -ENODATA) {
		out->wire_bytes_sent = out->wire_bytes_received = E3_UNKNOWN;
		out->retransmits = out->rtt_ns = E3_UNKNOWN;
		return 0;
	}
	if (rc < 0)
		return rc;
	out->wire_bytes_sent = info.tcpi_bytes_sent;
	out->wire_bytes_received = info.tcpi_bytes_received;
	out->retransmits = info.tcpi_total_retrans;
	out->rtt_ns = (uint64_t)info.tcpi_rtt * 1000;
	return 0;
}

void stream_socket_congestion(int fd, char out[STREAM_CONGESTION_BYTES])
{
	socklen_t bytes = STREAM_CONGESTION_BYTES;

	memset(out, 0, STREAM_CONGESTION_BYTES);
	if (getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, out, &bytes) < 0)
		strcpy(out, "unknown");
	out[STREAM_CONGESTION_BYTES - 1] = '\0';
}
