/* SPDX-License-Identifier: MIT */
#include "tests/testbed/wan_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int own_namespace(void)
{
	return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

const char *wan_fixture_make(struct wan_fixture *fixture, uint32_t n_ports)
{
	int home = own_namespace();

	*fixture = (struct wan_fixture){
	    .config = {.n_ports = n_ports, .n_hosts = n_ports, .seed = 1}};
	if (access("/dev/net/tun", F_OK) < 0) {
		close(home);
		return "this machine has no /dev/net/tun";
	}
	if (n_ports > TESTBED_HOSTS_MAX)
		fixture->config.n_hosts = TESTBED_HOSTS_MAX;
	for (uint32_t p = 0; p < n_ports; p++) {
		struct wan_port *port = &fixture->config.ports[p];

		if (unshare(CLONE_NEWNET) < 0) {
			close(home);
			return "network namespaces need root";
		}
		port->netns_fd = own_namespace();
		port->prefix = 24;
		snprintf(port->device, sizeof(port->device), "wan0");
		snprintf(port->address, sizeof(port->address), "10.77.0.%u", p + 1);
	}
	wan_fixture_leave(home);
	return NULL;
}

void wan_fixture_finish(struct wan_fixture *fixture)
{
	wan_stop(fixture->wan, 2000);
	for (uint32_t p = 0; p < fixture->config.n_ports; p++)
		if (fixture->config.ports[p].netns_fd > 0)
			close(fixture->config.ports[p].netns_fd);
}

int wan_fixture_enter(const struct wan_fixture *fixture, uint32_t port)
{
	int home = own_namespace();

	if (setns(fixture->config.ports[port].netns_fd, CLONE_NEWNET) < 0)
		abort();
	return home;
}

void wan_fixture_leave(int home)
{
	/* Any test after this would speak of another network. */
	if (setns(home, CLONE_NEWNET) < 0)
		abort();
	close(home);
}

int wan_fixture_socket(const struct wan_fixture *fixture, uint32_t port, int type)
{
	int home = wan_fixture_enter(fixture, port);
	int sock = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	wan_fixture_leave(home);
	return sock;
}

struct sockaddr_in wan_fixture_address(uint32_t port, uint16_t number)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_port = htons(number),
	    .sin_addr = {.s_addr = htonl(UINT32_C(0x0a4d0001) + port)}};
}

int wan_fixture_bound(
    const struct wan_fixture *fixture, uint32_t port, int type, uint16_t number)
{
	int sock = wan_fixture_socket(fixture, port, type);
	struct sockaddr_in address = wan_fixture_address(port, number);

	if (sock >= 0 &&
	    bind(sock, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		close(sock);
		return -1;
	}
	return sock;
}

int wan_fixture_readable(int fd, int timeout_ms)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	return poll(&poll_fd, 1, timeout_ms) > 0;
}

int wan_fixture_has_device(const struct wan_fixture *fixture, uint32_t port)
{
	int sock = wan_fixture_socket(fixture, port, SOCK_DGRAM);
	struct ifreq request = {.ifr_name = "wan0"};
	int has = ioctl(sock, SIOCGIFFLAGS, &request) == 0;

	close(sock);
	return has;
}
