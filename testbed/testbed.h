/* SPDX-License-Identifier: MIT */
/*
 * Emulated hosts on this machine: a set of namespaces (net, mount, pid, uts, ipc) and an
 * OpenSSH sshd for each, joined by one `e3 wan` process that delays every packet.
 *
 * testbed_up() moves the calling thread, and the threads and processes that it starts
 * from then on, into a network namespace of their own, attached to the emulator at zero
 * delay: from there the hosts are reached by their addresses, as any host is.
 * testbed_down() moves it back. Nothing is written outside the namespaces. Every process
 * of the testbed ends when the calling thread does, however it ends.
 */
#ifndef TESTBED_TESTBED_H
#define TESTBED_TESTBED_H

#include "base/error.h"
#include "base/histogram.h"

#include <stdint.h>
#include <sys/types.h>

#define TESTBED_HOSTS_MAX 10u

/* One direction of the path between two hosts. */
struct testbed_link {
	uint64_t one_way_ns;
	uint64_t jitter_ns;   /* standard deviation, order kept; 0 = none */
	uint64_t rate_bps;    /* 0 = unlimited */
	uint64_t queue_bytes; /* with a rate: what waits beyond is dropped; 0 = default */
	double loss;          /* probability that a packet (TSO: a segment) is lost */
};

struct testbed_config {
	uint32_t n_hosts;
	struct testbed_link links[TESTBED_HOSTS_MAX][TESTBED_HOSTS_MAX]; /* [from][to] */
	uint64_t seed;              /* of loss and jitter */
	const char *authorized_key; /* OpenSSH public key line of the controller */
	const char
	    *label[TESTBED_HOSTS_MAX]; /* region; for the hosts' /etc/motd; may be NULL */
};

/* What an inventory says of a host. */
struct testbed_host {
	char name[16];    /* "host0" ... */
	char address[16]; /* numeric IPv4 in the emulated WAN */
	uint16_t port;    /* of sshd */
	char user[16];
	char host_key[128]; /* "ssh-ed25519 AAAA...", made on the host */
	pid_t init_pid;     /* its PID 1, as seen from here */
};

/* Packets that crossed the emulator since it started, one ordered pair. */
struct testbed_pair {
	uint64_t packets,
	    bytes; /* delivered, IP header included, TSO counted as segments */
	uint64_t dropped_loss;     /* by configured loss */
	uint64_t dropped_queue;    /* by a full queue of a rate-limited link */
	uint64_t dropped_emulator; /* by the emulator itself: a defect of the run */
};

struct testbed_counters {
	struct testbed_pair pairs[TESTBED_HOSTS_MAX][TESTBED_HOSTS_MAX]; /* [from][to] */
	uint64_t tun_dropped[TESTBED_HOSTS_MAX]; /* tx_dropped of the host's device */
	uint64_t undeliverable; /* malformed, not IPv4, or to an address of nobody */
	uint64_t cpu_ns;        /* of the emulator process */
	struct histogram lateness_ns; /* delivery after its due time, all packets */
};

struct testbed;

/* 0 if this machine can carry emulated hosts; else what testbed_up() would say. Starts
 * nothing. */
int testbed_probe(struct error *err);

/* All hosts up and their sshd listening. On failure nothing is left. -EPERM without root,
 * -ENODEV without /dev/net/tun, -ENOENT without sshd: the sentence says what to do. */
int testbed_up(
    const struct testbed_config *config, struct testbed **out, struct error *err);

const struct testbed_host *testbed_host(const struct testbed *testbed, uint32_t index);

/* Readable when a process of the testbed has ended. */
int testbed_fd(const struct testbed *testbed);
/* 0 while all live; else -EPIPE with a sentence that names the host or the emulator. */
int testbed_check(struct testbed *testbed, struct error *err);

/* A snapshot; *out is large: not for the stack. -EPIPE when the emulator is gone. */
int testbed_counters(
    struct testbed *testbed, struct testbed_counters *out, struct error *err);

/* Change one direction from now on: packets already under way keep their due time. */
int testbed_set_link(struct testbed *testbed, uint32_t from, uint32_t to,
    const struct testbed_link *link, struct error *err);

/* Ends every process, waits until all are gone (2 s at most). NULL is fine. */
void testbed_down(struct testbed *testbed);

#endif
