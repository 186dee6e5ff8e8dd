/* SPDX-License-Identifier: MIT */
/* What the overlay wireguard needs of a host and of the other parties, and what it says
 * when that is missing, in use or wrong. */
#include "tests/conformance/suite_life.h"
#include "tests/tap.h"
#include "transports/wireguard/wireguard_card.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PEER_KEY "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="

static int wireguard_life_up(struct suite_life *life)
{
	return suite_life_up(life, "wireguard 1\nkey " PEER_KEY "\nport 51820\n");
}

static void wrong_cards_are_named(void **state)
{
	char own[E3_CARD_BYTES_MAX], folder[64];
	char *before = suite_life_look();
	struct suite_life life;

	(void)state;
	suite_life_begin(&life, NULL, NULL);
	assert_true(wireguard_life_up(&life) < 0); /* before prepare */
	suite_life_must(&life, suite_life_prepare(&life));
	strcpy(folder, life.folder);
	assert_int_equal(suite_life_up(&life, ""), -EPROTO);
	assert_non_null(strstr(life.log, "the card of party 1 is none"));
	assert_int_equal(
	    suite_life_up(&life, "wireguard 1\nkey secret\nport 1\n"), -EPROTO);
	snprintf(own, sizeof(own), "%.*s", (int)life.card_bytes, (const char *)life.card);
	assert_int_equal(suite_life_up(&life, own), -EPROTO);
	assert_non_null(strstr(life.log, "parties 0 and 1 show the same public key"));
	memcpy(life.card + 16, PEER_KEY, 8);
	assert_int_equal(wireguard_life_up(&life), -EPROTO);
	assert_non_null(strstr(life.log, "is not the one that it made"));
	suite_life_drop(&life);
	suite_life_clean(folder);
	suite_life_is_as(before);
	free(before);
}

static void what_is_in_use_is_named(void **state)
{
	static const char *const elsewhere[] = {"udp_port", "0", NULL};
	struct suite_life first, second;

	(void)state;
	suite_life_begin(&first, NULL, NULL);
	suite_life_must(&first, suite_life_prepare(&first));
	suite_life_must(&first, wireguard_life_up(&first));
	suite_life_begin(&second, NULL, NULL);
	assert_int_equal(suite_life_prepare(&second), -EADDRINUSE);
	assert_non_null(strstr(second.log, "UDP port 51820"));
	suite_life_drop(&second);
	suite_life_clean(second.folder);
	suite_life_begin(&second, elsewhere, NULL);
	suite_life_must(&second, suite_life_prepare(&second));
	assert_int_equal(wireguard_life_up(&second), -EADDRINUSE);
	assert_non_null(
	    strstr(second.log, "network 10.78.0.0/24 is in use on interface e3wg"));
	suite_life_drop(&second);
	suite_life_clean(second.folder);
	suite_life_drop(&first);
	suite_life_clean(first.folder);
}

/* In a child with a mount namespace of its own: hide a file, then try. */
static void hidden(const char *path, const char *says)
{
	char cover[] = "/tmp/e3-cover-XXXXXX";
	int fd = mkstemp(cover), status; /* mode 0600: not to be run */
	pid_t child = fork();

	assert_true(fd >= 0 && child >= 0);
	if (child == 0) {
		char reason[512] = "";
		int rc;

		if (unshare(CLONE_NEWNS) < 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount(cover, path, NULL, MS_BIND, NULL) < 0)
			_exit(3);
		rc = suite_life_table->supported(reason, sizeof(reason));
		if (rc != -ENOTSUP || strstr(reason, says) == NULL) {
			fprintf(stderr, "without %s: %d '%s'\n", path, rc, reason);
			_exit(1);
		}
		_exit(0);
	}
	waitpid(child, &status, 0);
	close(fd);
	unlink(cover);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void what_is_missing_is_unsupported(void **state)
{
	char reason[512] = "";

	(void)state;
	if (suite_life_table->supported(reason, sizeof(reason)) < 0)
		fail_msg("%s", reason);
	hidden("/usr/bin/wg", "apt-get install wireguard-tools");
	if (access("/usr/bin/wireguard-go", X_OK) == 0 &&
	    access("/sys/module/wireguard", F_OK) < 0) {
		hidden("/usr/bin/wireguard-go", "apt-get install wireguard-go");
		hidden("/dev/net/tun", "modprobe tun");
	}
}

/* Programs of our own in front of the host's. */
static char stand_in_folder[] = "/tmp/e3-stand-in-XXXXXX";

static void stand_in(const char *name, const char *script)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", stand_in_folder, name);
	file = fopen(path, "we");
	fprintf(file, "#!/bin/sh\n%s", script);
	fclose(file);
	chmod(path, 0755);
}

static void stand_ins_begin(char *saved, size_t saved_bytes)
{
	char path[2048];

	strcpy(strrchr(stand_in_folder, '-'), "-XXXXXX");
	assert_non_null(mkdtemp(stand_in_folder));
	snprintf(saved, saved_bytes, "%s", getenv("PATH"));
	snprintf(path, sizeof(path), "%s:%s", stand_in_folder, saved);
	setenv("PATH", path, 1);
}

static void stand_ins_end(const char *saved)
{
	static const char *const names[] = {"ip", "wg", "wireguard-go", "config"};
	char path[128];

	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", stand_in_folder, names[i]);
		unlink(path);
	}
	rmdir(stand_in_folder);
	setenv("PATH", saved, 1);
}

/* A kernel without WireGuard, dressed as one that has it: `ip` makes a bridge instead,
 * `wg` writes down what it is told. */
static void a_kernel_interface_is_taken_first(void **state)
{
	char *before = suite_life_look(), saved[2048], path[128], facts[1024];
	struct suite_life life;

	(void)state;
	stand_ins_begin(saved, sizeof(saved));
	stand_in("ip",
	    "[ \"$6\" = wireguard ] && set -- link add dev \"$4\" type bridge\n"
	    "[ \"$6\" = bridge ] || [ \"$1\" = -batch ] || [ \"$2\" = del ] || exit 1\n"
	    "exec /usr/sbin/ip \"$@\"\n");
	stand_in("wg", "[ \"$1\" = setconf ] || exec /usr/bin/wg \"$@\"\n"
		       "cat \"$3\" >\"${0%/*}/config\"\n");
	suite_life_begin(&life, NULL, NULL);
	suite_life_must(&life, suite_life_prepare(&life));
	suite_life_must(&life, wireguard_life_up(&life));
	assert_int_equal(
	    suite_life_table->endpoint_facts(life.endpoint, facts, sizeof(facts)), 0);
	assert_non_null(strstr(facts, "implementation=kernel\n"));
	assert_int_equal(suite_life_daemon(life.folder), 0);
	snprintf(path, sizeof(path), "%s/config", stand_in_folder);
	assert_true(suite_life_file_has(path, "[Interface]\nPrivateKey = "));
	assert_true(suite_life_file_has(path,
	    "\nListenPort = 51820\n[Peer]\nPublicKey = " PEER_KEY
	    "\nAllowedIPs = 10.78.0.2/32\nEndpoint = 10.99.0.2:51820\n"));
	suite_life_must(&life, suite_life_table->down(life.endpoint, SUITE_LIFE_MS));
	suite_life_drop(&life);
	suite_life_clean(life.folder);
	stand_ins_end(saved);
	suite_life_is_as(before);
	free(before);
}

static void no_kernel_interface_is_unsupported(void **state)
{
	static const char *const options[] = {"implementation", "kernel", NULL};
	struct suite_life life;

	(void)state;
	if (access("/sys/module/wireguard", F_OK) == 0)
		skip_because("this kernel has WireGuard");
	suite_life_begin(&life, options, NULL);
	suite_life_must(&life, suite_life_prepare(&life));
	assert_int_equal(wireguard_life_up(&life), -ENOTSUP);
	assert_non_null(strstr(life.log, "modprobe wireguard"));
	suite_life_drop(&life);
	suite_life_clean(life.folder);
}

static void the_newest_wireguard_go_is_taken(void **state)
{
	static const char *const options[] = {"implementation", "wireguard-go", NULL};
	char saved[2048], facts[1024];
	struct suite_life life;

	(void)state;
	stand_ins_begin(saved, sizeof(saved));
	stand_in("wireguard-go",
	    "[ \"$1\" = --version ] && echo wireguard-go v0.0.20991231 && exit\n"
	    "exec /usr/bin/wireguard-go \"$@\"\n");
	suite_life_begin(&life, options, NULL);
	suite_life_must(&life, suite_life_prepare(&life));
	suite_life_must(&life, wireguard_life_up(&life));
	assert_int_equal(
	    suite_life_table->endpoint_facts(life.endpoint, facts, sizeof(facts)), 0);
	assert_non_null(
	    strstr(facts, "implementation=wireguard-go\nversion=v0.0.20991231\n"));
	suite_life_must(&life, suite_life_table->down(life.endpoint, SUITE_LIFE_MS));
	stand_in("wireguard-go",
	    "[ \"$1\" = --version ] && echo wireguard-go v0.0.20991231 && exit\n"
	    "echo something >&2; echo no luck today >&2; exit 3\n");
	assert_int_equal(wireguard_life_up(&life), -EIO);
	assert_non_null(strstr(life.log, "wireguard-go ended: no luck today"));
	suite_life_drop(&life);
	suite_life_clean(life.folder);
	stand_ins_end(saved);
}

static void damaged_cards_are_refused(void **state)
{
	struct wireguard_card card = {.key = PEER_KEY, .port = 51820}, back;
	char text[128], copy[128];
	int len = wireguard_card_write(&card, text, sizeof(text));

	(void)state;
	assert_true(len > 0);
	assert_int_equal(
	    wireguard_card_read(&back, (struct e3_iov){text, (size_t)len}), 0);
	assert_string_equal(back.key, card.key);
	assert_int_equal(back.port, card.port);
	assert_int_equal(wireguard_card_write(&card, copy, 60), -ENOSPC);
	for (int cut = 0; cut < len; cut++)
		assert_int_equal(
		    wireguard_card_read(&back, (struct e3_iov){text, (size_t)cut}),
		    -EPROTO);
	for (int at = 0; at < len; at++)
		for (int value = 0; value < 256; value++) {
			memcpy(copy, text, (size_t)len);
			copy[at] = (char)value;
			if (wireguard_card_read(
				&back, (struct e3_iov){copy, (size_t)len}) == 0) {
				assert_true(
				    wireguard_card_is_key(back.key, strlen(back.key)));
				assert_true(back.port > 0);
			}
		}
	memset(copy, 'A', sizeof(copy));
	assert_int_equal(
	    wireguard_card_read(&back, (struct e3_iov){copy, sizeof(copy)}), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(wrong_cards_are_named),
	    cmocka_unit_test(what_is_in_use_is_named),
	    cmocka_unit_test(what_is_missing_is_unsupported),
	    cmocka_unit_test(a_kernel_interface_is_taken_first),
	    cmocka_unit_test(no_kernel_interface_is_unsupported),
	    cmocka_unit_test(the_newest_wireguard_go_is_taken),
	    cmocka_unit_test(damaged_cards_are_refused),
	};

	return suite_life_run("wireguard", tests, sizeof(tests) / sizeof(tests[0]));
}
