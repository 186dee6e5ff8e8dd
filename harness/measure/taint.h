/* SPDX-License-Identifier: MIT */
/*
 * What makes a figure unfit to be trusted, as data: a code for programs, the value and
 * the limit it passed, a sentence for people. A tainted block is run again and counted,
 * never dropped in silence.
 */
#ifndef HARNESS_MEASURE_TAINT_H
#define HARNESS_MEASURE_TAINT_H

struct cJSON;

enum taint_unit { TAINT_SHARE /* 0 .. 1 */, TAINT_NS, TAINT_COUNT };

/* X(name, code, unit, limit, sentence): passed when value > limit. The sentence takes
 * the value and the limit as text, in this order. */
#define TAINTS(X)                                                                        \
	X(CPU_PRESSURE, "cpu_pressure", TAINT_SHARE, 0.10,                               \
	    "tasks of this machine waited for a CPU %s of the time (limit %s)")          \
	X(STEAL, "steal", TAINT_SHARE, 0.02,                                             \
	    "the hypervisor kept %s of the CPU time for others (limit %s)")              \
	X(CPU_BOUND_PARTY, "cpu_bound_party", TAINT_SHARE, 0.05,                         \
	    "a party waited %s of its time for a CPU (limit %s): its figures are those " \
	    "of this machine, not of the network")                                       \
	X(EMULATOR_LATE, "emulator_late", TAINT_NS, 1000000,                             \
	    "the emulator delivered 1 %% of the packets more than %s late (limit %s)")   \
	X(EMULATOR_DROP, "emulator_drop", TAINT_COUNT, 0,                                \
	    "the emulator had to drop %s packets (limit %s)")                            \
	X(TUN_DROP, "tun_drop", TAINT_COUNT, 0,                                          \
	    "%s packets were dropped before the emulator saw them (limit %s)")           \
	X(CLOCK_JUMP, "clock_jump", TAINT_NS, 50000000,                                  \
	    "the wall clock was moved by %s (limit %s)")                                 \
	X(RTT_OFF, "rtt_off", TAINT_NS, 500000,                                          \
	    "the measured round trip is %s off the configured one (limit %s)")           \
	X(RETRANSMITS, "retransmits", TAINT_SHARE, 0.01,                                 \
	    "%s of the packets were sent again though none was to be lost (limit %s)")   \
	X(PROBES_LOST, "probes_lost", TAINT_SHARE, 0.01,                                 \
	    "%s of the probes got no answer though no packet was to be lost (limit %s)") \
	X(CONTROLLER_ENDED, "controller_ended", TAINT_COUNT, 0,                          \
	    "the controller ended with %s blocks still to run (limit %s)")

enum taint_code {
#define TAINT_ENUM(name, code, unit, limit, sentence) TAINT_##name,
	TAINTS(TAINT_ENUM)
#undef TAINT_ENUM
	    TAINT_CODES
};

double taint_limit(enum taint_code code);

/* Append {"code","value","limit","of","sentence"} to the array if `value` passes the
 * limit of the table. `of`: whom it concerns ("host3", "ams-sgp"), NULL = the machine.
 * Returns 1 if it does. Out of memory: nothing is added. */
int taint_check(struct cJSON *taints, enum taint_code code, double value, const char *of);
/* With a limit of its own, for those that depend on what was configured. */
int taint_check_limit(struct cJSON *taints, enum taint_code code, double value,
    double limit, const char *of);

#endif
