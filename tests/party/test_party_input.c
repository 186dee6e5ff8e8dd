/* SPDX-License-Identifier: MIT */
/* What a party reads: plans, members of messages, and the console, all of it hostile. */
#include "harness/link/loop_wait.h"
#include "harness/party/console.h"
#include "harness/party/party_message.h"
#include "tests/tap.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEADLINE_MS 60000u

static const char good_plan[] =
    "{\"t\":\"plan\",\"party\":1,\"parties\":2,\"addresses\":[\"10.0.0.1\",\"10.0.0.2\"],"
    "\"transport\":\"tcp\",\"options\":[\"nodelay\",\"1\"],\"workload\":\"rounds\","
    "\"size\":\"low\",\"field_bits\":61,\"seed\":\"18446744073709551615\",\"images\":0,"
    "\"probe_rate_hz\":0,\"probe_bytes\":64,\"step_ms\":1000,\"round_ms\":1000}";

static void a_good_plan_survives_the_trip(void **state)
{
	cJSON *json = cJSON_Parse(good_plan), *again;
	struct party_plan plan;
	struct error err = {0};

	(void)state;
	assert_int_equal(party_plan_parse(&plan, json, &err), 0);
	assert_int_equal(plan.self, 1);
	assert_string_equal(plan.addresses[1], "10.0.0.2");
	assert_string_equal(plan.options[1], "1");
	assert_true(plan.seed == UINT64_MAX);
	assert_null(plan.mode);
	again = party_plan_json(&plan);
	assert_true(cJSON_Compare(json, again, 1));
	party_plan_finish(&plan);
	cJSON_Delete(again);
	cJSON_Delete(json);
}

/* `value` in place of the member (NULL: without it). */
static void bad_plans_are_refused(void **state)
{
	static const struct {
		const char *key, *value, *says;
	} bad[] = {
	    {"party", NULL, "lacks the number 'party' (0 .. 9)"},
	    {"party", "2", "party 2 of 2 parties"},
	    {"party", "-1", "'party'"},
	    {"party", "0.5", "'party'"},
	    {"party", "1e300", "'party'"},
	    {"party", "\"1\"", "'party'"},
	    {"parties", "0", "party 1 of 0 parties"},
	    {"parties", "11", "'parties'"},
	    {"parties", "3", "2 addresses for 3 parties"},
	    {"addresses", "[]", "0 addresses"},
	    {"addresses", "\"10.0.0.1\"", "'addresses' is no list"},
	    {"addresses", "[\"a\",2]", "'addresses' holds something that is no text"},
	    {"addresses",
		"[\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\"]",
		"'addresses' is no list of at most 10"},
	    {"options", "{}", "'options' is no list"},
	    {"options", "[\"key\"]", "a key without a value"},
	    {"options", "[null,null]", "'options' holds something"},
	    {"transport", NULL, "lacks the text 'transport'"},
	    {"transport", "[]", "lacks the text 'transport'"},
	    {"workload", "7", "lacks the text 'workload'"},
	    {"size", NULL, "lacks the text 'size'"},
	    {"mode", "1", "lacks the text 'mode'"},
	    {"model_file", "{}", "lacks the text 'model_file'"},
	    {"images_file", "false", "lacks the text 'images_file'"},
	    {"field_bits", "4097", "'field_bits'"},
	    {"seed", "1", "lacks the text 'seed'"},
	    {"seed", "\"\"", "'seed' is no number"},
	    {"seed", "\"-1\"", "'seed' is no number"},
	    {"seed", "\"18446744073709551616\"", "'seed' is no number"},
	    {"seed", "\"1x\"", "'seed' is no number"},
	    {"images", "1001", "'images'"},
	    {"probe_rate_hz", "10001", "'probe_rate_hz'"},
	    {"probe_bytes", "65537", "'probe_bytes'"},
	    {"step_ms", "3600001", "'step_ms'"},
	    {"round_ms", NULL, "'round_ms'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cJSON *json = cJSON_Parse(good_plan);
		struct party_plan plan;
		struct error err = {0};
		int rc;

		cJSON_DeleteItemFromObject(json, bad[i].key);
		if (bad[i].value != NULL)
			cJSON_AddItemToObject(
			    json, bad[i].key, cJSON_Parse(bad[i].value));
		rc = party_plan_parse(&plan, json, &err);
		if (rc != -EPROTO || strncmp(err.text, "plan: ", 6) != 0 ||
		    strstr(err.text, bad[i].says) == NULL)
			fail_msg("%s = %s: %d '%s'", bad[i].key,
			    bad[i].value == NULL ? "nothing" : bad[i].value, rc,
			    err.text);
		party_plan_finish(&plan);
		cJSON_Delete(json);
	}
}

static void bytes_are_bounded(void **state)
{
	static const struct {
		const char *text;
		int64_t len;
	} cases[] = {
	    {"{\"data\":\"YWJj\"}", 3},
	    {"{\"data\":\"\"}", 0},
	    {"{\"data\":\"YWJjZA==\"}", -EPROTO}, /* 4 bytes */
	    {"{\"data\":\"Y\"}", -EPROTO},
	    {"{\"data\":\"%%%%\"}", -EPROTO},
	    {"{\"data\":\"YWJj====\"}", -EPROTO},
	    {"{\"data\":3}", -EPROTO},
	    {"{}", -EPROTO},
	    {"[]", -EPROTO},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cJSON *json = cJSON_Parse(cases[i].text);
		unsigned char *out = malloc(3);
		struct error err = {0};
		int64_t len = party_message_bytes(json, "data", out, 3, &err);

		if (len != cases[i].len)
			fail_msg("%s: %lld", cases[i].text, (long long)len);
		free(out);
		cJSON_Delete(json);
	}
}

/* A console, and a thread that writes to it. */
struct scene {
	struct console console;
	uv_loop_t loop;
	int pipe[2], out[2];
	const char *bytes;
	size_t len, repeats;
	int n_messages, n_ended;
	struct error why;
	char output[256];
};

static void on_message(void *user, const cJSON *message)
{
	assert_true(cJSON_IsObject(message));
	((struct scene *)user)->n_messages++;
}

static void on_ended(void *user, const struct error *why)
{
	((struct scene *)user)->n_ended++;
	((struct scene *)user)->why = *why;
}

static void *writer(void *user)
{
	struct scene *scene = user;

	for (size_t i = 0; i < scene->repeats; i++)
		for (size_t at = 0; at < scene->len;) {
			ssize_t n =
			    write(scene->pipe[1], scene->bytes + at, scene->len - at);

			if (n < 0)
				goto out;
			at += (size_t)n;
		}
out:
	close(scene->pipe[1]);
	return NULL;
}

static int has_ended(void *user)
{
	return ((struct scene *)user)->n_ended > 0;
}

static void run(struct scene *scene, const char *bytes, size_t len, size_t repeats)
{
	struct console_events events = {on_message, on_ended, scene};
	struct error err = {0};
	cJSON *answer;
	pthread_t thread;

	memset(scene, 0, sizeof(*scene));
	scene->bytes = bytes;
	scene->len = len;
	scene->repeats = repeats;
	assert_int_equal(pipe(scene->pipe), 0);
	assert_int_equal(pipe(scene->out), 0);
	uv_loop_init(&scene->loop);
	assert_int_equal(console_init(&scene->console, &scene->loop, scene->pipe[0],
			     scene->out[1], &events, &err),
	    0);
	assert_int_equal(pthread_create(&thread, NULL, writer, scene), 0);
	assert_int_equal(loop_wait(&scene->loop, DEADLINE_MS, has_ended, scene), 0);
	answer = party_message("closed");
	console_send(&scene->console, answer);
	assert_int_equal(read(scene->out[0], scene->output, 255), 15);
	console_finish(&scene->console);
	uv_run(&scene->loop, UV_RUN_NOWAIT);
	pthread_join(thread, NULL);
	assert_int_equal(uv_loop_close(&scene->loop), 0);
	close(scene->out[0]);
	close(scene->out[1]);
	assert_int_equal(scene->n_ended, 1);
	assert_string_equal(scene->output, "{\"t\":\"closed\"}\n");
}

static void a_console_reads_lines_until_the_end(void **state)
{
	static const char text[] = "{\"t\":\"go\"}\n";
	struct scene scene;

	(void)state;
	run(&scene, text, strlen(text), 20000);
	assert_int_equal(scene.n_messages, 20000);
	assert_int_equal(scene.why.code, -ECANCELED);
}

static void garbage_ends_a_console(void **state)
{
	static const char *const garbage[] = {"\n", "GET / HTTP/1.1\r\n", "[]\n", "7\n",
	    "\"go\"\n", "{\"t\":\n", "{}}\n{\n", "\x01\x80\xff\xfe\n", "nul\n"};
	struct scene scene;
	char *deep = malloc(200002);

	(void)state;
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		run(&scene, garbage[i], strlen(garbage[i]), 1);
		if (scene.n_messages > 1 || scene.why.code != -EPROTO)
			fail_msg("'%s': %d messages, %d '%s'", garbage[i],
			    scene.n_messages, scene.why.code, scene.why.text);
	}
	memset(deep, '[', 200000);
	deep[200000] = '\n';
	run(&scene, deep, 200001, 1);
	assert_int_equal(scene.why.code, -EPROTO);
	run(&scene, "\0\0\n", 3, 1);
	assert_int_equal(scene.why.code, -EPROTO);
	free(deep);
}

static void a_line_without_end_is_cut(void **state)
{
	struct scene scene;
	char *text = malloc(1 << 20);

	(void)state;
	memset(text, 'x', 1 << 20);
	run(&scene, text, 1 << 20, 1024);
	assert_int_equal(scene.why.code, -EPROTO);
	assert_non_null(strstr(scene.why.text, "a line without end"));
	assert_true(scene.console.line_room <= 4 * (size_t)PARTY_LINE_BYTES_MAX);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_good_plan_survives_the_trip),
	    cmocka_unit_test(bad_plans_are_refused),
	    cmocka_unit_test(bytes_are_bounded),
	    cmocka_unit_test(a_console_reads_lines_until_the_end),
	    cmocka_unit_test(garbage_ends_a_console),
	    cmocka_unit_test(a_line_without_end_is_cut),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
