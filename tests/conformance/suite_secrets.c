/* SPDX-License-Identifier: MIT */
/* Secrets: a transport that claims to be secure seals what it sends. A canary goes both
 * ways, and every packet on the wire is searched for it. */
#include "tests/conformance/suite_tests.h"

#include "base/random.h"
#include "tests/tap.h"

#include <arpa/inet.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <netpacket/packet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CANARY_BYTES  32u
#define MESSAGE_BYTES 1000u
#define N_MESSAGES    20
#define ROOM_BYTES    (8 << 20)

struct wire {
	int fd;
	unsigned char canary[CANARY_BYTES];
	uint32_t n_packets, n_seen;
};

/* What an overlay's own device carries is not on the wire yet. */
static int is_wire(const struct sockaddr_ll *from)
{
	return from->sll_hatype == ARPHRD_ETHER || from->sll_hatype == ARPHRD_LOOPBACK;
}

static void look(struct wire *wire)
{
	static unsigned char packet[1 << 17];
	struct sockaddr_ll from;
	socklen_t from_bytes = sizeof(from);
	ssize_t len;

	while ((len = recvfrom(wire->fd, packet, sizeof(packet), MSG_DONTWAIT,
		    (struct sockaddr *)&from, &from_bytes)) >= 0) {
		if (is_wire(&from)) {
			wire->n_packets++;
			wire->n_seen += memmem(packet, (size_t)len, wire->canary,
					    sizeof(wire->canary)) != NULL;
		}
		from_bytes = sizeof(from);
	}
}

struct canary_send {
	struct link_request request;
	int n_done;
};

static void on_done(struct link_request *request, int status)
{
	assert_int_equal(status, 0);
	((struct canary_send *)request)->n_done++;
}

static void on_message(struct suite_end *end, struct e3_iov message)
{
	(void)end;
	assert_int_equal(message.len, MESSAGE_BYTES);
}

static void send_canary(struct suite_end *end, struct suite_end *to, struct wire *wire)
{
	static unsigned char bytes[MESSAGE_BYTES];
	struct canary_send send = {.request.done = on_done};
	struct e3_iov iov = {bytes, sizeof(bytes)};
	uint64_t before = to->n_messages;

	memcpy(bytes + 100, wire->canary, sizeof(wire->canary));
	to->on_message = on_message;
	suite_enter(end->mesh, end->party->self);
	assert_int_equal(link_send(end->link, &send.request, &iov, 1), 0);
	suite_wait(end->mesh, to->n_messages == before + 1 && send.n_done == 1);
	look(wire);
}

static int open_wire(struct wire *wire)
{
	const int room = ROOM_BYTES;

	random_bytes(wire->canary, sizeof(wire->canary));
	wire->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL));
	if (wire->fd >= 0)
		setsockopt(wire->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	return wire->fd;
}

void suite_seals_what_it_claims(void **state)
{
	struct suite_mesh *mesh = suite_start(suite_tested, 2, NULL);
	struct wire wire = {0};
	struct suite_end *a, *b;

	(void)state;
	suite_enter(mesh, 0);
	if (open_wire(&wire) < 0) {
		suite_finish(mesh);
		skip_because("looking at packets needs root");
	}
	suite_join(mesh, 0, 1, 0, &a, &b);
	for (int i = 0; i < N_MESSAGES; i++) {
		send_canary(a, b, &wire);
		send_canary(b, a, &wire);
	}
	close(wire.fd);
	if (wire.n_packets < N_MESSAGES)
		fail_msg("only %u packets of %s were seen: nothing can be told from them",
		    wire.n_packets, suite_tested->plugin);
	if (wire.n_seen > 0)
		fail_msg("transport %s claims to be secure (%s), but %u packets on the "
			 "wire hold a message in the clear",
		    suite_tested->plugin, mesh->plugin->declared.encryption, wire.n_seen);
	suite_finish(mesh);
}
