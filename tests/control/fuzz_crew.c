/* SPDX-License-Identifier: MIT */
/*
 * What parties say to the controller, altered: lines cut, flipped, repeated, swapped,
 * with members of other types and sizes. The crew ends in a sentence that names the party
 * or goes on; what it hands round to other parties is whole messages; a report that it
 * took is read or refused; and a card that it hands round is one to its transport, or is
 * not.
 *
 *	fuzz_crew [lines [seed]]
 */
#include "base/random.h"
#include "harness/control/answer.h"
#include "harness/control/crew.h"
#include "harness/result/party_report.h"
#include "tests/control/fake_fleet.h"
#include "tests/tap.h"
#include "transports/wireguard/wireguard_card.h"

#include <e3/transport.h>

#include <stdlib.h>
#include <string.h>

#define PARTIES    FAKE_FLEET_HOSTS
#define LINE_BYTES 4096u

static uint64_t n_lines_wanted = 40000, first_seed = 1;

/* What an honest party says, in order. */
static const char *const script[] = {
    "{\"t\":\"prepared\",\"card\":"
    "\"d2lyZWd1YXJkIDEKa2V5IEFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQ"
    "UFBQUFBQUFBQUFBQUFBQT0KcG9ydCA1MTgyMAo=\",\"prepare_ns\":12}",
    "{\"t\":\"log\",\"level\":1,\"text\":\"up soon\"}",
    "{\"t\":\"up\",\"exchange_ns\":5,\"up_ns\":7}",
    "{\"t\":\"signal\",\"to\":1,\"endpoint\":0,\"data\":\"aGVsbG8=\"}",
    "{\"t\":\"open\",\"open_ns\":9}",
    "{\"t\":\"signal\",\"to\":2,\"endpoint\":1,\"data\":\"\"}",
    "{\"t\":\"report\",\"party\":0,\"measured\":{\"rounds\":1,\"histograms\":[],"
    "\"pairs\":[]},"
    "\"phases_ns\":{\"run\":12345},\"output\":{\"values\":[1,2,0],\"attempts\":1},"
    "\"process\":{\"cpu_user_ns\":1,\"cpu_sys_ns\":2,\"rss_max_bytes\":3},\"facts\":{},"
    "\"channels\":[{\"peer\":1,\"lane\":0,\"wire_bytes_sent\":null}]}",
    "{\"t\":\"hung_up\"}",
    "{\"t\":\"closed\",\"close_ns\":1,\"down_ns\":2,\"finalise_ns\":3}",
    /* Not said in order. */
    "{\"t\":\"error\",\"phase\":\"run\",\"code\":\"lost\",\"text\":\"party 2 is gone\"}",
};
#define N_SCRIPT    (sizeof(script) / sizeof(script[0]))
#define N_HONEST    (N_SCRIPT - 1)
#define GO_AFTER    5u
#define CLOSE_AFTER 6u
#define DOWN_AFTER  7u

static const char *const odd_values[] = {"null", "true", "-1", "1e308", "1e400", "\"\"",
    "[]", "{}", "[[[[[[[[[[]]]]]]]]]]", "18446744073709551616", "0.5", "\"\\u0000\"",
    "\"%s%n\"", "\"AAAA\"", "9007199254740993", "10", "\"=\""};

/* The value after a random colon becomes another. */
static void change_value(struct random_stream *random, char *line)
{
	char copy[LINE_BYTES], *colon = line;
	uint64_t skip = random_stream_below(random, 12);
	const char *value = odd_values[random_stream_below(
	    random, sizeof(odd_values) / sizeof(odd_values[0]))];

	for (char *next = strchr(line, ':'); next != NULL && skip-- > 0;
	     next = strchr(next + 1, ':'))
		colon = next;
	if (*colon != ':')
		return;
	snprintf(copy, sizeof(copy), "%.*s%s%s", (int)(colon + 1 - line), line, value,
	    colon + 1 + strcspn(colon + 1, ",}"));
	strcpy(line, copy);
}

/* One line, one in `rare` altered; its length. */
static size_t make_line(
    struct random_stream *random, size_t place, uint64_t rare, char line[LINE_BYTES])
{
	int is_altered = random_stream_below(random, rare) == 0;
	size_t len;

	if (is_altered && random_stream_below(random, 4) == 0)
		place = random_stream_below(random, N_SCRIPT);
	strcpy(line, script[place]);
	len = strlen(line);
	switch (is_altered ? random_stream_below(random, 7) : 7) {
	case 0:
		return random_stream_below(random, len + 1);
	case 1:
		line[random_stream_below(random, len)] = (char)random_stream_next(random);
		return len;
	case 2:
		for (size_t i = 0; i < len; i++)
			line[i] = (char)random_stream_next(random);
		return len;
	case 3:
	case 4:
		change_value(random, line);
		return strlen(line);
	case 5:
		memmove(line + len / 2, line, len - len / 2);
		return len;
	default:
		return len;
	}
}

/* A card as its transport reads it; any bytes. */
static void read_card(const cJSON *item)
{
	unsigned char bytes[E3_CARD_BYTES_MAX];
	struct wireguard_card card;
	int64_t len = party_message_bytes(item, "card", bytes, sizeof(bytes), NULL);

	if (len < 0)
		return;
	if (wireguard_card_read(
		&card, (struct e3_iov){.base = bytes, .len = (size_t)len}) == 0 &&
	    (card.port == 0 || !wireguard_card_is_key(card.key, strlen(card.key))))
		fail_msg("a card of no key or port was taken");
}

/* What a party was sent: lines, each a message whose parts can be read. */
static void check_written(uint32_t party)
{
	static unsigned char bytes[PARTY_SIGNAL_BYTES_MAX];
	size_t len;
	const char *at = fake_fleet_written(party, &len), *end = at + len;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		cJSON *message, *card;

		assert_non_null(newline);
		message = cJSON_ParseWithLength(at, (size_t)(newline - at));
		if (!cJSON_IsObject(message))
			fail_msg("party %u was sent no message", party);
		party_message_bytes(message, "data", bytes, sizeof(bytes), NULL);
		cJSON_ArrayForEach(card,
		    cJSON_GetObjectItemCaseSensitive(message, "cards")) read_card(card);
		cJSON_Delete(message);
		at = newline + 1;
	}
}

static void check_reports(struct crew *crew)
{
	const struct workload *santa = workload_find("secret-santa");
	const struct workload_task task = {.size = "3", .field_bits = 61};
	const cJSON *reports[PARTIES];
	struct error err = {0};

	for (uint32_t p = 0; p < PARTIES; p++) {
		const struct crew_member *member = &crew->members[p];
		struct party_report report = {0};

		reports[p] = member->report;
		if (member->report_line == NULL)
			continue;
		err.text[0] = '\0';
		if (party_report_read(member->report_line, member->report_bytes, p,
			PARTIES, &report, &err) < 0 &&
		    err.text[0] == '\0')
			fail_msg("a report was refused without a sentence");
		party_report_finish(&report);
	}
	err.text[0] = '\0';
	if (answer_check(santa, &task, reports, PARTIES, &err) < 0 && err.text[0] == '\0')
		fail_msg("an answer was refused without a sentence");
}

static int names_its_host(const struct crew *crew)
{
	for (uint32_t p = 0; p < PARTIES; p++) {
		char words[64];

		snprintf(words, sizeof(words), "party %u on %s", p, crew->hosts[p]);
		if (strncmp(crew->failure.text, words, strlen(words)) == 0)
			return 1;
	}
	return 0;
}

/* A signal of the script: to parties 1 and 2. */
static int is_to_itself(size_t place, uint32_t party)
{
	return (place == 3 && party == 1) || (place == 5 && party == 2);
}

/* One crew, from its start to its end. Returns the lines said. */
static uint64_t run(uint64_t seed, uint64_t *n_failed)
{
	static struct crew crew;
	struct random_stream random;
	uint64_t n_lines = 0, rare;
	uv_loop_t loop;

	random_stream_seed(&random, seed);
	rare = UINT64_C(1) << random_stream_below(&random, 8);
	uv_loop_init(&loop);
	fake_fleet_start_crew(&crew, &loop, "wireguard");
	for (size_t place = 0; place < N_HONEST; place++) {
		for (uint32_t p = 0; p < PARTIES; p++, n_lines++) {
			char line[LINE_BYTES];
			size_t len;

			if (is_to_itself(place, p))
				continue;
			len = make_line(&random, place, rare, line);
			fake_fleet_say(p, line, len);
		}
		if (place == 0)
			crew_send_cards(&crew);
		else if (place == GO_AFTER)
			crew_send(&crew, "go");
		else if (place == CLOSE_AFTER)
			crew_send(&crew, "close");
		else if (place == DOWN_AFTER)
			crew_send(&crew, "down");
	}
	if (crew.failure.code != 0) {
		++*n_failed;
		if (!names_its_host(&crew))
			fail_msg("seed %llu: no party or host is named: %s",
			    (unsigned long long)seed, crew.failure.text);
	}
	for (uint32_t p = 0; p < PARTIES; p++)
		fake_fleet_end(p);
	crew_end(&crew, 1000);
	for (uint32_t p = 0; p < PARTIES; p++)
		check_written(p);
	check_reports(&crew);
	crew_finish(&crew);
	assert_int_equal(uv_loop_close(&loop), 0);
	return n_lines;
}

static void anything_may_be_said(void **state)
{
	uint64_t n_lines = 0, n_failed = 0, seed = first_seed;

	(void)state;
	for (; n_lines < n_lines_wanted; seed++)
		n_lines += run(seed, &n_failed);
	printf("# %llu lines, seeds %llu .. %llu, %llu crews refused\n",
	    (unsigned long long)n_lines, (unsigned long long)first_seed,
	    (unsigned long long)(seed - 1), (unsigned long long)n_failed);
	assert_true(n_failed > 0 && n_failed < seed - first_seed);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(anything_may_be_said)};

	if (argc > 1)
		n_lines_wanted = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		first_seed = strtoull(argv[2], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
