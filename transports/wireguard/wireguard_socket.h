/* SPDX-License-Identifier: MIT */
/*
 * The UDP sockets of wireguard-go. As the kernel makes them they hold 208 KiB
 * (net.core.rmem_default), some 90 full packets of what they are charged: a burst of bulk
 * data overflows them, and TCP in the tunnel sees loss. wireguard-go asks for 7 MiB since
 * version 0.0.20230223; Debian 12 has an older one, so E3 asks for it.
 */
#ifndef TRANSPORTS_WIREGUARD_WIREGUARD_SOCKET_H
#define TRANSPORTS_WIREGUARD_WIREGUARD_SOCKET_H

#include <stdint.h>
#include <sys/types.h>

/* Once process `pid` has bound UDP sockets to `port` (IPv4, and IPv6 where there is any):
 * make their buffers at least `bytes` large. Returns the bytes a receive buffer then has
 * as the kernel counts them, or a negative errno: -ETIMEDOUT without such a socket when
 * the deadline passes, -EPERM when they can't be had. */
int64_t wireguard_socket_widen(
    pid_t pid, uint16_t port, uint32_t bytes, uint64_t deadline_ms);

/* Packets that UDP sockets bound to `port` in this network namespace have dropped for
 * want of room; negative errno. */
int64_t wireguard_socket_dropped(uint16_t port);

#endif
