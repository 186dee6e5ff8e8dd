/* SPDX-License-Identifier: MIT */
#include "harness/plugin/plugin_search.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDERS_MAX      16
#define PLUGINS_MAX      64
#define LIST_TEXT_BYTES  400
#define PLUGIN_FILE_HEAD "e3-"
#define PLUGIN_FILE_TAIL ".so"

struct folders {
	char *at[FOLDERS_MAX];
	int n;
};

struct names {
	char (*at)[PLUGIN_NAME_CHARS_MAX + 1];
	int n;
};

static void folders_add(struct folders *folders, const char *folder, size_t chars)
{
	char *copy;

	if (chars == 0 || folders->n == FOLDERS_MAX)
		return;
	copy = strndup(folder, chars);
	if (copy != NULL)
		folders->at[folders->n++] = copy;
}

static void folders_init(struct folders *folders)
{
	const char *path = getenv("E3_PLUGIN_PATH");
	char program[PATH_MAX];
	ssize_t len;

	memset(folders, 0, sizeof(*folders));
	while (path != NULL && *path != '\0') {
		size_t chars = strcspn(path, ":");

		folders_add(folders, path, chars);
		path += chars + (path[chars] == ':');
	}
	len = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (len > 0) {
		program[len] = '\0';
		folders_add(folders, program, (size_t)(strrchr(program, '/') - program));
	}
}

static void folders_finish(struct folders *folders)
{
	for (int i = 0; i < folders->n; i++)
		free(folders->at[i]);
	folders->n = 0;
}

static int is_name(const char *name, size_t chars)
{
	return chars > 0 && chars <= PLUGIN_NAME_CHARS_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") >= chars;
}

static int find_below(const char *folder, const char *name, char path[PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/e3-%s.so", folder, name);

	if (n < PATH_MAX && access(path, F_OK) == 0)
		return 1;
	n = snprintf(path, PATH_MAX, "%s/transports/%s/e3-%s.so", folder, name, name);
	if (n < PATH_MAX && access(path, F_OK) == 0)
		return 1;
	n = snprintf(path, PATH_MAX, "%s/transports/e3-%s.so", folder, name);
	return n < PATH_MAX && access(path, F_OK) == 0;
}

static void append(char *text, size_t text_bytes, const char *separator, const char *word)
{
	size_t used = strlen(text);

	snprintf(text + used, text_bytes - used, "%s%s", used > 0 ? separator : "", word);
}

static int not_found(const char *name, const struct folders *folders, struct error *err)
{
	char where[LIST_TEXT_BYTES] = "", what[LIST_TEXT_BYTES] = "";
	char(*names)[PLUGIN_NAME_CHARS_MAX + 1];
	int n = plugin_search_names(&names);

	for (int i = 0; i < folders->n; i++)
		append(where, sizeof(where), ", ", folders->at[i]);
	for (int i = 0; i < n; i++)
		append(what, sizeof(what), ", ", names[i]);
	free(names);
	return error_set(err, -ENOENT,
	    "no transport '%s': looked for e3-%s.so in %s and transports/ below; there "
	    "is "
	    "%s (`e3 list` tells more)",
	    name, name, where, n > 0 ? what : "none");
}

int plugin_search(const char *name, char path[PATH_MAX], struct error *err)
{
	struct folders folders;
	int rc = 0;

	if (!is_name(name, strlen(name)))
		return error_set(err, -EINVAL,
		    "'%.64s' cannot be a transport: a name has 1 to %d of a-z, 0-9 and "
		    "'-'",
		    name, PLUGIN_NAME_CHARS_MAX);
	folders_init(&folders);
	for (int i = 0; i < folders.n; i++)
		if (find_below(folders.at[i], name, path))
			goto out;
	rc = not_found(name, &folders, err);
out:
	folders_finish(&folders);
	return rc;
}

static void names_add(struct names *names, const char *file)
{
	size_t head = strlen(PLUGIN_FILE_HEAD), tail = strlen(PLUGIN_FILE_TAIL);
	size_t chars = strlen(file);
	char name[PLUGIN_NAME_CHARS_MAX + 1];

	if (names->n == PLUGINS_MAX || chars <= head + tail ||
	    strncmp(file, PLUGIN_FILE_HEAD, head) != 0 ||
	    strcmp(file + chars - tail, PLUGIN_FILE_TAIL) != 0 ||
	    !is_name(file + head, chars - head - tail))
		return;
	snprintf(name, sizeof(name), "%.*s", (int)(chars - head - tail), file + head);
	for (int i = 0; i < names->n; i++)
		if (strcmp(names->at[i], name) == 0)
			return;
	memcpy(names->at[names->n++], name, sizeof(name));
}

/* Files of this folder; with `depth` > 0 also of those below it. */
static void names_scan(struct names *names, const char *folder, int depth)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		char below[PATH_MAX];

		names_add(names, entry->d_name);
		if (depth > 0 && entry->d_name[0] != '.' && entry->d_type != DT_REG &&
		    snprintf(below, sizeof(below), "%s/%s", folder, entry->d_name) <
			(int)sizeof(below))
			names_scan(names, below, depth - 1);
	}
	closedir(dir);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

int plugin_search_names(char (**out)[PLUGIN_NAME_CHARS_MAX + 1])
{
	struct names names = {.at = calloc(PLUGINS_MAX, sizeof(names.at[0]))};
	struct folders folders;

	*out = names.at;
	if (names.at == NULL)
		return -ENOMEM;
	folders_init(&folders);
	for (int i = 0; i < folders.n; i++) {
		char below[PATH_MAX];

		names_scan(&names, folders.at[i], 0);
		snprintf(below, sizeof(below), "%s/transports", folders.at[i]);
		names_scan(&names, below, 1);
	}
	folders_finish(&folders);
	qsort(names.at, (size_t)names.n, sizeof(names.at[0]), by_name);
	return names.n;
}
