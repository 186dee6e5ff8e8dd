/* SPDX-License-Identifier: MIT */
#include "harness/measure/system_file.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

size_t system_file_read(const char *root, const char *path, char *out, size_t out_bytes)
{
	char whole[PATH_MAX];
	size_t len = 0;
	FILE *file;

	out[0] = '\0';
	if (snprintf(whole, sizeof(whole), "%s%s", root, path) >= (int)sizeof(whole))
		return 0;
	file = fopen(whole, "re");
	if (file == NULL)
		return 0;
	len = fread(out, 1, out_bytes - 1, file);
	fclose(file);
	out[len] = '\0';
	len = strlen(out);
	while (len > 0 && isspace((unsigned char)out[len - 1]))
		out[--len] = '\0';
	return len;
}

int system_file_value(const char *text, const char *key, char *out, size_t out_bytes)
{
	size_t key_len = strlen(key), len;

	while (text != NULL && strncmp(text, key, key_len) != 0) {
		text = strchr(text, '\n');
		text = text == NULL ? NULL : text + 1;
	}
	if (text == NULL)
		return -ENOENT;
	text += key_len;
	text += strspn(text, " \t:=");
	len = strcspn(text, "\n");
	if (len >= out_bytes)
		len = out_bytes - 1;
	memcpy(out, text, len);
	out[len] = '\0';
	return 0;
}
