/* SPDX-License-Identifier: MIT */
#include "transports/wireguard/wireguard_key.h"

#include "transports/common/helper_program.h"
#include "transports/common/state_file.h"

#include <errno.h>
#include <string.h>

#define FILE_NAME "key"

static int failed(
    const struct e3_host *host, const char *what, int rc, const char *complaint)
{
	host->log(host->ctx, E3_LOG_ERROR, "transport wireguard: %s: %s", what,
	    complaint[0] != '\0' ? complaint : strerror(-rc));
	return rc;
}

static int path_of(const struct e3_host *host, char out[PATH_MAX])
{
	return state_file_path(out, PATH_MAX, host->state_folder, FILE_NAME);
}

/* `wg genkey`, or `wg pubkey` of `input`: one line that is a key. */
static int ask_wg(const struct e3_host *host, const struct wireguard_programs *programs,
    const char *verb, const char *input, char out[WIREGUARD_KEY_CHARS + 1],
    uint64_t deadline_ms)
{
	const char *const argv[] = {programs->wg, verb, NULL};
	char text[WIREGUARD_KEY_CHARS + 2];
	struct helper_call call = {.argv = argv,
	    .input = input,
	    .input_bytes = input != NULL ? strlen(input) : 0,
	    .output = text,
	    .output_bytes = sizeof(text)};
	int rc = helper_call(&call, deadline_ms);

	if (rc == 0 && !wireguard_card_is_key(text, strcspn(text, "\n")))
		rc = -EPROTO;
	if (rc == 0) {
		memcpy(out, text, WIREGUARD_KEY_CHARS);
		out[WIREGUARD_KEY_CHARS] = '\0';
	}
	explicit_bzero(text, sizeof(text));
	return rc < 0 ? failed(host, verb, rc, call.complaint) : 0;
}

int wireguard_key_read(
    const struct e3_host *host, char private_key[WIREGUARD_KEY_CHARS + 1])
{
	char path[PATH_MAX], text[WIREGUARD_KEY_CHARS + 1];
	int rc = path_of(host, path);

	if (rc == 0)
		rc = state_file_read(path, text, sizeof(text));
	if (rc < 0)
		return rc;
	if (wireguard_card_is_key(text, strlen(text)))
		memcpy(private_key, text, sizeof(text));
	else
		rc = -EPROTO;
	explicit_bzero(text, sizeof(text));
	return rc < 0 ? rc : 0;
}

int wireguard_key_make(const struct e3_host *host,
    const struct wireguard_programs *programs, char public_key[WIREGUARD_KEY_CHARS + 1],
    uint64_t deadline_ms)
{
	char private_key[WIREGUARD_KEY_CHARS + 1], path[PATH_MAX];
	int rc = wireguard_key_read(host, private_key);

	if (rc == -ENOENT) {
		rc = ask_wg(host, programs, "genkey", NULL, private_key, deadline_ms);
		if (rc < 0)
			return rc;
		rc = path_of(host, path);
		if (rc == 0)
			rc = state_file_write(path, private_key);
	}
	if (rc < 0)
		failed(host, "file key in the state folder", rc, "");
	else
		rc = ask_wg(
		    host, programs, "pubkey", private_key, public_key, deadline_ms);
	explicit_bzero(private_key, sizeof(private_key));
	return rc;
}

int wireguard_key_remove(const struct e3_host *host)
{
	char path[PATH_MAX];
	int rc = path_of(host, path);

	return rc < 0 ? rc : state_file_remove(path);
}
