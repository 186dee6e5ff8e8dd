/* SPDX-License-Identifier: MIT */
/* Where plugins lie; the order of the folders is told in harness/plugin/plugin.h. */
#ifndef HARNESS_PLUGIN_PLUGIN_SEARCH_H
#define HARNESS_PLUGIN_PLUGIN_SEARCH_H

#include "base/error.h"
#include "harness/plugin/plugin.h"

#include <limits.h>

/* The file of plugin NAME. -EINVAL: that is no name; -ENOENT with a sentence that tells
 * the folders and what there is instead. */
int plugin_search(const char *name, char path[PATH_MAX], struct error *err);

/* Names of all plugins there are, sorted, each once; the array is the caller's to free.
 * Returns their number, or -ENOMEM with *out = NULL. */
int plugin_search_names(char (**out)[PLUGIN_NAME_CHARS_MAX + 1]);

#endif
