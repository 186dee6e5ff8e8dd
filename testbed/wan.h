/* SPDX-License-Identifier: MIT */
/*
 * The WAN emulator: one process that owns a TUN device in each of several network
 * namespaces and carries IPv4 packets between them, each ordered pair of ports with its
 * own delay, jitter, rate and loss.
 *
 *   1. wan_spawn() makes the devices (the calling thread visits each namespace and comes
 *      back), forks "e3-wan" and waits until it forwards.
 *   2. The emulator reads a packet, finds the port of its destination address, decides
 *      its fate and due time, and writes it there when that time has come.
 *   3. It ends when wan_stop() is called, when the caller ends however it ends, or when
 *      it is killed. The devices vanish with it: nothing persists.
 *
 * The caller's thread must live as long as the emulator is wanted (PR_SET_PDEATHSIG is
 * per thread). One thread at a time may use a struct wan.
 */
#ifndef TESTBED_WAN_H
#define TESTBED_WAN_H

#include "base/error.h"
#include "testbed/testbed.h"

#include <stdint.h>
#include <sys/types.h>

#define WAN_PORTS_MAX         (TESTBED_HOSTS_MAX + 1u) /* the hosts and the controller */
#define WAN_MTU_BYTES         1500u
#define WAN_DELAY_MAX_NS      UINT64_C(60000000000)
#define WAN_QUEUE_DEFAULT_NS  UINT64_C(100000000) /* of link time, if queue_bytes is 0 */
#define WAN_QUEUE_DEFAULT_MIN 150000u             /* bytes */

/* One attached namespace. wan_spawn() brings its lo up, makes the device (up, IPv4 only,
 * route to the prefix, MTU 1500) and raises the namespace's TCP buffer limits to 64 MB.
 * Nothing is kept: the fd may be closed and the strings freed afterwards. */
struct wan_port {
	int netns_fd;
	char device[16];  /* "wan0": must not exist there yet */
	char address[16]; /* numeric IPv4, unique among the ports */
	uint8_t prefix;   /* 1 .. 32 */
};

struct wan_config {
	uint32_t n_ports; /* 1 .. WAN_PORTS_MAX */
	uint32_t n_hosts; /* <= TESTBED_HOSTS_MAX: ports below it are counted */
	struct wan_port ports[WAN_PORTS_MAX];
	/* [from][to]. Zeroed = no delay, no loss, no limit: what the controller's port
	 * (n_hosts, the last) gets in both directions. */
	struct testbed_link links[WAN_PORTS_MAX][WAN_PORTS_MAX];
	uint64_t seed; /* of loss and jitter: same seed and same packets, same fate */
};

struct wan;

/* -EINVAL for a bad address, name or link, -EPERM without root, -ENODEV without
 * /dev/net/tun, -EEXIST when a namespace has such a device, -ETIMEDOUT when the emulator
 * does not begin within 5 s. On failure nothing is left. */
int wan_spawn(const struct wan_config *config, struct wan **out, struct error *err);

pid_t wan_pid(const struct wan *wan);
/* A pidfd, readable when the emulator has ended. Belongs to the wan. */
int wan_fd(const struct wan *wan);
/* 0 while it forwards between all ports; else -EPIPE with a sentence that says how the
 * emulator ended, or which port's device was removed. */
int wan_check(struct wan *wan, struct error *err);

/* Everything of struct testbed_counters, of the ports below n_hosts: what the controller
 * sends and receives is not counted. Costs the emulator nothing. -EPIPE when it has
 * ended; *out is untouched then. */
int wan_counters(struct wan *wan, struct testbed_counters *out, struct error *err);

/* Change one direction from now on. Packets under way keep their due time, and those that
 * follow do not overtake them. -EINVAL for a bad link, -EPIPE when the emulator has
 * ended, -ETIMEDOUT when it does not answer within 2 s. */
int wan_set_link(struct wan *wan, uint32_t from, uint32_t to,
    const struct testbed_link *link, struct error *err);

/* Ends the emulator: asks, waits `patience_ms`, kills, and waits until it is gone (1 s
 * more at most). NULL is fine. */
void wan_stop(struct wan *wan, uint32_t patience_ms);

#endif
