/* SPDX-License-Identifier: MIT */
/*
 * Transport plugins: e3-NAME.so in the first of these folders that has it:
 *   every folder of $E3_PLUGIN_PATH (separated by ':'), then the folder of the running
 *   program; of each of them itself, its transports/NAME/ and its transports/.
 *
 * A plugin once loaded stays for the life of the process.
 */
#ifndef HARNESS_PLUGIN_PLUGIN_H
#define HARNESS_PLUGIN_PLUGIN_H

#include "base/error.h"

#include <e3/transport.h>

#include <limits.h>

#define PLUGIN_NAME_CHARS_MAX 31 /* of [a-z0-9-] */

struct plugin {
	struct e3_transport table; /* what both sides know; absent calls are NULL */
	struct e3_declared
	    declared; /* table.declared points here: do not copy the struct */
	char path[PATH_MAX];
};

/* Find and load. -ENOENT: no such file; -EINVAL: no name of a plugin; -EPROTO: a file
 * that is no plugin, speaks another ABI, lacks a mandatory call or is one of another
 * name; -ENOMEM. The sentence names the file and what is wrong with it. */
int plugin_load(const char *name, struct plugin **out, struct error *err);

/* As plugin_load() of one file. */
int plugin_load_file(
    const char *path, const char *name, struct plugin **out, struct error *err);

/* Frees the struct; the code stays loaded. NULL is fine. */
void plugin_destroy(struct plugin *plugin);

/* Whether it is an overlay (prepare, up, down, finalise) or a channel transport. */
int plugin_is_overlay(const struct plugin *plugin);

/* Load every plugin of the search folders, the first of each name, in the order of their
 * names. `plugin` is NULL when one can't be loaded, `why` says it then. Both are valid
 * during the call. Returns how many there were, or -ENOMEM. */
typedef void (*plugin_listed)(
    void *user, const char *name, const struct plugin *plugin, const struct error *why);
int plugin_list(plugin_listed listed, void *user);

#endif
