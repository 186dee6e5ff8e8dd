/* SPDX-License-Identifier: MIT */
/* The framing between controller and lease: what it says, and what it makes of a liar. */
#include "harness/fleet/lease_frame.h"

#include "base/random.h"
#include "tests/tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NONCE "0123456789abcdef0123456789abcdef"

/* What was reported, as text: "H", "L<len>:<text cut at 20>", "E<n>", "S<n>". */
struct heard {
	char text[4096];
	size_t len;
	uint64_t n_events, n_bytes;
};

static void note(struct heard *heard, const char *what, const char *bytes, size_t len)
{
	heard->n_events++;
	heard->n_bytes += len;
	if (heard->len + 64 > sizeof(heard->text))
		return;
	heard->len += (size_t)snprintf(heard->text + heard->len, 60, "%s%.*s;", what,
	    (int)(len < 20 ? len : 20), bytes ? bytes : "");
}

static void on_report(
    void *user, enum lease_report report, const char *line, size_t len, int number)
{
	static const char marks[] = {'H', 'L', 'E', 'S'};
	char what[32];

	if (report == LEASE_REPORT_LINE)
		snprintf(what, sizeof(what), "L%zu:", len);
	else if (report == LEASE_REPORT_HELLO)
		snprintf(what, sizeof(what), "H");
	else
		snprintf(what, sizeof(what), "%c%d", marks[report], number);
	note(user, what, line, len);
}

static void on_order(void *user, enum lease_order order, const char *bytes, size_t len)
{
	static const char *const marks[] = {"beat", "data:", "end", "cancel"};

	assert_true(!bytes || order == LEASE_ORDER_DATA);
	note(user, marks[order], bytes, len);
}

/* Whole, and cut into pieces of every size. */
static void check_reports(const char *bytes, size_t len, int rc_want, const char *want)
{
	for (size_t step = len; step > 0; step = step > 40 ? 40 : step - 1) {
		struct lease_reports reports;
		struct heard heard = {0};
		int rc = 0;

		assert_int_equal(lease_reports_init(&reports, NONCE, 100000), 0);
		for (size_t at = 0; at < len && rc == 0; at += step)
			rc = lease_reports_feed(&reports, bytes + at,
			    len - at < step ? len - at : step, on_report, &heard);
		lease_reports_finish(&reports);
		assert_int_equal(rc, rc_want);
		assert_string_equal(heard.text, want);
	}
}

static void test_reports(void **state)
{
#define CHECK(text, rc, want) check_reports(text, sizeof(text) - 1, rc, want)
	(void)state;
	CHECK("HELLO " NONCE "\n>one\nBEAT\n>\n>BEAT\nEXIT 3\n", 0,
	    "H;L3:one;L0:;L4:BEAT;E3;");
	CHECK("Welcome!\n\nHELLO\nHELLO " NONCE "\nSIGNAL 9\n>more\n", 0, "H;S9;");
	CHECK("HELLO " NONCE "\n+ab\nBEAT\n+cd\n>e\n>f\nEXIT 0\n", 0,
	    "H;L5:abcde;L1:f;E0;");
	CHECK("HELLO " NONCE "\n>a\0\1\r\377\nEXIT 255\n", 0, "H;L5:a;E255;");
	CHECK("HELLO 1123456789abcdef0123456789abcdef\nEXIT 0\n", 0, "");
	CHECK("HELLO " NONCE "\nnoise\n", -EPROTO, "H;");
	CHECK("HELLO " NONCE "\nEXIT 256\n", -EPROTO, "H;");
	CHECK("HELLO " NONCE "\nEXIT -1\n", -EPROTO, "H;");
	CHECK("HELLO " NONCE "\nEXIT \n", -EPROTO, "H;");
	CHECK("HELLO " NONCE "\nEXIT 1x\n", -EPROTO, "H;");
	CHECK("HELLO " NONCE "\nSIGNAL 0\n", -EPROTO, "H;");
	CHECK("HELLO " NONCE "\nSIGNAL 65\n", -EPROTO, "H;");
	CHECK("HELLO " NONCE "\n+half\nEXIT 0\n", -EPROTO, "H;");
	CHECK("HELLO " NONCE "\nHELLO " NONCE "\n", -EPROTO, "H;");
	CHECK("HELLO " NONCE "\n\n", -EPROTO, "H;");
#undef CHECK
}

static int feed(struct lease_reports *reports, char mark, size_t len, char end)
{
	static struct heard heard;
	char *bytes = malloc(len + 2);
	int rc;

	bytes[0] = mark;
	memset(bytes + 1, 'x', len);
	bytes[len + 1] = end;
	rc = lease_reports_feed(reports, bytes, len + 2, on_report, &heard);
	free(bytes);
	return rc;
}

static void test_bounds(void **state)
{
	struct lease_reports reports;
	struct heard heard = {0};
	int rc = 0;

	(void)state;
	/* A line of the greatest length, then one byte more. */
	lease_reports_init(&reports, NONCE, 3 * LEASE_PIECE_BYTES);
	lease_reports_feed(&reports, "HELLO " NONCE "\n", 39, on_report, &heard);
	for (int i = 0; i < 2; i++)
		assert_int_equal(feed(&reports, '+', LEASE_PIECE_BYTES, '\n'), 0);
	assert_int_equal(feed(&reports, '>', LEASE_PIECE_BYTES, '\n'), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(feed(&reports, '+', LEASE_PIECE_BYTES, '\n'), 0);
	assert_int_equal(feed(&reports, '>', 1, '\n'), -EMSGSIZE);
	lease_reports_finish(&reports);

	/* A frame longer than any. */
	lease_reports_init(&reports, NONCE, 3 * LEASE_PIECE_BYTES);
	lease_reports_feed(&reports, "HELLO " NONCE "\n", 39, on_report, &heard);
	assert_int_equal(feed(&reports, '>', LEASE_PIECE_BYTES, 'x'), -EPROTO);
	lease_reports_finish(&reports);

	/* Noise without end before the greeting. */
	lease_reports_init(&reports, NONCE, 100);
	for (int i = 0; i < 100000 && rc == 0; i++)
		rc = lease_reports_feed(&reports, "Welcome!\n", 9, on_report, &heard);
	assert_int_equal(rc, -EPROTO);
	lease_reports_finish(&reports);
}

static void check_orders(const char *bytes, size_t len, int rc_want, const char *want)
{
	for (size_t step = len; step > 0; step = step > 40 ? 40 : step - 1) {
		struct lease_orders orders = {0};
		struct heard heard = {0};
		int rc = 0;

		for (size_t at = 0; at < len && rc == 0; at += step)
			rc = lease_orders_feed(&orders, bytes + at,
			    len - at < step ? len - at : step, on_order, &heard);
		assert_int_equal(rc, rc_want);
		if (step == len)
			assert_string_equal(heard.text, want);
	}
}

static void test_orders(void **state)
{
#define CHECK(text, rc, want) check_orders(text, sizeof(text) - 1, rc, want)
	(void)state;
	CHECK("BEAT\nDATA 5\na\nb\ncEND\nBEAT\nCANCEL\n", 0,
	    "beat;data:a\nb\nc;end;beat;cancel;");
	CHECK("DATA 0\nDATA 4\nEND\nEND\n", 0, "data:END\n;end;");
	CHECK("DATA 1048577\n", -EPROTO, "");
	CHECK("DATA -1\n", -EPROTO, "");
	CHECK("DATA\n", -EPROTO, "");
	CHECK("DATA  5\nabcde", -EPROTO, "");
	CHECK("BEAT \n", -EPROTO, "");
	CHECK("\n", -EPROTO, "");
	CHECK("BEATBEATBEATBEATBEATBEATBEAT", -EPROTO, "");
#undef CHECK
}

/* Frames taken apart and put together wrongly must never do more than end in an error. */
static void test_hostile(void **state)
{
	static const char *const words[] = {"HELLO ", NONCE, "\n", ">", "+", "BEAT\n",
	    "EXIT ", "SIGNAL ", "0", "255", "DATA ", "17\n", "1048576\n", "END\n",
	    "CANCEL\n", "-", " ", "\0", "9999999999", "HELLO " NONCE "\n"};
	struct random_stream random;
	uint64_t n_fed = 0;

	(void)state;
	random_stream_seed(&random, 3);
	for (int round = 0; round < 20000; round++) {
		struct lease_reports reports;
		struct lease_orders orders = {0};
		struct heard heard = {0};
		int rc = 0, rc_orders = 0;

		lease_reports_init(&reports, NONCE, 1000);
		if (round % 2)
			lease_reports_feed(
			    &reports, "HELLO " NONCE "\n", 39, on_report, &heard);
		for (int i = 0; i < 60; i++) {
			char bytes[64];
			uint64_t which = random_stream_below(&random, 26);
			size_t len = 1 + (size_t)random_stream_below(&random, 40);

			for (size_t k = 0; k < len; k++)
				bytes[k] = (char)random_stream_below(&random, 256);
			if (which < 20) {
				len = strlen(words[which]) + (which == 17);
				memcpy(bytes, words[which], len);
			}
			if (rc == 0)
				rc = lease_reports_feed(
				    &reports, bytes, len, on_report, &heard);
			if (rc_orders == 0)
				rc_orders = lease_orders_feed(
				    &orders, bytes, len, on_order, &heard);
			n_fed += len;
		}
		assert_true(rc == 0 || rc == -EPROTO || rc == -EMSGSIZE);
		assert_true(rc_orders == 0 || rc_orders == -EPROTO);
		assert_true(reports.line_len <= 1000);
		lease_reports_finish(&reports);
	}
	printf("# %llu bytes fed\n", (unsigned long long)n_fed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reports),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_orders),
	    cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
