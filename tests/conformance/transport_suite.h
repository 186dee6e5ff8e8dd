/* SPDX-License-Identifier: MIT */
/*
 * What every transport must do, whatever it is. A transport's own test says what it is
 * and runs this: tests/conformance/test_tcp.c is the example.
 */
#ifndef TESTS_CONFORMANCE_TRANSPORT_SUITE_H
#define TESTS_CONFORMANCE_TRANSPORT_SUITE_H

#include <e3/transport.h>

#include <stddef.h>
#include <stdint.h>

struct transport_under_test {
	const char *plugin;                /* NAME of e3-NAME.so */
	uint32_t parties;                  /* of the mesh; 3 or more */
	const char *const *options;        /* as of endpoint_create(); NULL = none */
	const char *const *options_turned; /* the other party dials; NULL = can't */
	const char *const *options_hasty;  /* opening fails after less than a second */
	int has_one_loop;                  /* all parties must share a loop */
	int has_signals;                   /* channels need host->signal() */
	int is_slow;                       /* fewer and smaller messages */

	/* Optional. NULL when this machine can run it, else why not. */
	const char *(*missing)(void);
	/* Make hosts that reach one another, and remove them; 0 or a negative errno. */
	int (*hosts_up)(uint32_t n_parties);
	void (*hosts_down)(void);
	/* From now on the calling thread is on the host of this party. */
	void (*enter)(e3_party party);
	const char *(*address)(e3_party party); /* default 127.0.0.(party + 1) */
};

/* Run everything; the exit code of main(). */
int transport_suite_run(const struct transport_under_test *tested);

#endif
