/* SPDX-License-Identifier: MIT */
/* Keys as ssh-keygen and openssl write them; keys that are none. */
#include "harness/fleet/fleet.h"
#include "harness/fleet/ssh_session.h"

#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/e3-key-XXXXXX";

static int up(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int down(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

/* Runs it in the folder. */
static void shell(const char *command)
{
	char line[512];

	snprintf(line, sizeof(line), "cd %s && { %s; } >/dev/null 2>&1", folder, command);
	assert_int_equal(system(line), 0);
}

static const char *in_folder(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void test_made_key(void **state)
{
	struct fleet_key a, b, again;
	struct error err = {0};
	FILE *file;

	(void)state;
	assert_int_equal(fleet_key_make(&a, &err), 0);
	assert_int_equal(fleet_key_make(&b, &err), 0);
	assert_string_not_equal(a.public_line, b.public_line);
	file = fopen(in_folder("made"), "we");
	fchmod(fileno(file), 0600);
	fputs(a.private_pem, file);
	fclose(file);
	assert_int_equal(fleet_key_read(&again, in_folder("made"), &err), 0);
	assert_string_equal(again.public_line, a.public_line);
	assert_string_equal(again.private_pem, a.private_pem);
	fleet_key_finish(&a);
	for (size_t i = 0; i < sizeof(a); i++)
		assert_int_equal(((const char *)&a)[i], 0);
}

static void test_read_key(void **state)
{
	struct fleet_key key;
	struct error err = {0};
	char line[256];
	FILE *file;

	(void)state;
	shell("ssh-keygen -q -t ed25519 -N '' -C 'a comment' -f openssh");
	if (fleet_key_read(&key, in_folder("openssh"), &err) < 0)
		fail_msg("%s", err.text);
	file = fopen(in_folder("openssh.pub"), "re");
	assert_non_null(fgets(line, sizeof(line), file));
	fclose(file);
	/* Up to the comment. */
	assert_memory_equal(key.public_line, line, strlen("ssh-ed25519 ") + 68);

	shell("ssh-keygen -q -t ed25519 -N secret -f locked");
	shell("ssh-keygen -q -t ecdsa -N '' -f ecdsa");
	shell("ssh-keygen -q -t ecdsa -m PEM -N '' -f ecdsa-pem");
	shell("head -c 200 openssh >cut; echo '-----END OPENSSH PRIVATE KEY-----' >>cut");
	shell("echo hello >text; : >empty; cp openssh open; chmod 600 cut text empty; "
	      "chmod 644 open");
	static const char *const bad[] = {
	    "locked", "ecdsa", "ecdsa-pem", "cut", "text", "empty", "open", "missing"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&key, 7, sizeof(key));
		assert_true(fleet_key_read(&key, in_folder(bad[i]), &err) < 0);
		assert_non_null(strstr(err.text, in_folder(bad[i])));
	}
}

static void test_host_key(void **state)
{
	static const char good[] =
	    "ssh-ed25519 "
	    "AAAAC3NzaC1lZDI1NTE5AAAAILzTB1m3BJpcOTdU8pPGGPqYQmHXlGXSW"
	    "Zq6zTqk9b6D root@host\n";
	static const char *const bad[] = {"", "ssh-ed25519", "ssh-ed25519 AAAA",
	    "ssh-ed25519 %%%%", "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAILzTB1m3BJpc"};
	struct ssh_host_key key;
	struct error err = {0};

	(void)state;
	assert_int_equal(ssh_host_key_parse(&key, good, &err), 0);
	assert_string_equal(key.type, "ssh-ed25519");
	assert_int_equal(key.blob_len, 51);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ssh_host_key_parse(&key, bad[i], &err), -EINVAL);
}

static void test_bad_hosts(void **state)
{
	struct fleet_host_config host = {.name = "sgp",
				     .address = "192.0.2.1",
				     .port = 22,
				     .user = "root",
				     .host_key = "ssh-ed25519 "
						 "AAAAC3NzaC1lZDI1NTE5AAAAILzTB1m3BJpcOTd"
						 "U8pPGGPqYQmHXlGXSWZq6zTqk9b6D"},
				 bad;
	struct fleet_deadlines deadlines = {0};
	struct fleet_key key;
	struct fleet *fleet = NULL;
	struct error err = {0};
	uv_loop_t loop;

	(void)state;
	uv_loop_init(&loop);
	assert_int_equal(fleet_key_make(&key, &err), 0);
	bad = host;
	bad.address = "sgp.example.org";
	assert_int_equal(
	    fleet_create(&loop, &bad, 1, &key, &deadlines, &fleet, &err), -EINVAL);
	assert_non_null(strstr(err.text, "sgp.example.org"));
	bad = host;
	bad.port = 0;
	assert_int_equal(
	    fleet_create(&loop, &bad, 1, &key, &deadlines, &fleet, &err), -EINVAL);
	bad = host;
	bad.host_key = "ssh-ed25519 broken";
	assert_int_equal(
	    fleet_create(&loop, &bad, 1, &key, &deadlines, &fleet, &err), -EINVAL);
	assert_non_null(strstr(err.text, "host sgp"));
	assert_int_equal(
	    fleet_create(&loop, &host, 0, &key, &deadlines, &fleet, &err), -EINVAL);
	assert_null(fleet);
	host.address = "2001:db8::1";
	assert_int_equal(
	    fleet_create(&loop, &host, 1, &key, &deadlines, &fleet, &err), 0);
	fleet_destroy(fleet, NULL, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	fleet_destroy(NULL, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_made_key),
	    cmocka_unit_test(test_read_key),
	    cmocka_unit_test(test_host_key),
	    cmocka_unit_test(test_bad_hosts),
	};

	return cmocka_run_group_tests(tests, up, down);
}
