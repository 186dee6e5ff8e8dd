/* SPDX-License-Identifier: MIT */
/* Manners: what a plugin declares and reports, which options it refuses, and what it
 * leaves alone in the process that is its host. */
#include "tests/conformance/suite_tests.h"

#include "tests/tap.h"

#include <dirent.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void suite_declares_itself(void **state)
{
	struct plugin *plugin;
	struct error err = {0};
	const char *const *texts;

	(void)state;
	if (plugin_load(suite_tested->plugin, &plugin, &err) < 0)
		fail_msg("%s", err.text);
	texts = &plugin->declared.layer;
	for (int i = 0; i < 7; i++) {
		assert_in_range(strlen(texts[i]), 1, 400);
		assert_null(strchr(texts[i], '\n'));
	}
	assert_in_range(strlen(plugin->table.summary), 1, 100);
	assert_null(strchr(plugin->table.summary, '\n'));
	plugin->table.endpoint_destroy(NULL);
	plugin_destroy(plugin);
}

static void refuses(struct suite_mesh *mesh, const char *key, const char *value)
{
	const char *options[] = {key, value, NULL, NULL};
	struct suite_party *party = &mesh->parties[0];
	struct e3_endpoint *endpoint = NULL;

	party->last_error[0] = '\0';
	suite_enter(mesh, 0);
	assert_int_equal(mesh->plugin->table.endpoint_create(
			     &party->host, 0, mesh->n, options, &endpoint),
	    -EINVAL);
	assert_null(endpoint);
	if (strstr(party->last_error, key) == NULL)
		fail_msg("'%s' does not name the option %s", party->last_error, key);
	if (mesh->plugin->table.options_check != NULL) {
		char reason[512] = "";

		assert_int_equal(
		    mesh->plugin->table.options_check(options, reason, sizeof(reason)),
		    -EINVAL);
		if (strstr(reason, key) == NULL)
			fail_msg("'%s' does not name the option %s", reason, key);
	}
}

/* Options that a test gives are good ones. */
static void takes(const struct e3_transport *table, const char *const *options)
{
	char reason[512] = "";

	if (options != NULL && table->options_check != NULL &&
	    table->options_check(options, reason, sizeof(reason)) != 0)
		fail_msg("options that it takes are refused before: %s", reason);
}

void suite_refuses_bad_options(void **state)
{
	struct suite_mesh *mesh = suite_start(suite_tested, 2, NULL);
	struct suite_party *party = &mesh->parties[0];
	struct e3_endpoint *endpoint = NULL;

	(void)state;
	takes(&mesh->plugin->table, suite_tested->options);
	takes(&mesh->plugin->table, suite_tested->options_turned);
	takes(&mesh->plugin->table, suite_tested->options_hasty);
	refuses(mesh, "no-such-option", "1");
	refuses(mesh, "", "1");
	if (suite_tested->options_hasty != NULL) {
		const char *key = suite_tested->options_hasty[0];

		refuses(mesh, key, NULL);
		refuses(mesh, key, "");
		refuses(mesh, key, "-1");
		refuses(mesh, key, "12x");
		refuses(mesh, key, "99999999999999999999999");
	}
	suite_enter(mesh, 0);
	assert_int_equal(mesh->plugin->table.endpoint_create(
			     &party->host, mesh->n, mesh->n, NULL, &endpoint),
	    -EINVAL);
	suite_finish(mesh);
}

static void check_facts(const char *facts)
{
	while (*facts != '\0') {
		size_t len = strcspn(facts, "\n");
		const char *equals = memchr(facts, '=', len);

		assert_non_null(equals);
		assert_true(equals > facts);
		assert_int_equal(facts[len], '\n');
		facts += len + 1;
	}
}

void suite_reports_facts_and_stats(void **state)
{
	struct suite_mesh *mesh = suite_start(suite_tested, 2, NULL);
	const struct e3_transport *table = &mesh->plugin->table;
	struct suite_end *a, *b;
	struct link_stats stats;
	char facts[4096], tiny[2];

	(void)state;
	suite_join(mesh, 0, 1, 0, &a, &b);
	suite_send_all(a, 1000, 50);
	suite_wait(mesh, b->n_messages == 50 && a->n_done == 50);
	link_stats(a->link, &stats);
	assert_int_equal(stats.messages_sent, 50);
	assert_int_equal(stats.payload_bytes_sent, 50000);
	if (stats.wire.wire_bytes_sent != E3_UNKNOWN)
		assert_in_range(stats.wire.wire_bytes_sent, 50000, 100000);
	assert_true(
	    stats.wire.queued_bytes == 0 || stats.wire.queued_bytes == E3_UNKNOWN);
	link_stats(b->link, &stats);
	assert_int_equal(stats.messages_received, 50);
	assert_int_equal(stats.payload_bytes_received, 50000);
	if (table->endpoint_facts != NULL) {
		suite_enter(mesh, 0);
		assert_int_equal(table->endpoint_facts(
				     mesh->parties[0].endpoint, facts, sizeof(facts)),
		    0);
		check_facts(facts);
		assert_true(table->endpoint_facts(
				mesh->parties[0].endpoint, tiny, sizeof(tiny)) <= 0);
	}
	suite_finish(mesh);
}

static int count_entries(const char *folder)
{
	DIR *dir = opendir(folder);
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

struct process_state {
	struct sigaction actions[64];
	sigset_t blocked;
	char locale[256], folder[512];
	mode_t umask;
	int n_threads, n_descriptors;
	size_t environment;
};

extern char **environ;

static void look(struct process_state *out)
{
	memset(out, 0, sizeof(*out));
	for (int number = 1; number < 64; number++)
		sigaction(number, NULL, &out->actions[number]);
	sigprocmask(SIG_SETMASK, NULL, &out->blocked);
	snprintf(out->locale, sizeof(out->locale), "%s", setlocale(LC_ALL, NULL));
	assert_non_null(getcwd(out->folder, sizeof(out->folder)));
	out->umask = umask(0);
	umask(out->umask);
	out->n_threads = count_entries("/proc/self/task");
	out->n_descriptors = count_entries("/proc/self/fd");
	for (char **at = environ; *at != NULL; at++)
		out->environment += strlen(*at);
}

static void use_it(void)
{
	struct suite_mesh *mesh = suite_start(suite_tested, 2, NULL);
	struct suite_end *a, *b;

	suite_join(mesh, 0, 1, 0, &a, &b);
	suite_send_all(a, 100000, 5);
	suite_wait(mesh, b->n_messages == 5);
	suite_finish(mesh);
}

void suite_leaves_the_process_alone(void **state)
{
	static struct process_state before, after;
	struct plugin *plugin;

	(void)state;
	use_it(); /* what is loaded once may stay */
	look(&before);
	use_it();
	look(&after);
	for (int number = 1; number < 64; number++)
		assert_ptr_equal(
		    before.actions[number].sa_handler, after.actions[number].sa_handler);
	assert_memory_equal(&before.blocked, &after.blocked, sizeof(before.blocked));
	assert_string_equal(before.locale, after.locale);
	assert_string_equal(before.folder, after.folder);
	assert_int_equal(before.umask, after.umask);
	assert_int_equal(before.environment, after.environment);
	assert_int_equal(before.n_descriptors, after.n_descriptors);
	assert_int_equal(plugin_load(suite_tested->plugin, &plugin, NULL), 0);
	if (!(plugin->table.caps & E3_CAP_THREADS))
		assert_int_equal(before.n_threads, after.n_threads);
	plugin_destroy(plugin);
	/* Nothing at all before any use: the handlers of a fresh process. */
	assert_ptr_equal(before.actions[SIGPIPE].sa_handler, SIG_DFL);
	assert_ptr_equal(before.actions[SIGCHLD].sa_handler, SIG_DFL);
}
