/* SPDX-License-Identifier: MIT */
/* The loader: what is wrong with a plugin is one sentence, never a crash. */
#include "harness/plugin/plugin.h"
#include "tests/tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/e3-loader-XXXXXX";

static void refused(const char *name, int code, const char *says)
{
	struct plugin *plugin = NULL;
	struct error err = {0};

	assert_int_equal(plugin_load(name, &plugin, &err), code);
	assert_null(plugin);
	if (strstr(err.text, says) == NULL)
		fail_msg("'%s' does not say '%s'", err.text, says);
}

static void real_plugins_load(void **state)
{
	static const char *const names[] = {"tcp", "loopback"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct plugin *plugin;
		struct error err = {0};

		if (plugin_load(names[i], &plugin, &err) < 0)
			fail_msg("%s", err.text);
		assert_string_equal(plugin->table.name, names[i]);
		assert_ptr_equal(plugin->table.declared, &plugin->declared);
		assert_false(plugin_is_overlay(plugin));
		plugin_destroy(plugin);
	}
}

static void missing_file_says_where_and_what(void **state)
{
	(void)state;
	refused("carrier-pigeon", -ENOENT, "looked for e3-carrier-pigeon.so in ");
	refused("carrier-pigeon", -ENOENT, folder);
	refused("carrier-pigeon", -ENOENT, "tcp");
	refused("carrier-pigeon", -ENOENT, "e3 list");
	refused("../tcp", -EINVAL, "cannot be a transport");
	refused("", -EINVAL, "cannot be a transport");
	refused("a-name-that-is-longer-than-a-name-may-be", -EINVAL, "1 to 31");
}

static void misfits_are_refused(void **state)
{
	(void)state;
	refused("newer", -EPROTO, "speaks plugin ABI 2, this E3 speaks 1");
	refused("absurd", -EPROTO, "2147483640 bytes, which cannot be");
	refused("tiny", -EPROTO, "16 bytes, which cannot be");
	refused("incomplete", -EPROTO, "lacks channel_send, which is mandatory");
	refused("half-overlay", -EPROTO, "an overlay has all four");
	refused("silent", -EPROTO, "leaves text 7 of struct e3_declared empty");
	refused("no-entry", -EPROTO, "lacks e3_transport_entry");
	refused("no-table", -EPROTO, "gives no table");
	refused("liar-bare", -EPROTO, "claims to be secure, but declares no encryption");
	refused("misnamed", -EPROTO, "is transport 'another', not 'misnamed'");
}

static void older_and_newer_tables_load(void **state)
{
	struct plugin *plugin;
	struct error err = {0};

	(void)state;
	assert_int_equal(plugin_load("shorter", &plugin, &err), 0);
	assert_null(plugin->table.channel_stats);
	assert_null(plugin->table.up);
	assert_int_equal(plugin->table.struct_size, sizeof(plugin->table));
	plugin_destroy(plugin);
	assert_int_equal(plugin_load("longer", &plugin, &err), 0);
	assert_non_null(plugin->table.channel_stats);
	plugin_destroy(plugin);
}

static void write_file(const char *name, const void *bytes, size_t len)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/e3-%s.so", folder, name);
	fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0700);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static size_t read_plugin(const char *name, unsigned char *out, size_t max)
{
	struct plugin *plugin;
	struct error err = {0};
	ssize_t n;
	int fd;

	assert_int_equal(plugin_load(name, &plugin, &err), 0);
	fd = open(plugin->path, O_RDONLY);
	n = read(fd, out, max);
	close(fd);
	plugin_destroy(plugin);
	assert_true(n > 0);
	return (size_t)n;
}

static void garbage_is_refused(void **state)
{
	unsigned char bytes[4096];

	(void)state;
	memset(bytes, 0x5a, sizeof(bytes));
	write_file("garbage", "", 0);
	refused("garbage", -EPROTO, "is not a shared object");
	write_file("garbage", bytes, 17);
	refused("garbage", -EPROTO, "is not a shared object");
	write_file("garbage", bytes, sizeof(bytes));
	refused("garbage", -EPROTO, "e3-garbage.so is not a shared object");
}

/* Cut at any length: refused, unless only what the loader never reads is missing. */
static void truncated_plugins_are_refused(void **state)
{
	static unsigned char bytes[1u << 20];
	size_t len = read_plugin("longer", bytes, sizeof(bytes));
	int n_refused = 0;

	(void)state;
	for (size_t cut = 0; cut < len; cut += 509) {
		char path[256];
		struct plugin *plugin = NULL;
		struct error err = {0};

		write_file("cut", bytes, cut);
		snprintf(path, sizeof(path), "%s/e3-cut.so", folder);
		if (plugin_load_file(path, "longer", &plugin, &err) < 0) {
			assert_int_equal(err.code, -EPROTO);
			assert_non_null(strstr(err.text, "e3-cut.so"));
			n_refused++;
		}
		plugin_destroy(plugin);
		unlink(path); /* a file that is loaded must not be written to */
	}
	assert_true(n_refused > 5);
	memcpy(bytes, "\177ELF", 4);
	bytes[18] ^= 0x55; /* e_machine */
	write_file("cut", bytes, len);
	refused("cut", -EPROTO, "another kind of machine");
}

struct listing {
	int n, n_loaded, n_newer;
	char last[64];
};

static void on_listed(
    void *user, const char *name, const struct plugin *plugin, const struct error *why)
{
	struct listing *listing = user;

	assert_true(strcmp(listing->last, name) < 0);
	snprintf(listing->last, sizeof(listing->last), "%s", name);
	listing->n++;
	listing->n_loaded += plugin != NULL;
	if (strcmp(name, "newer") == 0) {
		assert_null(plugin);
		assert_non_null(strstr(why->text, "speaks plugin ABI"));
		listing->n_newer++;
	}
}

static void list_shows_good_and_bad(void **state)
{
	struct listing listing = {0};
	int n = plugin_list(on_listed, &listing);

	(void)state;
	assert_int_equal(n, listing.n);
	assert_true(listing.n >= 14);
	assert_true(listing.n_loaded >= 5);
	assert_int_equal(listing.n_newer, 1);
}

/* docs/transports.md says what the plugins say. */
static void declarations_stand_in_the_documentation(void **state)
{
	static const char *const names[] = {"tcp", "wireguard"};
	static char page[65536];
	FILE *file = fopen(getenv("E3_PAGE"), "re");

	(void)state;
	assert_non_null(file);
	assert_true(fread(page, 1, sizeof(page) - 1, file) > 0);
	fclose(file);
	for (size_t i = 0; i < 2; i++) {
		const char *const *texts;
		struct plugin *plugin;
		struct error err = {0};

		if (plugin_load(names[i], &plugin, &err) < 0)
			fail_msg("%s", err.text);
		texts = &plugin->declared.layer;
		for (int t = 0; t < 7; t++)
			if (strstr(page, texts[t]) == NULL)
				fail_msg("docs/transports.md lacks '%s' of %s", texts[t],
				    names[i]);
		plugin_destroy(plugin);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(real_plugins_load),
	    cmocka_unit_test(missing_file_says_where_and_what),
	    cmocka_unit_test(misfits_are_refused),
	    cmocka_unit_test(older_and_newer_tables_load),
	    cmocka_unit_test(garbage_is_refused),
	    cmocka_unit_test(truncated_plugins_are_refused),
	    cmocka_unit_test(list_shows_good_and_bad),
	    cmocka_unit_test(declarations_stand_in_the_documentation),
	};
	char path[1024], file[64];
	int rc;

	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s:%s", folder, getenv("E3_PLUGIN_PATH"));
	setenv("E3_PLUGIN_PATH", path, 1);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	for (size_t i = 0; i < 2; i++) {
		snprintf(file, sizeof(file), "%s/e3-%s.so", folder,
		    i == 0 ? "garbage" : "cut");
		unlink(file);
	}
	rmdir(folder);
	return rc;
}
