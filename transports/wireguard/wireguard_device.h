/* SPDX-License-Identifier: MIT */
/*
 * The interface: made, set up, and removed, by whichever implementation this host has.
 *
 * Its name is random and stands in the state folder before the interface exists, so that
 * it is found after a crash. Files there: `interface` (the name), `daemon` (process of
 * wireguard-go), `log` (its errors).
 */
#ifndef TRANSPORTS_WIREGUARD_WIREGUARD_DEVICE_H
#define TRANSPORTS_WIREGUARD_WIREGUARD_DEVICE_H

#include "transports/wireguard/wireguard_programs.h"

#include <e3/host.h>

#include <net/if.h>

struct wireguard_device {
	const struct e3_host *host;
	char name[IF_NAMESIZE];         /* "" = none */
	enum wireguard_kind is_made_by; /* WIREGUARD_ANY = not made */
};

/* Make the interface. 0, -ENOTSUP or another errno, the sentence logged. What a failed
 * call has made is removed by wireguard_device_remove(). */
int wireguard_device_make(struct wireguard_device *device,
    const struct wireguard_programs *programs, enum wireguard_kind kind,
    uint64_t deadline_ms);

/* Keys, port and peers as `wg setconf` reads them; `config` is secret. */
int wireguard_device_set(struct wireguard_device *device,
    const struct wireguard_programs *programs, const char *config, uint64_t deadline_ms);

/* "10.78.0.1/24", MTU, up. */
int wireguard_device_address(struct wireguard_device *device,
    const struct wireguard_programs *programs, const char *address, uint32_t mtu,
    uint64_t deadline_ms);

/* Wider buffers for the UDP sockets of wireguard-go at `port` (wireguard_socket.h); the
 * kernel's own WireGuard queues nothing there. The receive buffer's bytes as the kernel
 * counts them, 0 when there is none, or a negative errno. */
int64_t wireguard_device_widen(const struct wireguard_device *device, uint16_t port,
    uint32_t bytes, uint64_t deadline_ms);

/* Find the interface that another endpoint of this party has made. -ENODEV: there is
 * none. */
int wireguard_device_find(struct wireguard_device *device);

/* A descriptor that is readable when the process behind the interface has ended; -ENOENT
 * when the kernel is behind it. */
int wireguard_device_watch(const struct wireguard_device *device);

/* Interface, process, socket and their files are gone afterwards; also in a fresh
 * process, whatever was left. 0 when there is nothing to do. */
int wireguard_device_remove(struct wireguard_device *device, uint64_t deadline_ms);

#endif
