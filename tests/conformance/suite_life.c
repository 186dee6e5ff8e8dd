/* SPDX-License-Identifier: MIT */
#include "tests/conformance/suite_life.h"

#include "base/clock.h"
#include "harness/plugin/plugin.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct e3_transport *suite_life_table;

static e3_nanos host_now(void *ctx)
{
	(void)ctx;
	return clock_monotonic_ns();
}

static void host_log(void *ctx, uint32_t level, const char *fmt, ...)
{
	struct suite_life *life = ctx;
	size_t used = strlen(life->log);
	va_list args;

	(void)level;
	va_start(args, fmt);
	vsnprintf(life->log + used, SUITE_LIFE_LOG_BYTES - used, fmt, args);
	va_end(args);
}

static int host_signal(void *ctx, e3_party peer, struct e3_iov message)
{
	(void)ctx, (void)peer, (void)message;
	return 0;
}

void suite_life_begin(
    struct suite_life *life, const char *const *options, const char *folder)
{
	static const char *addresses[] = {"10.99.2.2", "10.99.0.2"};

	memset(life, 0, sizeof(*life));
	snprintf(life->folder, sizeof(life->folder), "%s",
	    folder != NULL ? folder : "/tmp/e3-life-XXXXXX");
	if (folder == NULL)
		assert_non_null(mkdtemp(life->folder));
	uv_loop_init(&life->loop);
	life->host = (struct e3_host){
	    .struct_size = sizeof(life->host),
	    .ctx = life,
	    .loop = &life->loop,
	    .now = host_now,
	    .log = host_log,
	    .state_folder = life->folder,
	    .addresses = addresses,
	    .signal = host_signal,
	};
	suite_hosts_enter(2);
	assert_int_equal(suite_life_table->endpoint_create(
			     &life->host, 0, 2, options, &life->endpoint),
	    0);
}

int suite_life_prepare(struct suite_life *life)
{
	life->card_bytes = sizeof(life->card);
	return suite_life_table->prepare(
	    life->endpoint, SUITE_LIFE_MS, life->card, &life->card_bytes);
}

int suite_life_up(struct suite_life *life, const char *peer_card)
{
	struct e3_iov cards[2] = {
	    {life->card, life->card_bytes}, {peer_card, strlen(peer_card)}};

	return suite_life_table->up(life->endpoint, SUITE_LIFE_MS, cards);
}

void suite_life_must(struct suite_life *life, int rc)
{
	if (rc < 0)
		fail_msg("%s: %s", strerror(-rc), life->log);
}

/* Forget the endpoint without taking anything down. */
void suite_life_drop(struct suite_life *life)
{
	suite_life_table->endpoint_destroy(life->endpoint);
	uv_run(&life->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&life->loop), 0);
	suite_hosts_leave();
}

int suite_life_files(const char *folder)
{
	DIR *dir = opendir(folder);
	int n = -2;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

/* down and finalise in a fresh process; the folder must be empty then. */
void suite_life_clean(const char *folder)
{
	struct suite_life life;

	suite_life_begin(&life, NULL, folder);
	suite_life_must(&life, suite_life_table->down(life.endpoint, SUITE_LIFE_MS));
	suite_life_must(&life, suite_life_table->down(life.endpoint, SUITE_LIFE_MS));
	suite_life_must(&life, suite_life_table->finalise(life.endpoint, SUITE_LIFE_MS));
	suite_life_must(&life, suite_life_table->finalise(life.endpoint, SUITE_LIFE_MS));
	assert_int_equal(suite_life_files(folder), 0);
	rmdir(folder);
	suite_life_drop(&life);
}

void suite_life_is_as(const char *before)
{
	char *after = suite_life_look();

	size_t same = 0;

	while (before[same] != '\0' && before[same] == after[same])
		same++;
	if (before[same] != after[same])
		fail_msg("was: %.200s\nis: %.200s", before + same, after + same);
	free(after);
}

int suite_life_file_has(const char *path, const char *word)
{
	static char bytes[1u << 20];
	FILE *file = fopen(path, "re");
	size_t n = file != NULL ? fread(bytes, 1, sizeof(bytes), file) : 0;

	if (file != NULL)
		fclose(file);
	return memmem(bytes, n, word, strlen(word)) != NULL;
}

char *suite_life_look(void)
{
	static const char *const folders[] = {"/run/wireguard", NULL};

	return suite_hosts_snapshot(2, folders);
}

pid_t suite_life_daemon(const char *folder)
{
	char path[128];
	FILE *file;
	int pid = 0;

	snprintf(path, sizeof(path), "%s/daemon", folder);
	file = fopen(path, "re");
	if (file != NULL) {
		assert_int_equal(fscanf(file, "%d", &pid), 1);
		fclose(file);
	}
	return pid;
}

int suite_life_run(const char *plugin, const struct CMUnitTest *tests, size_t n_tests)
{
	const char *missing = suite_hosts_missing();
	struct plugin *loaded;
	struct error err = {0};
	int rc;

	if (missing != NULL) {
		printf("# skip: %s\nok 1 - life of %s # SKIP\n1..1\n", missing, plugin);
		return 0;
	}
	if (plugin_load(plugin, &loaded, &err) < 0 || suite_hosts_up(3) < 0) {
		printf("not ok 1 - set-up %s\n1..1\n", err.text);
		return 1;
	}
	suite_life_table = &loaded->table;
	rc = _cmocka_run_group_tests(plugin, tests, n_tests, NULL, NULL);
	suite_hosts_down();
	plugin_destroy(loaded);
	return rc;
}
