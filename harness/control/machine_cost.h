/* SPDX-License-Identifier: MIT */
/*
 * What messages cost on this machine when it emulates hosts, measured: two network
 * namespaces, the emulator between them (testbed/wan.h), one TCP connection. Small
 * messages go back and forth, without delay and with 0.2 ms, then many bytes one way. No
 * workload, no hosts, about 0.3 s.
 */
#ifndef HARNESS_CONTROL_MACHINE_COST_H
#define HARNESS_CONTROL_MACHINE_COST_H

#include "base/error.h"

#include <stdint.h>

struct machine_cost {
	uint32_t cores;       /* that this process may use */
	uint64_t pass_ns;     /* a small message, from send() to recv(), by the clock */
	uint64_t message_ns;  /* its CPU time at both ends together */
	uint64_t carry_ns;    /* and in the emulator, its acknowledgement included */
	double give_byte_ns;  /* CPU time of a byte of many, at the sender */
	double take_byte_ns;  /* at the receiver */
	double carry_byte_ns; /* in the emulator */
};

/* -EPERM without root, -ENODEV without /dev/net/tun, -ETIMEDOUT; the sentence says what
 * to do. Leaves nothing behind. */
int machine_cost_measure(struct machine_cost *out, struct error *err);

#endif
