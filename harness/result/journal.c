/* SPDX-License-Identifier: MIT */
#include "harness/result/journal.h"

#include "base/clock.h"
#include "harness/result/atomic_file.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct journal {
	int fd;
	off_t len; /* of the whole lines */
	char path[];
};

/* Not opened yet. */
static struct journal *journal_alloc(const char *path, struct error *err)
{
	struct journal *journal = calloc(1, sizeof(*journal) + strlen(path) + 1);

	if (journal == NULL)
		error_set(err, -ENOMEM, "%s: out of memory", path);
	else
		strcpy(journal->path, path);
	return journal;
}

/* 0 if the lock is ours, or can't be had here at all; the process that has it. */
static pid_t claim(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_SETLK, &lock) == 0 || (errno != EACCES && errno != EAGAIN))
		return 0;
	if (fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid;
}

int journal_create(const char *path, struct journal **out, struct error *err)
{
	struct journal *journal = journal_alloc(path, err);

	if (journal == NULL)
		return -ENOMEM;
	journal->fd =
	    open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
	if (journal->fd < 0) {
		int code = -errno;

		free(journal);
		return atomic_file_error(err, code, path);
	}
	claim(journal->fd);
	*out = journal;
	return 0;
}

int journal_adopt(const char *path, struct journal **out, struct error *err)
{
	struct journal *journal = journal_alloc(path, err);
	struct stat file;
	pid_t writer = 0;
	int rc = 0;

	if (journal == NULL)
		return -ENOMEM;
	journal->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (journal->fd < 0)
		rc = error_set_errno(err, -errno, "%s", path);
	else if (fstat(journal->fd, &file) < 0 || !S_ISREG(file.st_mode))
		rc = error_set(err, -EINVAL, "%s: not a file", path);
	else
		writer = claim(journal->fd);
	if (writer > 0)
		rc = error_set(err, -EBUSY,
		    "%s: process %d is at it still: let that run end, or end it by "
		    "Ctrl-C, which writes a result",
		    path, (int)writer);
	if (rc < 0)
		journal_close(journal);
	else
		*out = journal;
	return rc;
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

static int tell_line(
    const cJSON *line, journal_on_line on_line, void *user, struct error *err)
{
	const char *kind =
	    cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(line, "t"));
	const char *at =
	    cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(line, "at"));
	const cJSON *body =
	    kind == NULL ? NULL : cJSON_GetObjectItemCaseSensitive(line, kind);

	if (at == NULL || body == NULL || body->string == at)
		return error_set(err, -EINVAL, "not a line of a journal");
	return on_line(user, kind, at, body, err);
}

/* The file as text with a NUL behind it; never opened a second time: closing any other
 * descriptor of it would end the lock. */
static int load(const struct journal *journal, char **out, size_t *len, struct error *err)
{
	struct stat file = {0};
	size_t size, done = 0;
	char *text;

	if (fstat(journal->fd, &file) < 0)
		return error_set_errno(err, -errno, "%s", journal->path);
	size = (size_t)file.st_size;
	text = malloc(size + 1);
	if (text == NULL)
		return error_set(
		    err, -ENOMEM, "%s: %zu bytes: out of memory", journal->path, size);
	while (done < size) {
		ssize_t n = pread(journal->fd, text + done, size - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			free(text);
			return error_set_errno(err, -errno, "%s", journal->path);
		}
		if (n == 0)
			break;
		done += (size_t)n;
	}
	text[done] = '\0';
	*out = text;
	*len = done;
	return 0;
}

static int read_lines(const struct journal *journal, const char *text, size_t len,
    journal_on_line on_line, void *user, size_t *torn_bytes, struct error *err)
{
	const char *at = text, *end = text + len, *line_end;
	unsigned n = 1, torn_line = 0;

	for (; (line_end = memchr(at, '\n', (size_t)(end - at))) != NULL; n++) {
		cJSON *line = cJSON_ParseWithLength(at, (size_t)(line_end - at));
		int rc = 0;

		if (line == NULL && torn_line == 0) {
			torn_line = n;
			*torn_bytes = (size_t)(end - at);
		} else if (line != NULL && torn_line > 0) {
			rc = error_set(err, -EINVAL,
			    "%s: line %u is not JSON but line %u is: the file was "
			    "changed; take out line %u to go on without it",
			    journal->path, torn_line, n, torn_line);
		} else if (line != NULL && tell_line(line, on_line, user, err) < 0) {
			rc = error_wrap(err, "%s: line %u", journal->path, n);
		}
		cJSON_Delete(line);
		if (rc < 0)
			return rc;
		at = line_end + 1;
	}
	if (torn_line == 0)
		*torn_bytes = (size_t)(end - at);
	return 0;
}

int journal_read(struct journal *journal, journal_on_line on_line, void *user,
    size_t *torn_bytes, struct error *err)
{
	char *text = NULL;
	size_t len = 0;
	int rc = load(journal, &text, &len, err);

	if (rc < 0)
		return rc;
	rc = read_lines(journal, text, len, on_line, user, torn_bytes, err);
	free(text);
	return rc;
}

static int is_journal(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name), tail = strlen(JOURNAL_SUFFIX);

	return len > tail && strcmp(entry->d_name + len - tail, JOURNAL_SUFFIX) == 0;
}

/* Without taking it: whoever asks leaves the file as it is. */
static int has_writer(const char *path)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), rc;

	if (fd < 0)
		return 1; /* gone, or another user's: nothing to tell */
	rc = fcntl(fd, F_GETLK, &lock);
	close(fd);
	return rc == 0 && lock.l_type != F_UNLCK;
}

size_t journal_left_behind(
    const char *folder, void (*each)(void *user, const char *path), void *user)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, is_journal, alphasort);
	size_t n_left = 0;

	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];

		if (snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name) <
			(int)sizeof(path) &&
		    !has_writer(path)) {
			n_left++;
			each(user, path);
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return n_left;
}

void journal_close(struct journal *journal)
{
	if (journal == NULL)
		return;
	if (journal->fd >= 0)
		close(journal->fd);
	free(journal);
}

void journal_remove(struct journal *journal)
{
	if (journal != NULL)
		unlink(journal->path);
	journal_close(journal);
}
