/* SPDX-License-Identifier: MIT */
/*
 * Uploading:
 *   1. The files are read and hashed in the thread pool, once for all hosts.
 *   2. Each host says the SHA-256 of what it has, all names in one script.
 *   3. What differs is sent, a few files at a time: to a temporary name, hashed there,
 *      and renamed when it is right; so a running program keeps its file and a broken
 *      connection leaves the old one.
 * A host's first failure is its outcome; the others go on.
 */
#include "harness/fleet/fleet_host.h"
#include "harness/fleet/local_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SENDS_MAX  3u /* at a time, of the ten sessions that sshd allows by default */
#define NAME_CHARS 200u

/* Arguments: folder, then mode and name of each. Answers: "have SHA256 NAME". */
static const char check_script[] =
    "cd \"$1\" || { echo \"$n exit 1\"; exit; }; shift; "
    "while [ $# -gt 1 ]; do "
    "if [ -f \"$2\" ] && s=$(sha256sum <\"$2\") && chmod \"$1\" \"$2\"; then "
    "echo \"$n have ${s%% *} $2\"; fi; shift 2; done; echo \"$n exit 0\"";

/* Arguments: folder, name, mode, SHA-256. */
static const char send_script[] =
    "umask 077; c=1; t=$2.part-$n; "
    "if cd \"$1\" && mkdir -p \"$(dirname \"$2\")\" && cat >\"$t\" && "
    "s=$(sha256sum <\"$t\") && "
    "{ [ \"${s%% *}\" = \"$4\" ] || { echo 'it arrived damaged' >&2; false; }; } && "
    "chmod \"$3\" \"$t\" && mv -f \"$t\" \"$2\"; then c=0; fi; "
    "rm -f \"$t\"; echo \"$n exit $c\"";

struct upload_file {
	char *path, *name;
	char mode[8];
	uint32_t hosts_mask;
	struct local_file local;
};

struct host_send { /* one file on its way to one host */
	struct host_upload *upload;
	struct ssh_script *script; /* NULL = free */
	char purpose[NAME_CHARS + 32];
};

struct host_upload {
	struct fleet_host *host;
	bool is_over;
	struct ssh_script *check;
	bool *is_same; /* one a file */
	uint32_t next; /* file to look at */
	struct host_send sends[SENDS_MAX];
};

struct fleet_upload {
	struct fleet *fleet;
	uint32_t n_files;
	struct upload_file *files;
	struct host_upload *hosts;
	uv_work_t work;
	bool is_reading, is_finished;
	uint64_t due_ms;
	struct error error; /* of reading; code 0 = none */
};

static void upload_free(struct fleet_upload *upload)
{
	for (uint32_t i = 0; upload->files && i < upload->n_files; i++) {
		free(upload->files[i].path);
		free(upload->files[i].name);
		local_file_finish(&upload->files[i].local);
	}
	for (uint32_t i = 0; upload->hosts && i < upload->fleet->n_hosts; i++)
		free(upload->hosts[i].is_same);
	free(upload->files);
	free(upload->hosts);
	free(upload);
}

/* The host has its outcome; nothing of it goes on. */
static void host_upload_end(struct host_upload *upload, const struct outcome *outcome)
{
	if (upload->is_over)
		return;
	upload->is_over = true;
	ssh_script_cancel(upload->check);
	upload->check = NULL;
	for (uint32_t i = 0; i < SENDS_MAX; i++) {
		ssh_script_cancel(upload->sends[i].script);
		upload->sends[i].script = NULL;
	}
	fleet_settle(upload->host, outcome);
}

static void host_upload_fail(
    struct host_upload *upload, enum outcome_kind kind, const struct error *error)
{
	struct outcome outcome;

	outcome_set(&outcome, kind, 0, "%s", error->text);
	host_upload_end(upload, &outcome);
}

static void host_upload_advance(struct host_upload *upload);

static void on_sent(void *user, const struct outcome *outcome)
{
	struct host_send *send = user;

	send->script = NULL;
	if (outcome->kind != OUTCOME_OK)
		host_upload_end(send->upload, outcome);
	else
		host_upload_advance(send->upload);
}

static void on_no_answer(void *user, const char *answer)
{
	(void)user, (void)answer;
}

static int host_send_start(
    struct host_send *send, const struct upload_file *file, struct error *err)
{
	struct fleet_host *host = send->upload->host;
	struct fleet *fleet = host->fleet;
	const char *arguments[] = {
	    host->folder, file->name, file->mode, file->local.sha256, NULL};
	struct ssh_script_config config = {
	    .purpose = send->purpose,
	    .script = send_script,
	    .arguments = arguments,
	    .input = file->local.bytes,
	    .input_len = file->local.len,
	    .idle_ms = fleet->deadlines.idle_ms,
	    .due_ms = fleet->upload->due_ms,
	};
	struct ssh_script_events events = {
	    .on_answer = on_no_answer, .on_ended = on_sent, .user = send};

	snprintf(send->purpose, sizeof(send->purpose), "put '%s' into the run folder",
	    file->name);
	send->script = ssh_script_start(host->session, &config, &events, err);
	return send->script ? 0 : -EIO;
}

static struct host_send *free_send(struct host_upload *upload)
{
	for (uint32_t i = 0; i < SENDS_MAX; i++)
		if (!upload->sends[i].script)
			return &upload->sends[i];
	return NULL;
}

static bool is_sending(const struct host_upload *upload)
{
	for (uint32_t i = 0; i < SENDS_MAX; i++)
		if (upload->sends[i].script)
			return true;
	return false;
}

/* Start what there is room for; when all is done, the host is. */
static void host_upload_advance(struct host_upload *upload)
{
	struct fleet_upload *all = upload->host->fleet->upload;
	struct outcome ok = {.kind = OUTCOME_OK};
	struct host_send *send;
	struct error error;

	for (; upload->next < all->n_files; upload->next++) {
		const struct upload_file *file = &all->files[upload->next];

		if (!(file->hosts_mask & 1u << upload->host->index) ||
		    upload->is_same[upload->next])
			continue;
		send = free_send(upload);
		if (!send)
			return;
		send->upload = upload;
		if (host_send_start(send, file, &error) < 0) {
			host_upload_fail(upload, OUTCOME_LOST, &error);
			return;
		}
	}
	if (!is_sending(upload))
		host_upload_end(upload, &ok);
}

static void on_have(void *user, const char *answer)
{
	struct host_upload *upload = user;
	struct fleet_upload *all = upload->host->fleet->upload;
	char sha256[65], name[NAME_CHARS + 1];

	if (sscanf(answer, "have %64s %200s", sha256, name) != 2)
		return;
	for (uint32_t i = 0; i < all->n_files; i++)
		if (strcmp(all->files[i].name, name) == 0 &&
		    strcmp(all->files[i].local.sha256, sha256) == 0)
			upload->is_same[i] = true;
}

static void on_checked(void *user, const struct outcome *outcome)
{
	struct host_upload *upload = user;

	upload->check = NULL;
	if (outcome->kind != OUTCOME_OK)
		host_upload_end(upload, outcome);
	else
		host_upload_advance(upload);
}

static void host_upload_begin(struct host_upload *upload)
{
	struct fleet_host *host = upload->host;
	struct fleet_upload *all = host->fleet->upload;
	const char *arguments[2 * FLEET_FILES_MAX + 2] = {host->folder};
	struct ssh_script_config config = {
	    .purpose = "compare the files in the run folder",
	    .script = check_script,
	    .arguments = arguments,
	    .idle_ms = host->fleet->deadlines.idle_ms,
	    .due_ms = all->due_ms,
	};
	struct ssh_script_events events = {
	    .on_answer = on_have, .on_ended = on_checked, .user = upload};
	struct error error;
	size_t n = 1;

	for (uint32_t i = 0; i < all->n_files; i++) {
		if (!(all->files[i].hosts_mask & 1u << host->index))
			continue;
		arguments[n++] = all->files[i].mode;
		arguments[n++] = all->files[i].name;
	}
	if (n == 1) {
		host_upload_advance(upload);
		return;
	}
	upload->check = ssh_script_start(host->session, &config, &events, &error);
	if (!upload->check)
		host_upload_fail(upload, OUTCOME_LOST, &error);
}

static void read_files(uv_work_t *work)
{
	struct fleet_upload *upload = work->data;

	for (uint32_t i = 0; i < upload->n_files; i++)
		if (local_file_read(&upload->files[i].local, upload->files[i].path,
			&upload->error) < 0)
			return;
}

static void on_files_read(uv_work_t *work, int status)
{
	struct fleet_upload *upload = work->data;
	struct fleet *fleet = upload->fleet;

	(void)status;
	fleet->n_works--;
	upload->is_reading = false;
	if (upload->is_finished) {
		upload_free(upload);
		fleet_maybe_closed(fleet);
		return;
	}
	for (uint32_t i = 0; i < fleet->n_hosts; i++) {
		struct host_upload *host = &upload->hosts[i];

		if (host->is_over)
			continue;
		if (upload->error.code < 0)
			host_upload_fail(host, OUTCOME_SKIPPED, &upload->error);
		else if (!host->host->is_connected)
			host_upload_end(host, &host->host->connection);
		else
			host_upload_begin(host);
	}
}

/* Nothing in a name means anything to a shell, and none leaves the run folder. */
static int file_check(const struct fleet_file *file, struct error *err)
{
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789._+/-";
	const char *name = file->name;

	if (name[0] == '\0' || name[0] == '/' || name[0] == '-' ||
	    strlen(name) > NAME_CHARS || name[strspn(name, allowed)] != '\0' ||
	    strstr(name, ".."))
		return error_set(err, -EINVAL,
		    "'%.200s' can't be a file's name in the run folder: letters, digits "
		    "and "
		    "._+/- only, no '..', and no '/' or '-' first",
		    name);
	return 0;
}

static int upload_init(
    struct fleet_upload *upload, const struct fleet_file *files, struct error *err)
{
	uint32_t n_hosts = upload->fleet->n_hosts;

	upload->files = calloc(upload->n_files + 1, sizeof(*upload->files));
	upload->hosts = calloc(n_hosts, sizeof(*upload->hosts));
	if (!upload->files || !upload->hosts)
		return error_set(err, -ENOMEM, "out of memory for an upload");
	for (uint32_t i = 0; i < n_hosts; i++) {
		upload->hosts[i].host = &upload->fleet->hosts[i];
		upload->hosts[i].is_same = calloc(upload->n_files + 1, sizeof(bool));
		if (!upload->hosts[i].is_same)
			return error_set(err, -ENOMEM, "out of memory for an upload");
	}
	if (upload->n_files > FLEET_FILES_MAX)
		return error_set(err, -E2BIG,
		    "%u files are more than the %u of one upload", upload->n_files,
		    FLEET_FILES_MAX);
	for (uint32_t i = 0; i < upload->n_files; i++) {
		struct upload_file *file = &upload->files[i];
		int rc = file_check(&files[i], err);

		if (rc < 0)
			return rc;
		snprintf(file->mode, sizeof(file->mode), "%o", files[i].mode & 07777u);
		file->hosts_mask = files[i].hosts_mask;
		file->path = strdup(files[i].local_path);
		file->name = strdup(files[i].name);
		if (!file->path || !file->name)
			return error_set(err, -ENOMEM, "out of memory for an upload");
	}
	return 0;
}

static void upload_refuse(struct fleet *fleet, const struct error *error)
{
	struct outcome skipped;

	outcome_set(&skipped, OUTCOME_SKIPPED, 0, "%s", error->text);
	for (uint32_t i = 0; i < fleet->n_hosts; i++)
		fleet_settle(&fleet->hosts[i], &skipped);
}

void fleet_upload_begin(
    struct fleet *fleet, const struct fleet_file *files, uint32_t n_files)
{
	struct fleet_upload *upload = calloc(1, sizeof(*upload));
	struct error error;
	int rc;

	if (!upload) {
		error_set(&error, -ENOMEM, "out of memory for an upload");
		upload_refuse(fleet, &error);
		return;
	}
	upload->fleet = fleet;
	upload->n_files = n_files;
	upload->due_ms = fleet->deadlines.total_ms > 0
			     ? ssh_now_ms() + fleet->deadlines.total_ms
			     : SSH_NEVER_MS;
	upload->work.data = upload;
	rc = upload_init(upload, files, &error);
	if (rc == 0) {
		rc = uv_queue_work(fleet->loop, &upload->work, read_files, on_files_read);
		if (rc < 0)
			error_set_errno(&error, rc, "cannot start reading the files");
	}
	if (rc < 0) {
		upload_refuse(fleet, &error);
		upload_free(upload);
		return;
	}
	upload->is_reading = true;
	fleet->n_works++;
	fleet->upload = upload;
}

void fleet_upload_cancel(struct fleet *fleet)
{
	for (uint32_t i = 0; i < fleet->n_hosts; i++) {
		struct host_upload *upload = &fleet->upload->hosts[i];
		struct outcome cancelled;

		outcome_set(&cancelled, OUTCOME_CANCELLED, 0, "%s: upload cancelled",
		    upload->host->name);
		host_upload_end(upload, &cancelled);
	}
}

void fleet_upload_finish(struct fleet *fleet)
{
	struct fleet_upload *upload = fleet->upload;

	fleet->upload = NULL;
	upload->is_finished = true;
	if (!upload->is_reading)
		upload_free(upload);
}
