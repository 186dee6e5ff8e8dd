/* SPDX-License-Identifier: MIT */
#include "harness/plugin/plugin.h"

#include "harness/plugin/elf_check.h"
#include "harness/plugin/plugin_search.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_BYTES_MAX 65536u

/* Everything a table must have, and the sentence's word for it. */
static const struct {
	const char *name;
	size_t offset;
} mandatory[] = {
#define CALL(member)                                                                     \
	{                                                                                \
#member, offsetof(struct e3_transport, member)                           \
	}
    CALL(name),
    CALL(summary),
    CALL(declared),
    CALL(endpoint_create),
    CALL(endpoint_destroy),
    CALL(endpoint_signal),
    CALL(channel_open),
    CALL(channel_send),
    CALL(channel_pause),
    CALL(channel_close),
#undef CALL
};

/* The part of a table that ABI 1 had from the first day. */
#define TABLE_BYTES_MIN offsetof(struct e3_transport, channel_stats)

static const char *const *declared_text(const struct e3_declared *declared, size_t i)
{
	return &declared->layer + i;
}

#define N_DECLARED                                                                       \
	((sizeof(struct e3_declared) - offsetof(struct e3_declared, layer)) /            \
	    sizeof(const char *))

/* Copy what both sides know; from here on a missing call is a NULL pointer. */
static int table_copy(
    struct plugin *plugin, const struct e3_transport *table, struct error *err)
{
	if (table == NULL)
		return error_set(err, -EPROTO, "%s: %s() gives no table", plugin->path,
		    "e3_transport_entry");
	if (table->abi_major != E3_ABI_MAJOR)
		return error_set(err, -EPROTO,
		    "%s speaks plugin ABI %u, this E3 speaks %u: build the plugin "
		    "against "
		    "this E3's include/e3",
		    plugin->path, table->abi_major, E3_ABI_MAJOR);
	if (table->struct_size < TABLE_BYTES_MIN ||
	    table->struct_size > TABLE_BYTES_MAX ||
	    table->struct_size % sizeof(void *) != 0)
		return error_set(err, -EPROTO,
		    "%s: its table says it has %u bytes, which cannot be (%zu to %u): "
		    "fill "
		    "struct_size with E3_TRANSPORT_HEADER",
		    plugin->path, table->struct_size, TABLE_BYTES_MIN, TABLE_BYTES_MAX);
	memcpy(&plugin->table, table,
	    table->struct_size < sizeof(plugin->table) ? table->struct_size
						       : sizeof(plugin->table));
	plugin->table.struct_size = sizeof(plugin->table);
	return 0;
}

static int declared_copy(struct plugin *plugin, struct error *err)
{
	const struct e3_declared *declared = plugin->table.declared;

	if (declared->struct_size < sizeof(plugin->declared) ||
	    declared->struct_size > TABLE_BYTES_MAX)
		return error_set(err, -EPROTO,
		    "%s: its declaration says it has %u bytes, %zu are needed",
		    plugin->path, declared->struct_size, sizeof(plugin->declared));
	memcpy(&plugin->declared, declared, sizeof(plugin->declared));
	plugin->declared.struct_size = sizeof(plugin->declared);
	plugin->table.declared = &plugin->declared;
	for (size_t i = 0; i < N_DECLARED; i++)
		if (*declared_text(&plugin->declared, i) == NULL)
			return error_set(err, -EPROTO,
			    "%s leaves text %zu of struct e3_declared empty",
			    plugin->path, i + 1);
	return 0;
}

/* A claim that its own declaration denies. */
static int claims_check(const struct plugin *plugin, struct error *err)
{
	const char *lacks = strcmp(plugin->declared.encryption, "none") == 0
				? "encryption"
			    : strcmp(plugin->declared.identity, "none") == 0 ? "identity"
									     : NULL;

	if ((plugin->table.caps & E3_CAP_SECURE) == 0 || lacks == NULL)
		return 0;
	return error_set(err, -EPROTO,
	    "%s claims to be secure, but declares no %s: take E3_CAP_SECURE out of its "
	    "caps, or say in struct e3_declared what protects the messages",
	    plugin->path, lacks);
}

static int table_check(struct plugin *plugin, const char *name, struct error *err)
{
	const struct e3_transport *table = &plugin->table;
	int n_overlay = (table->prepare != NULL) + (table->up != NULL) +
			(table->down != NULL) + (table->finalise != NULL);
	int rc;

	for (size_t i = 0; i < sizeof(mandatory) / sizeof(mandatory[0]); i++) {
		void *member;

		memcpy(
		    &member, (const char *)table + mandatory[i].offset, sizeof(member));
		if (member == NULL)
			return error_set(err, -EPROTO, "%s lacks %s, which is mandatory",
			    plugin->path, mandatory[i].name);
	}
	if (strcmp(table->name, name) != 0)
		return error_set(err, -EPROTO,
		    "%s is transport '%.64s', not '%s': a plugin's file is named "
		    "e3-NAME.so",
		    plugin->path, table->name, name);
	if (table->message_max == 0)
		return error_set(err, -EPROTO,
		    "%s carries no message: its message_max is 0", plugin->path);
	if (n_overlay != 0 && n_overlay != 4)
		return error_set(err, -EPROTO,
		    "%s has some of prepare, up, down, finalise: an overlay has all "
		    "four, a "
		    "channel transport none",
		    plugin->path);
	rc = declared_copy(plugin, err);
	return rc < 0 ? rc : claims_check(plugin, err);
}

static int file_open(struct plugin *plugin, const char *name, struct error *err)
{
	e3_transport_entry_fn entry;
	void *library;
	int rc;

	rc = elf_check(plugin->path, err);
	if (rc < 0)
		return rc;
	library = dlopen(plugin->path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (library == NULL) {
		const char *why = dlerror();

		return error_set(err, -EPROTO, "cannot load %s: %s", plugin->path,
		    why != NULL ? why : "dlopen gives no reason");
	}
	*(void **)&entry = dlsym(library, "e3_transport_entry");
	if (entry == NULL)
		return error_set(err, -EPROTO,
		    "%s is no transport plugin: it lacks e3_transport_entry (see "
		    "E3_TRANSPORT_ENTRY)",
		    plugin->path);
	rc = table_copy(plugin, entry(), err);
	return rc < 0 ? rc : table_check(plugin, name, err);
}

int plugin_load_file(
    const char *path, const char *name, struct plugin **out, struct error *err)
{
	struct plugin *plugin = calloc(1, sizeof(*plugin));
	int rc;

	if (plugin == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	/* A name without a slash would make dlopen() search the system's folders. */
	snprintf(plugin->path, sizeof(plugin->path), "%s%s",
	    strchr(path, '/') != NULL ? "" : "./", path);
	rc = file_open(plugin, name, err);
	if (rc < 0) {
		plugin_destroy(plugin);
		return rc;
	}
	*out = plugin;
	return 0;
}

int plugin_load(const char *name, struct plugin **out, struct error *err)
{
	char path[PATH_MAX];
	int rc = plugin_search(name, path, err);

	return rc < 0 ? rc : plugin_load_file(path, name, out, err);
}

void plugin_destroy(struct plugin *plugin)
{
	free(plugin);
}

int plugin_is_overlay(const struct plugin *plugin)
{
	return plugin->table.up != NULL;
}

int plugin_list(plugin_listed listed, void *user)
{
	char(*names)[PLUGIN_NAME_CHARS_MAX + 1];
	int n = plugin_search_names(&names);

	for (int i = 0; i < n; i++) {
		struct plugin *plugin = NULL;
		struct error why = {0};

		plugin_load(names[i], &plugin, &why);
		listed(user, names[i], plugin, &why);
		plugin_destroy(plugin);
	}
	free(names);
	return n;
}
