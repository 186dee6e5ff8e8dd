/* SPDX-License-Identifier: MIT */
/* The life of the overlay wireguard on a host: what it leaves behind (nothing), after
 * crashes of any step too, and where its key is. */
#include "tests/conformance/suite_life.h"
#include "tests/conformance/suite_mesh.h"
#include "tests/tap.h"
#include "transports/wireguard/wireguard_card.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CRASHES  16
#define PEER_KEY "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="

static const struct transport_under_test tested = {
    .plugin = "wireguard",
    .parties = 2,
    .has_signals = 1,
    .enter = suite_hosts_enter,
    .address = suite_hosts_address,
};

static int wireguard_life_up(struct suite_life *life)
{
	return suite_life_up(life, "wireguard 1\nkey " PEER_KEY "\nport 51820\n");
}

static void a_whole_life_leaves_nothing(void **state)
{
	char *before = suite_life_look(), *during;
	struct suite_life life;

	(void)state;
	suite_life_begin(&life, NULL, NULL);
	suite_life_must(&life, suite_life_prepare(&life));
	suite_life_must(&life, wireguard_life_up(&life));
	suite_life_must(&life, wireguard_life_up(&life)); /* idempotent */
	during = suite_life_look();
	assert_non_null(strstr(during, "10.78.0.1/24"));
	assert_non_null(strstr(during, "mtu 1420") ? during : strstr(during, "e3wg"));
	free(during);
	suite_life_must(&life, suite_life_table->down(life.endpoint, SUITE_LIFE_MS));
	suite_life_must(&life, suite_life_prepare(&life));
	suite_life_must(&life, wireguard_life_up(&life)); /* again, with the same key */
	suite_life_must(&life, suite_life_table->down(life.endpoint, SUITE_LIFE_MS));
	suite_life_must(&life, suite_life_table->finalise(life.endpoint, SUITE_LIFE_MS));
	assert_int_equal(suite_life_files(life.folder), 0);
	rmdir(life.folder);
	suite_life_drop(&life);
	suite_life_is_as(before);
	free(before);
}

/* A number among the facts, -1 if it isn't there. */
static long fact(const struct suite_life *life, const char *key)
{
	char facts[2048] = "";
	const char *at;

	assert_int_equal(
	    suite_life_table->endpoint_facts(life->endpoint, facts, sizeof(facts)), 0);
	at = strstr(facts, key);
	return at != NULL && at[strlen(key)] == '=' ? atol(at + strlen(key) + 1) : -1;
}

/* wireguard-go has the sockets: what was asked for, and not less than that. */
static void udp_buffers_are_wide(void **state)
{
	static const char *const narrow[] = {"udp_buffer_kib", "0", NULL};
	struct suite_life life;

	(void)state;
	for (int i = 0; i < 2; i++) {
		suite_life_begin(&life, i == 0 ? NULL : narrow, NULL);
		suite_life_must(&life, suite_life_prepare(&life));
		suite_life_must(&life, wireguard_life_up(&life));
		if (suite_life_daemon(life.folder) != 0)
			assert_int_equal(fact(&life, "udp_buffer_bytes"),
			    i == 0 ? 2 * 7168 * 1024 : 0);
		assert_int_equal(fact(&life, "udp_dropped_packets"), 0);
		assert_null(strstr(life.log, "stay as they are"));
		suite_life_must(
		    &life, suite_life_table->finalise(life.endpoint, SUITE_LIFE_MS));
		rmdir(life.folder);
		suite_life_drop(&life);
	}
}

static void identity_is_kept_until_finalise(void **state)
{
	unsigned char first[E3_CARD_BYTES_MAX];
	char folder[64];
	struct suite_life life;

	(void)state;
	suite_life_begin(&life, NULL, NULL);
	suite_life_must(&life, suite_life_prepare(&life));
	memcpy(first, life.card, life.card_bytes);
	strcpy(folder, life.folder);
	suite_life_drop(&life);
	suite_life_begin(&life, NULL, folder);
	suite_life_must(&life, suite_life_prepare(&life));
	assert_memory_equal(first, life.card, life.card_bytes);
	suite_life_must(&life, suite_life_table->finalise(life.endpoint, SUITE_LIFE_MS));
	suite_life_must(&life, suite_life_prepare(&life));
	assert_true(memcmp(first, life.card, life.card_bytes) != 0);
	suite_life_drop(&life);
	suite_life_clean(folder);
}

/* A child goes through the first steps and dies by SIGKILL, itself or at any moment. */
static void crash(const char *folder, int steps, unsigned kill_after_us)
{
	pid_t child = fork();
	struct suite_life life;

	assert_true(child >= 0);
	if (child == 0) {
		suite_life_begin(&life, NULL, folder);
		if (steps > 0)
			suite_life_prepare(&life);
		if (steps > 1)
			wireguard_life_up(&life);
		kill(getpid(), SIGKILL);
	}
	if (kill_after_us > 0) {
		usleep(kill_after_us);
		kill(child, SIGKILL);
	}
	waitpid(child, NULL, 0);
}

static void crashes_are_cleaned_up(void **state)
{
	char *before = suite_life_look();

	(void)state;
	for (int i = 0; i < CRASHES; i++) {
		char folder[] = "/tmp/e3-life-XXXXXX";

		assert_non_null(mkdtemp(folder));
		if (i < 3)
			crash(folder, i, 0);
		else
			crash(folder, 2, (unsigned)(i - 2) * 4000);
		suite_life_clean(folder);
		suite_life_is_as(before);
	}
	free(before);
}

static void a_living_daemon_is_found_by_its_file(void **state)
{
	char *before = suite_life_look(), folder[64];
	struct suite_life life;

	(void)state;
	suite_life_begin(&life, NULL, NULL);
	suite_life_must(&life, suite_life_prepare(&life));
	suite_life_must(&life, wireguard_life_up(&life));
	strcpy(folder, life.folder);
	if (suite_life_daemon(life.folder) > 0)
		assert_int_equal(kill(suite_life_daemon(life.folder), 0), 0);
	suite_life_drop(&life); /* nothing was taken down */
	suite_life_clean(folder);
	suite_life_is_as(before);
	free(before);
}

static void a_killed_daemon_leaves_nothing(void **state)
{
	char *before = suite_life_look(), folder[64];
	struct suite_life life;

	(void)state;
	suite_life_begin(&life, NULL, NULL);
	suite_life_must(&life, suite_life_prepare(&life));
	suite_life_must(&life, wireguard_life_up(&life));
	strcpy(folder, life.folder);
	if (suite_life_daemon(life.folder) > 0)
		kill(suite_life_daemon(life.folder), SIGKILL);
	suite_life_drop(&life);
	suite_life_clean(folder);
	suite_life_is_as(before);
	free(before);
}

/* A process that got the number of a dead daemon is not ours to end. */
static void a_recycled_process_number_is_left_alone(void **state)
{
	char folder[] = "/tmp/e3-life-XXXXXX", path[128];
	pid_t bystander = fork();
	FILE *file;

	(void)state;
	if (bystander == 0) {
		pause();
		_exit(0);
	}
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/daemon", folder);
	file = fopen(path, "we");
	fprintf(file, "%d 1\n", (int)bystander);
	fclose(file);
	snprintf(path, sizeof(path), "%s/interface", folder);
	file = fopen(path, "we");
	fprintf(file, "e3wg00000000");
	fclose(file);
	suite_life_clean(folder);
	assert_int_equal(waitpid(bystander, NULL, WNOHANG), 0);
	kill(bystander, SIGKILL);
	waitpid(bystander, NULL, 0);
}

static void the_private_key_is_in_one_file(void **state)
{
	static const char *const places[] = {"cmdline", "environ"};
	char path[128], key[64] = "", folder[64];
	struct stat st;
	struct suite_life life;
	FILE *file;

	(void)state;
	suite_life_begin(&life, NULL, NULL);
	suite_life_must(&life, suite_life_prepare(&life));
	suite_life_must(&life, wireguard_life_up(&life));
	strcpy(folder, life.folder);
	snprintf(path, sizeof(path), "%s/key", folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	file = fopen(path, "re");
	assert_non_null(fgets(key, sizeof(key), file));
	fclose(file);
	assert_int_equal(strlen(key), WIREGUARD_KEY_CHARS);
	assert_null(strstr(life.log, key));
	assert_null(memmem(life.card, life.card_bytes, key, strlen(key)));
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s",
		    (int)suite_life_daemon(life.folder), places[i]);
		assert_false(suite_life_file_has(path, key));
	}
	snprintf(path, sizeof(path), "%s/log", folder);
	assert_false(suite_life_file_has(path, key));
	snprintf(path, sizeof(path), "%s/interface", folder);
	assert_false(suite_life_file_has(path, key));
	suite_life_drop(&life);
	suite_life_clean(folder);
}

static void a_short_deadline_is_kept(void **state)
{
	char *before = suite_life_look();
	struct suite_life life;
	uint64_t began;

	(void)state;
	suite_life_begin(&life, NULL, NULL);
	suite_life_must(&life, suite_life_prepare(&life));
	for (uint32_t ms = 0; ms < 12; ms += 3) {
		static const char peer[] = "wireguard 1\nkey " PEER_KEY "\nport 51820\n";
		struct e3_iov cards[2] = {
		    {life.card, life.card_bytes}, {peer, strlen(peer)}};

		began = suite_now_ms();
		if (suite_life_table->up(life.endpoint, ms, cards) == 0)
			suite_life_must(
			    &life, suite_life_table->down(life.endpoint, SUITE_LIFE_MS));
		assert_true(suite_now_ms() - began < 10000);
		suite_life_is_as(before);
		suite_hosts_enter(2);
	}
	suite_life_drop(&life);
	suite_life_clean(life.folder);
	free(before);
}

/* The interface goes in the middle of a run: a sentence, and no waiting for TCP. */
static void a_dead_daemon_loses_the_channels(void **state)
{
	struct suite_mesh *mesh = suite_start(&tested, 2, NULL);
	struct suite_end *a, *b;
	pid_t process;

	(void)state;
	suite_join(mesh, 0, 1, 0, &a, &b);
	suite_send_all(a, 1000, 10);
	suite_wait(mesh, b->n_messages == 10);
	process = suite_life_daemon(mesh->parties[0].state_folder);
	if (process <= 0) {
		suite_finish(mesh);
		skip_because("the kernel's WireGuard has no process to kill");
	}
	kill(process, SIGKILL);
	suite_wait(mesh, a->n_lost == 1);
	assert_int_equal(a->lost_status, -ENETDOWN);
	assert_non_null(strstr(mesh->parties[0].last_error, "has ended"));
	suite_finish(mesh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_whole_life_leaves_nothing),
	    cmocka_unit_test(udp_buffers_are_wide),
	    cmocka_unit_test(identity_is_kept_until_finalise),
	    cmocka_unit_test(crashes_are_cleaned_up),
	    cmocka_unit_test(a_living_daemon_is_found_by_its_file),
	    cmocka_unit_test(a_killed_daemon_leaves_nothing),
	    cmocka_unit_test(a_recycled_process_number_is_left_alone),
	    cmocka_unit_test(the_private_key_is_in_one_file),
	    cmocka_unit_test(a_short_deadline_is_kept),
	    cmocka_unit_test(a_dead_daemon_loses_the_channels),
	};

	return suite_life_run("wireguard", tests, sizeof(tests) / sizeof(tests[0]));
}
