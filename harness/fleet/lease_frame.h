/* SPDX-License-Identifier: MIT */
/*
 * The framing between the controller and `e3 lease`: a remote program's bytes and the
 * lease's own words never mix.
 *
 * To the lease:    BEAT\n          the controller is alive
 *                  DATA <n>\n      n bytes follow: for the program's standard input
 *                  END\n           no more input: close it
 *                  CANCEL\n        end the program
 * From the lease:  HELLO <nonce>\n first; what comes before is a login script's noise
 *                  BEAT\n          once a second
 *                  >text\n         a line of the program's standard output
 *                  +text\n         a piece of a line that goes on in the next frame
 *                  EXIT <code>\n or SIGNAL <number>\n   last
 *
 * Both readers treat what they are fed as hostile: bounded memory, -EPROTO otherwise.
 */
#ifndef HARNESS_FLEET_LEASE_FRAME_H
#define HARNESS_FLEET_LEASE_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#define LEASE_NONCE_CHARS    32u
#define LEASE_DATA_BYTES_MAX (1u << 20)  /* of one DATA frame */
#define LEASE_PIECE_BYTES    (64u << 10) /* of a line's text in one frame */
#define LEASE_NOISE_BYTES    (64u << 10) /* before HELLO */
#define LEASE_HEADER_BYTES   24u

enum lease_order {
	LEASE_ORDER_BEAT,
	LEASE_ORDER_DATA,
	LEASE_ORDER_END,
	LEASE_ORDER_CANCEL
};

/* What the lease hears. Zeroed at first. */
struct lease_orders {
	char header[LEASE_HEADER_BYTES];
	size_t header_len;
	size_t data_left;
};

/* `bytes` is part of a DATA frame's content, else NULL. */
typedef void (*on_lease_order)(
    void *user, enum lease_order order, const char *bytes, size_t len);

int lease_orders_feed(struct lease_orders *orders, const char *bytes, size_t len,
    on_lease_order on_order, void *user);

enum lease_report {
	LEASE_REPORT_HELLO,
	LEASE_REPORT_LINE, /* with the whole line, however many pieces it came in */
	LEASE_REPORT_EXIT, /* with the number */
	LEASE_REPORT_SIGNAL,
};

/* What the controller hears. */
struct lease_reports {
	char nonce[LEASE_NONCE_CHARS + 1];
	size_t line_bytes_max;
	bool is_greeted, is_over;
	size_t noise_bytes;
	char *frame; /* one that has not ended yet */
	size_t frame_len;
	char *line; /* pieces of a line that has not ended yet */
	size_t line_len, line_cap;
};

typedef void (*on_lease_report)(
    void *user, enum lease_report report, const char *line, size_t len, int number);

/* -ENOMEM. `line_bytes_max`: a longer line is an error of lease_reports_feed(). */
int lease_reports_init(
    struct lease_reports *reports, const char *nonce, size_t line_bytes_max);
void lease_reports_finish(struct lease_reports *reports);

/* -EPROTO: not framed, wrong greeting; -EMSGSIZE: a line too long; -ENOMEM. What follows
 * EXIT or SIGNAL is ignored. After an error nothing more may be fed. `on_report` must not
 * feed or finish. */
int lease_reports_feed(struct lease_reports *reports, const char *bytes, size_t len,
    on_lease_report on_report, void *user);

#endif
