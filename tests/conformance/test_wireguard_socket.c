/* SPDX-License-Identifier: MIT */
/* UDP sockets of a process, this one's own: made wide, and asked what they dropped. */
#include "transports/common/helper_program.h"
#include "transports/wireguard/wireguard_socket.h"

#include "tests/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define KIB     1024
#define PACKETS 600
#define WAIT_MS 200

/* Bound on loopback; `port` takes where. */
static int bound(int family, uint16_t *port)
{
	struct sockaddr_in four = {.sin_family = AF_INET,
	    .sin_port = htons(*port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6,
	    .sin6_port = htons(*port),
	    .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t bytes = sizeof(four);

	if (family == AF_INET6) {
		if (fd < 0 || bind(fd, (struct sockaddr *)&six, sizeof(six)) < 0)
			skip_because("no IPv6 here: %s", strerror(errno));
		return fd;
	}
	assert_int_equal(bind(fd, (struct sockaddr *)&four, bytes), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&four, &bytes), 0);
	*port = ntohs(four.sin_port);
	return fd;
}

static int buffer_of(int fd, int name)
{
	socklen_t bytes = sizeof(int);
	int value = 0;

	assert_int_equal(getsockopt(fd, SOL_SOCKET, name, &value, &bytes), 0);
	return value;
}

static void only_those_of_the_port_grow(void **state)
{
	uint16_t port = 0, other_port = 0;
	int four = bound(AF_INET, &port), six = bound(AF_INET6, &port);
	int other = bound(AF_INET, &other_port);
	int before = buffer_of(other, SO_RCVBUF);
	int64_t rc;

	(void)state;
	if (geteuid() != 0)
		skip_because("buffers beyond the limit need root");
	rc =
	    wireguard_socket_widen(getpid(), port, 5000 * KIB, helper_now_ms() + WAIT_MS);
	assert_int_equal(rc, 2 * 5000 * KIB);
	assert_int_equal(buffer_of(four, SO_RCVBUF), 2 * 5000 * KIB);
	assert_int_equal(buffer_of(six, SO_RCVBUF), 2 * 5000 * KIB);
	assert_int_equal(buffer_of(four, SO_SNDBUF), 2 * 5000 * KIB);
	assert_int_equal(buffer_of(other, SO_RCVBUF), before);
	/* What is wide stays so. */
	rc =
	    wireguard_socket_widen(getpid(), port, 1000 * KIB, helper_now_ms() + WAIT_MS);
	assert_int_equal(rc, 2 * 5000 * KIB);
	close(four);
	close(six);
	close(other);
}

static void a_process_without_the_port_is_said(void **state)
{
	uint16_t port = 0;
	int fd = bound(AF_INET, &port);
	pid_t child;

	(void)state;
	close(fd);
	assert_int_equal(
	    wireguard_socket_widen(getpid(), port, KIB, helper_now_ms() + 20),
	    -ETIMEDOUT);
	child = fork();
	if (child == 0)
		_exit(0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(
	    wireguard_socket_widen(child, port, KIB, helper_now_ms() + 20), -ESRCH);
}

static void drops_are_counted(void **state)
{
	uint16_t port = 0, sender_port = 0;
	int fd = bound(AF_INET, &port), sender = bound(AF_INET, &sender_port);
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char packet[1400] = {0};
	int small = 4096, here = 0;

	(void)state;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	assert_int_equal(wireguard_socket_dropped(port), 0);
	for (int i = 0; i < PACKETS; i++)
		assert_int_equal(sendto(sender, packet, sizeof(packet), 0,
				     (struct sockaddr *)&to, sizeof(to)),
		    sizeof(packet));
	while (recv(fd, packet, sizeof(packet), MSG_DONTWAIT) > 0)
		here++;
	assert_in_range(here, 1, PACKETS - 1);
	assert_int_equal(wireguard_socket_dropped(port), PACKETS - here);
	assert_int_equal(wireguard_socket_dropped(sender_port), 0);
	close(fd);
	close(sender);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_those_of_the_port_grow),
	    cmocka_unit_test(a_process_without_the_port_is_said),
	    cmocka_unit_test(drops_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
