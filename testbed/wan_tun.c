/* SPDX-License-Identifier: MIT */
#include "testbed/wan_tun.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUEUE_PACKETS 10000

/* Younger than the headers of Debian 12. */
#define OFFLOAD_USO4 0x20u
#define OFFLOAD_USO6 0x40u

#define TCP_OFFLOADS (TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN)

static const unsigned offloads[] = {
    TCP_OFFLOADS | OFFLOAD_USO4 | OFFLOAD_USO6, TCP_OFFLOADS, TUN_F_CSUM, 0};

static const struct {
	const char *path, *value;
} sysctls[] = {
    {"/proc/sys/net/ipv4/tcp_rmem", "4096 131072 67108864"},
    {"/proc/sys/net/ipv4/tcp_wmem", "4096 16384 67108864"},
};

static int write_file(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

static int open_device(const char *device, struct error *err)
{
	struct ifreq request = {
	    .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), rc;
	size_t i = 0;

	if (fd < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO))
		return error_set(err, -ENODEV,
		    "/dev/net/tun is missing: run 'modprobe tun', or give the container "
		    "--device /dev/net/tun");
	if (fd < 0)
		return error_set_errno(err, -errno, "open /dev/net/tun");
	memcpy(request.ifr_name, device, strlen(device));
	if (ioctl(fd, TUNSETIFF, &request) < 0) {
		rc = errno == EBUSY
			 ? error_set(
			       err, -EEXIST, "the namespace has a %s already", device)
			 : error_set_errno(err, -errno, "make the TUN device %s", device);
		close(fd);
		return rc;
	}
	while (
	    ioctl(fd, TUNSETOFFLOAD, (unsigned long)offloads[i]) < 0 && offloads[i] != 0)
		i++;
	return fd;
}

static void put_address(struct ifreq *request, in_addr_t address)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {.s_addr = address}};

	memcpy(&request->ifr_addr, &in, sizeof(in));
}

static int bring_up(int sock, const char *device)
{
	struct ifreq request = {0};

	memcpy(request.ifr_name, device, strlen(device));
	if (ioctl(sock, SIOCGIFFLAGS, &request) < 0)
		return -errno;
	request.ifr_flags |= IFF_UP;
	return ioctl(sock, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

/* The kernel adds the route to the prefix when the device comes up. */
static int set_addresses(int sock, const struct wan_port *port)
{
	struct ifreq request = {0};
	struct in_addr address;

	memcpy(request.ifr_name, port->device, strlen(port->device));
	request.ifr_mtu = WAN_MTU_BYTES;
	if (ioctl(sock, SIOCSIFMTU, &request) < 0)
		return -errno;
	request.ifr_qlen = QUEUE_PACKETS;
	if (ioctl(sock, SIOCSIFTXQLEN, &request) < 0)
		return -errno;
	inet_pton(AF_INET, port->address, &address);
	put_address(&request, address.s_addr);
	if (ioctl(sock, SIOCSIFADDR, &request) < 0)
		return -errno;
	put_address(
	    &request, htonl((uint32_t)(UINT64_C(0xffffffff) << (32 - port->prefix))));
	return ioctl(sock, SIOCSIFNETMASK, &request) < 0 ? -errno : 0;
}

static int configure(const struct wan_port *port, struct error *err)
{
	char path[64];
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	if (sock < 0)
		return error_set_errno(err, -errno, "socket");
	/* Router solicitations would be counted as the hosts' packets. */
	snprintf(
	    path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", port->device);
	write_file(path, "1");
	rc = bring_up(sock, "lo");
	if (rc == 0)
		rc = set_addresses(sock, port);
	if (rc == 0)
		rc = bring_up(sock, port->device);
	close(sock);
	if (rc < 0)
		return error_set_errno(
		    err, rc, "give %s the address %s", port->device, port->address);
	for (size_t i = 0; i < sizeof(sysctls) / sizeof(*sysctls); i++) {
		rc = write_file(sysctls[i].path, sysctls[i].value);
		if (rc < 0)
			return error_set_errno(err, rc, "write %s", sysctls[i].path);
	}
	return 0;
}

/* Within the namespace. */
static int open_here(const struct wan_port *port, struct wan_tun *tun, struct error *err)
{
	int rc;

	tun->fd = open_device(port->device, err);
	if (tun->fd < 0)
		return tun->fd;
	rc = configure(port, err);
	if (rc < 0)
		return rc;
	tun->stats_fd = open("/proc/thread-self/net/dev", O_RDONLY | O_CLOEXEC);
	return tun->stats_fd < 0
		   ? error_set_errno(err, -errno, "open /proc/thread-self/net/dev")
		   : 0;
}

int wan_tun_open(const struct wan_port *port, struct wan_tun *out, struct error *err)
{
	struct wan_tun tun = {.fd = -1, .stats_fd = -1};
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), rc;

	if (home < 0)
		return error_set_errno(err, -errno, "open /proc/thread-self/ns/net");
	if (setns(port->netns_fd, CLONE_NEWNET) < 0) {
		rc = errno == EPERM
			 ? error_set(err, -EPERM,
			       "entering a network namespace needs root: "
			       "run this with sudo")
			 : error_set_errno(err, -errno, "enter the network namespace");
		close(home);
		return rc;
	}
	memcpy(tun.device, port->device, sizeof(tun.device));
	rc = open_here(port, &tun, err);
	if (setns(home, CLONE_NEWNET) < 0)
		rc = error_set_errno(
		    err, -errno, "return from a network namespace to the own one");
	close(home);
	if (rc < 0)
		wan_tun_close(&tun);
	else
		*out = tun;
	return rc;
}

void wan_tun_close(struct wan_tun *tun)
{
	if (tun->fd >= 0)
		close(tun->fd);
	if (tun->stats_fd >= 0)
		close(tun->stats_fd);
	tun->fd = tun->stats_fd = -1;
}

/* "  wan0: 8 numbers received, then bytes packets errs drop ..." */
uint64_t wan_tun_dropped(const struct wan_tun *tun)
{
	char text[8192], *line, *end;
	size_t length = strlen(tun->device);
	ssize_t got;
	uint64_t value = 0;

	if (tun->stats_fd < 0)
		return 0;
	got = pread(tun->stats_fd, text, sizeof(text) - 1, 0);
	if (got <= 0)
		return 0;
	text[got] = '\0';
	for (line = strtok_r(text, "\n", &end); line != NULL;
	     line = strtok_r(NULL, "\n", &end)) {
		line += strspn(line, " ");
		if (strncmp(line, tun->device, length) != 0 || line[length] != ':')
			continue;
		line += length + 1;
		for (int field = 0; field < 12; field++)
			value = strtoull(line, &line, 10);
		return value;
	}
	return 0;
}
