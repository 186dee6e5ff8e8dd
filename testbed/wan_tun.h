/* SPDX-License-Identifier: MIT */
/* A TUN device (linux/if_tun.h) in another network namespace, with the offloads that make
 * superpackets; it exists as long as its fd is open in some process. */
#ifndef TESTBED_WAN_TUN_H
#define TESTBED_WAN_TUN_H

#include "base/error.h"
#include "testbed/wan.h"

#include <stdint.h>

struct wan_tun {
	int fd;       /* non-blocking: a packet with its struct virtio_net_hdr each */
	int stats_fd; /* /proc/net/dev of the namespace */
	char device[16];
};

/* As struct wan_port says. On failure the namespace has no new device. */
int wan_tun_open(const struct wan_port *port, struct wan_tun *out, struct error *err);
/* An already closed or zero-initialised one ({-1, -1}) is fine. */
void wan_tun_close(struct wan_tun *tun);

/* tx_dropped of the device: packets that found its queue full. 0 when it is gone. */
uint64_t wan_tun_dropped(const struct wan_tun *tun);

#endif
