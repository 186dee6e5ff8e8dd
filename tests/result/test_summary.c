/* SPDX-License-Identifier: MIT */
/* What people see, against files of this folder. E3_GOLDEN_UPDATE=1 writes them anew. */
#include "harness/result/clean_text.h"
#include "harness/result/rtt_heatmap.h"
#include "harness/result/summary.h"
#include "harness/result/text_wrap.h"
#include "tests/result/made_document.h"
#include "tests/tap.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH "results/distant-4-20261121T094107Z.json"

static char folder[64];
static struct result *made;

static int make(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/e3-test-summary-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	made = made_document(folder);
	return result_finish(made, RESULT_PARTIAL, "stopped by Ctrl-C", NULL);
}

static int forget(void **state)
{
	(void)state;
	unlink(result_path(made));
	result_destroy(made);
	return rmdir(folder);
}

static char *printed(const cJSON *document, const struct terminal *terminal)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	summary_print(document, PATH, out, terminal);
	fclose(out);
	return text;
}

static void update(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void is_golden(const char *name, const struct terminal *terminal)
{
	char *text = printed(result_document(made), terminal), *golden;
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", FOLDER, name);
	if (getenv("E3_GOLDEN_UPDATE") != NULL)
		update(path, text);
	file = fopen(path, "r");
	assert_non_null(file);
	golden = calloc(1, 65536);
	assert_true(fread(golden, 1, 65535, file) > 0);
	fclose(file);
	assert_string_equal(text, golden);
	free(golden);
	free(text);
}

static void plain_text(void **state)
{
	const struct terminal terminal = {0};

	(void)state;
	is_golden("golden_summary_plain.txt", &terminal);
}

static void boxes_on_a_narrow_terminal(void **state)
{
	const struct terminal terminal = {.is_tty = 1, .columns = 80, .has_utf8 = 1};

	(void)state;
	is_golden("golden_summary_80.txt", &terminal);
}

static void colours(void **state)
{
	const struct terminal terminal = {
	    .is_tty = 1, .columns = 130, .has_utf8 = 1, .colors = COLORS_TRUE};

	(void)state;
	is_golden("golden_summary_colour.txt", &terminal);
}

/* Every line of every box has the same width, whatever the terminal. */
static void boxes_are_straight(void **state)
{
	(void)state;
	for (uint32_t columns = 20; columns < 140; columns++) {
		const struct terminal terminal = {
		    .is_tty = 1, .columns = columns, .has_utf8 = 1};
		char *text = printed(result_document(made), &terminal), *rest = text;
		size_t width = 0;

		for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
			if (strncmp(line, "\u256d", 3) == 0)
				width = clean_text_columns(line);
			else if (strncmp(line, "\u2502", 3) == 0 ||
				 strncmp(line, "\u251c", 3) == 0 ||
				 strncmp(line, "\u2570", 3) == 0)
				assert_int_equal(clean_text_columns(line), width);
		}
		/* Never wider than asked, once it is possible at all. */
		assert_true(columns < 60 || width <= columns);
		free(text);
	}
}

static void no_escape_codes_without_colours(void **state)
{
	const struct terminal terminal = {.is_tty = 1, .columns = 100, .has_utf8 = 1};
	char *text = printed(result_document(made), &terminal);

	(void)state;
	assert_null(strchr(text, '\033'));
	free(text);
}

static void any_document_prints(void **state)
{
	static const char *const documents[] = {"{}", "{\"cells\":[]}",
	    "{\"cells\":[{}],\"calibration\":{\"pairs\":[{}]}}",
	    "{\"cells\":[{\"cell\":{\"workload\":7,\"parties\":\"x\"}}]}",
	    "{\"cells\":[{\"figures\":{\"wall_ns\":{\"median\":-1}}}]}",
	    "{\"cells\":[{\"figures\":{\"round_ns\":{\"p50\":1e300}}}]}",
	    "{\"cells\":[{\"figures\":{\"decomposition\":{}}}]}",
	    "{\"calibration\":{\"pairs\":[{\"from\":99,\"to\":1e9}]}}",
	    "{\"calibration\":{\"pairs\":[{\"from\":0,\"to\":9,\"rtt_ns\":null}]}}",
	    "{\"calibration\":{\"taints\":[null]},\"null\":[3]}",
	    "{\"cells\":7,\"null\":{},\"notes\":[1],\"name\":[],\"status\":null}"};
	const struct terminal terminal = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(documents) / sizeof(*documents); i++) {
		cJSON *document = cJSON_Parse(documents[i]);
		char *text;

		assert_non_null(document);
		text = printed(document, &terminal);
		assert_non_null(strstr(text, "result: " PATH));
		free(text);
		cJSON_Delete(summary_json(document, NULL));
		cJSON_Delete(document);
	}
}

static void a_hostile_document_moves_no_cursor(void **state)
{
	const struct terminal terminal = {.is_tty = 1, .columns = 100, .has_utf8 = 1};
	char *text = cJSON_PrintUnformatted(result_document(made)), *shown;
	cJSON *document = cJSON_Parse(text), *cell;

	(void)state;
	cJSON_ReplaceItemInObject(document, "name", cJSON_CreateString("\033[2J"));
	cJSON_AddItemToArray(
	    cJSON_GetObjectItem(document, "notes"), cJSON_CreateString("\033[2J"));
	cJSON_ArrayForEach(cell, cJSON_GetObjectItem(document, "cells"))
	{
		cJSON_ReplaceItemInObject(cell, "error", cJSON_CreateString("\033[2J"));
		cJSON_ReplaceItemInObject(cJSON_GetObjectItem(cell, "cell"), "transport",
		    cJSON_CreateString("\033[2J"));
	}
	shown = printed(document, &terminal);
	assert_null(strchr(shown, '\033'));
	free(shown);
	cJSON_free(text);
	cJSON_Delete(document);
}

static void summary_as_json(void **state)
{
	cJSON *json = summary_json(result_document(made), PATH);
	char *text = cJSON_PrintUnformatted(json);

	(void)state;
	assert_string_equal(cJSON_GetObjectItem(json, "path")->valuestring, PATH);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "cells")), 6);
	assert_null(strstr(text, "HISTFAAA"));
	assert_null(strstr(text, "\"blocks\":["));
	assert_non_null(strstr(text, "network_efficiency"));
	cJSON_free(text);
	cJSON_Delete(json);
}

static void set(const char *name, const char *value)
{
	if (value == NULL)
		unsetenv(name);
	else
		setenv(name, value, 1);
}

static void terminals_are_told_apart(void **state)
{
	struct terminal terminal;
	int fds[2];

	(void)state;
	set("COLUMNS", "200");
	set("COLORTERM", "truecolor");
	set("TERM", "xterm");
	assert_int_equal(pipe(fds), 0);
	terminal_detect(fds[1], &terminal);
	assert_true(!terminal.is_tty && terminal.colors == COLORS_NONE &&
		    terminal.columns == 0 && !terminal.has_utf8);
	close(fds[0]);
	close(fds[1]);
}

/* On a pseudo-terminal: TERM, COLORTERM, NO_COLOR, LC_ALL, LANG, COLUMNS; what follows.
 */
static const struct {
	const char *term, *colorterm, *no_color, *lc_all, *lang, *columns;
	struct terminal expected;
} settings[] = {
    {"xterm", "truecolor", NULL, NULL, "C.UTF-8", "120", {1, 120, COLORS_TRUE, 1}},
    {"xterm", "24bit", "", NULL, "en_GB.utf8", "120", {1, 120, COLORS_TRUE, 1}},
    {"xterm", NULL, NULL, "C", "C.UTF-8", NULL, {1, 80, COLORS_256, 0}},
    {"xterm", "truecolor", "1", NULL, "C.UTF-8", "5", {1, 20, COLORS_NONE, 1}},
    {"dumb", "truecolor", NULL, NULL, "C.UTF-8", "-3", {1, 80, COLORS_NONE, 0}},
    {NULL, NULL, NULL, NULL, NULL, "99999999", {1, 1000, COLORS_NONE, 0}},
};

static void terminals_show_what_they_can(void **state)
{
	int fd = posix_openpt(2 /* O_RDWR */);

	(void)state;
	if (fd < 0)
		skip_because("no pseudo-terminal here");
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		struct terminal terminal;

		set("TERM", settings[i].term);
		set("COLORTERM", settings[i].colorterm);
		set("NO_COLOR", settings[i].no_color);
		set("LC_ALL", settings[i].lc_all);
		set("LC_CTYPE", NULL);
		set("LANG", settings[i].lang);
		set("COLUMNS", settings[i].columns);
		terminal_detect(fd, &terminal);
		assert_int_equal(terminal.is_tty, settings[i].expected.is_tty);
		assert_int_equal(terminal.columns, settings[i].expected.columns);
		assert_int_equal(terminal.colors, settings[i].expected.colors);
		assert_int_equal(terminal.has_utf8, settings[i].expected.has_utf8);
	}
	close(fd);
}

static void clean_text(void **state)
{
	char out[16];

	(void)state;
	assert_true(clean_text_is("M\u00fcnchen \u2192 \U0001F600"));
	assert_false(clean_text_is("a\033[2J"));
	assert_false(clean_text_is("a\x7f"));
	assert_false(clean_text_is("\xc2\x9b"
				   "2J"));               /* C1 control */
	assert_false(clean_text_is("\xc0\xaf"));         /* overlong */
	assert_false(clean_text_is("\xed\xa0\x80"));     /* surrogate */
	assert_false(clean_text_is("\xf4\x90\x80\x80")); /* above U+10FFFF */
	assert_false(clean_text_is("\xe2\x82"));         /* cut */
	assert_string_equal(
	    clean_text_copy(out, sizeof(out), "a\nb\tc\033d\xff"), "a b c?d?");
	assert_string_equal(clean_text_copy(out, 4, "ab\u00fc"), "ab");
	assert_int_equal(clean_text_columns("a\u00fc\u2192"), 3);
}

static void only_what_is_no_utf8_is_mended(void **state)
{
	cJSON *json = cJSON_Parse("{\"a\":[\"line\\n\\u001b\\u0085\",1,null]}");
	char *text;

	(void)state;
	cJSON_AddStringToObject(json, "k\xff\xe2\x82", "\xc0\xaf \xed\xa0\x80 \xc3");
	cJSON_AddItemToArray(cJSON_GetObjectItem(json, "a"), cJSON_CreateString("\xfe"));
	text = cJSON_PrintUnformatted(clean_text_json(json));
	assert_string_equal(text, "{\"a\":[\"line\\n\\u001b\xc2\x85\",1,null,\"?\"],"
				  "\"k???\":\"?? ??? ?\"}");
	cJSON_free(text);
	cJSON_Delete(json);
	assert_null(clean_text_json(NULL));
}

static void long_sentences_are_wrapped(void **state)
{
	static const struct {
		const char *text, *wrapped;
		uint32_t columns;
	} table[] = {
	    {"  one two three", "  one two three\n", 0},
	    {"  one two three", "  one two three\n", 15},
	    {"  one two three", "  one two\n    three\n", 14},
	    {"  one two three", "  one\n    two\n    three\n", 8},
	    {"two twothree four", "two\n    twothree\n    four\n", 4},
	    {"\xc3\xa9t\xc3\xa9 \xc3\xa9", "\xc3\xa9t\xc3\xa9 \xc3\xa9\n", 5},
	    {"", "\n", 10},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const struct terminal terminal = {.columns = table[i].columns};
		char *text = NULL;
		size_t len;
		FILE *out = open_memstream(&text, &len);

		text_wrap(table[i].text, 4, out, &terminal);
		fclose(out);
		assert_string_equal(text, table[i].wrapped);
		free(text);
	}
}

/* One party has no round to tell of, and no delay that it could be efficient against. */
static void one_party_alone_has_no_rounds(void **state)
{
	const struct terminal terminal = {0};
	cJSON *document = cJSON_Parse(
	    "{\"name\":\"x\",\"status\":\"complete\",\"cells\":[{\"cell\":{"
	    "\"transport\":\"tcp\",\"workload\":\"w\",\"size\":\"low\",\"mode\":null,"
	    "\"parties\":1},\"status\":\"ok\",\"figures\":{\"round_ns\":{\"count\":0,"
	    "\"p50\":0,\"p99\":0},\"network_efficiency\":null,"
	    "\"wall_ns\":{\"median\":182000}}}]}");
	char *text = printed(document, &terminal);

	(void)state;
	assert_null(strstr(text, "0 ns"));
	assert_non_null(strstr(text, "182 us"));
	free(text);
	cJSON_Delete(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_text),
	    cmocka_unit_test(boxes_on_a_narrow_terminal),
	    cmocka_unit_test(colours),
	    cmocka_unit_test(boxes_are_straight),
	    cmocka_unit_test(no_escape_codes_without_colours),
	    cmocka_unit_test(any_document_prints),
	    cmocka_unit_test(a_hostile_document_moves_no_cursor),
	    cmocka_unit_test(summary_as_json),
	    cmocka_unit_test(terminals_are_told_apart),
	    cmocka_unit_test(terminals_show_what_they_can),
	    cmocka_unit_test(clean_text),
	    cmocka_unit_test(only_what_is_no_utf8_is_mended),
	    cmocka_unit_test(long_sentences_are_wrapped),
	    cmocka_unit_test(one_party_alone_has_no_rounds),
	};

	return cmocka_run_group_tests(tests, make, forget);
}
