/* SPDX-License-Identifier: MIT */
#include "harness/result/journal.h"

#include "base/clock.h"
#include "harness/result/atomic_file.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct journal {
	int fd;
	off_t len; /* of the whole lines */
	char path[];
};

int journal_create(const char *path, struct journal **out, struct error *err)
{
	struct journal *journal = calloc(1, sizeof(*journal) + strlen(path) + 1);

	if (journal == NULL)
		return error_set(err, -ENOMEM, "%s: out of memory", path);
	strcpy(journal->path, path);
	journal->fd =
	    open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
	if (journal->fd < 0) {
		int code = -errno;

		free(journal);
		return atomic_file_error(err, code, path);
	}
	*out = journal;
	return 0;
}

static int append(struct journal *journal, const char *line, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(journal->fd, line + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int code = -errno;

			/* If that fails too, a reader sees half a last line. */
			if (ftruncate(journal->fd, journal->len) < 0)
				return code;
			return code;
		}
		done += (size_t)n;
	}
	journal->len += (off_t)len;
	return 0;
}

int journal_add(
    struct journal *journal, const char *kind, const cJSON *body, struct error *err)
{
	cJSON *line = cJSON_CreateObject();
	char at[CLOCK_RFC3339_BYTES], *text;
	size_t len;
	int rc;

	clock_rfc3339(at, sizeof(at));
	cJSON_AddStringToObject(line, "t", kind);
	cJSON_AddStringToObject(line, "at", at);
	/* The reference only reads it. */
	cJSON_AddItemReferenceToObject(line, kind, (cJSON *)body);
	text = cJSON_PrintUnformatted(line);
	cJSON_Delete(line);
	if (text == NULL)
		return error_set(err, -ENOMEM, "%s: out of memory", journal->path);
	len = strlen(text);
	text[len] = '\n'; /* in place of the NUL: append() takes a length */
	rc = append(journal, text, len + 1);
	cJSON_free(text);
	return rc < 0 ? atomic_file_error(err, rc, journal->path) : 0;
}

void journal_close(struct journal *journal)
{
	if (journal == NULL)
		return;
	close(journal->fd);
	free(journal);
}

void journal_remove(struct journal *journal)
{
	if (journal != NULL)
		unlink(journal->path);
	journal_close(journal);
}
