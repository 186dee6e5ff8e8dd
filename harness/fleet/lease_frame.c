/* SPDX-License-Identifier: MIT */
#include "harness/fleet/lease_frame.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The longest frame from the lease: its mark and a piece of a line. */
#define FRAME_BYTES_MAX (LEASE_PIECE_BYTES + 1)

/* Decimal digits only, at least one, at most `max`; -1 otherwise. */
static int64_t parse_number(const char *text, size_t len, int64_t max)
{
	int64_t value = 0;

	if (len == 0 || len > 10)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value <= max ? value : -1;
}

static bool is_word(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(text, word, len) == 0;
}

static bool begins(const char *text, size_t len, const char *word)
{
	return len >= strlen(word) && memcmp(text, word, strlen(word)) == 0;
}

static int orders_header(struct lease_orders *orders, on_lease_order on_order, void *user)
{
	const char *text = orders->header;
	size_t len = orders->header_len;
	int64_t bytes;

	orders->header_len = 0;
	if (is_word(text, len, "BEAT")) {
		on_order(user, LEASE_ORDER_BEAT, NULL, 0);
	} else if (is_word(text, len, "END")) {
		on_order(user, LEASE_ORDER_END, NULL, 0);
	} else if (is_word(text, len, "CANCEL")) {
		on_order(user, LEASE_ORDER_CANCEL, NULL, 0);
	} else if (begins(text, len, "DATA ")) {
		bytes = parse_number(text + 5, len - 5, LEASE_DATA_BYTES_MAX);
		if (bytes < 0)
			return -EPROTO;
		orders->data_left = (size_t)bytes;
	} else {
		return -EPROTO;
	}
	return 0;
}

int lease_orders_feed(struct lease_orders *orders, const char *bytes, size_t len,
    on_lease_order on_order, void *user)
{
	while (len > 0) {
		size_t n = 1;

		if (orders->data_left > 0) {
			n = len < orders->data_left ? len : orders->data_left;
			orders->data_left -= n;
			on_order(user, LEASE_ORDER_DATA, bytes, n);
		} else if (*bytes == '\n') {
			int rc = orders_header(orders, on_order, user);

			if (rc < 0)
				return rc;
		} else if (orders->header_len < sizeof(orders->header)) {
			orders->header[orders->header_len++] = *bytes;
		} else {
			return -EPROTO;
		}
		bytes += n;
		len -= n;
	}
	return 0;
}

int lease_reports_init(
    struct lease_reports *reports, const char *nonce, size_t line_bytes_max)
{
	memset(reports, 0, sizeof(*reports));
	strncpy(reports->nonce, nonce, LEASE_NONCE_CHARS);
	reports->line_bytes_max = line_bytes_max;
	reports->frame = malloc(FRAME_BYTES_MAX);
	return reports->frame ? 0 : -ENOMEM;
}

void lease_reports_finish(struct lease_reports *reports)
{
	free(reports->frame);
	free(reports->line);
	memset(reports, 0, sizeof(*reports));
}

static int reports_add_piece(struct lease_reports *reports, const char *text, size_t len)
{
	size_t need = reports->line_len + len;

	if (len == 0)
		return 0;
	if (need > reports->line_bytes_max)
		return -EMSGSIZE;
	if (need > reports->line_cap) {
		size_t cap = need + need / 2 + LEASE_PIECE_BYTES;
		char *line = realloc(reports->line, cap);

		if (!line)
			return -ENOMEM;
		reports->line = line;
		reports->line_cap = cap;
	}
	memcpy(reports->line + reports->line_len, text, len);
	reports->line_len = need;
	return 0;
}

static int reports_line(struct lease_reports *reports, const char *text, size_t len,
    on_lease_report on_report, void *user)
{
	int rc;

	if (reports->line_len == 0) {
		if (len > reports->line_bytes_max)
			return -EMSGSIZE;
		on_report(user, LEASE_REPORT_LINE, text, len, 0);
		return 0;
	}
	rc = reports_add_piece(reports, text, len);
	if (rc < 0)
		return rc;
	on_report(user, LEASE_REPORT_LINE, reports->line, reports->line_len, 0);
	reports->line_len = 0;
	/* One line of megabytes must not cost memory for the rest of the run. */
	if (reports->line_cap > 16 * LEASE_PIECE_BYTES) {
		free(reports->line);
		reports->line = NULL;
		reports->line_cap = 0;
	}
	return 0;
}

static int reports_greeting(struct lease_reports *reports, const char *text, size_t len,
    on_lease_report on_report, void *user)
{
	if (begins(text, len, "HELLO ") && is_word(text + 6, len - 6, reports->nonce)) {
		reports->is_greeted = true;
		on_report(user, LEASE_REPORT_HELLO, NULL, 0, 0);
		return 0;
	}
	reports->noise_bytes += len + 1;
	return reports->noise_bytes > LEASE_NOISE_BYTES ? -EPROTO : 0;
}

static int reports_ending(struct lease_reports *reports, enum lease_report report,
    int64_t number, on_lease_report on_report, void *user)
{
	/* A piece without its end: the lease ends every line. */
	if (number < 0 || reports->line_len > 0)
		return -EPROTO;
	if (report == LEASE_REPORT_SIGNAL && number == 0)
		return -EPROTO;
	reports->is_over = true;
	on_report(user, report, NULL, 0, (int)number);
	return 0;
}

static int reports_frame(struct lease_reports *reports, const char *text, size_t len,
    on_lease_report on_report, void *user)
{
	if (!reports->is_greeted)
		return reports_greeting(reports, text, len, on_report, user);
	if (len > 0 && text[0] == '>')
		return reports_line(reports, text + 1, len - 1, on_report, user);
	if (len > 0 && text[0] == '+')
		return reports_add_piece(reports, text + 1, len - 1);
	if (is_word(text, len, "BEAT"))
		return 0;
	if (begins(text, len, "EXIT "))
		return reports_ending(reports, LEASE_REPORT_EXIT,
		    parse_number(text + 5, len - 5, 255), on_report, user);
	if (begins(text, len, "SIGNAL "))
		return reports_ending(reports, LEASE_REPORT_SIGNAL,
		    parse_number(text + 7, len - 7, 64), on_report, user);
	return -EPROTO;
}

int lease_reports_feed(struct lease_reports *reports, const char *bytes, size_t len,
    on_lease_report on_report, void *user)
{
	while (len > 0 && !reports->is_over) {
		const char *newline = memchr(bytes, '\n', len);
		size_t n = newline ? (size_t)(newline - bytes) : len;
		int rc;

		if (n > FRAME_BYTES_MAX - reports->frame_len)
			return -EPROTO;
		if (!newline || reports->frame_len > 0) {
			memcpy(reports->frame + reports->frame_len, bytes, n);
			reports->frame_len += n;
		}
		if (!newline)
			return 0;
		if (reports->frame_len > 0) {
			rc = reports_frame(
			    reports, reports->frame, reports->frame_len, on_report, user);
			reports->frame_len = 0;
		} else {
			rc = reports_frame(reports, bytes, n, on_report, user);
		}
		if (rc < 0)
			return rc;
		bytes += n + 1;
		len -= n + 1;
	}
	return 0;
}
