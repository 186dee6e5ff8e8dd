/* SPDX-License-Identifier: MIT */
#include "harness/fleet/ssh_login.h"

#include "base/bytes.h"
#include "harness/fleet/ssh_session.h"

#include <stdio.h>
#include <string.h>

int ssh_host_key_parse(struct ssh_host_key *key, const char *line, struct error *err)
{
	char type[32], base64[1400];
	int64_t len;

	if (sscanf(line, "%31s %1399s", type, base64) != 2)
		return error_set(err, -EINVAL,
		    "host key '%.80s' is not of the form 'ssh-ed25519 AAAA...'", line);
	len = bytes_from_base64(key->blob, sizeof(key->blob), base64);
	/* The blob begins with its type, as a string with a 32-bit length before it. */
	if (len < (int64_t)strlen(type) + 4 || memcmp(key->blob + 4, type, strlen(type)))
		return error_set(err, -EINVAL,
		    "host key '%.80s' is damaged: take the line from the host's "
		    "/etc/ssh/ssh_host_ed25519_key.pub",
		    line);
	snprintf(key->type, sizeof(key->type), "%s", type);
	key->blob_len = (size_t)len;
	return 0;
}

bool ssh_login_has_banner(struct ssh_session *session)
{
	const char *banner = libssh2_session_banner_get(session->ssh);

	return banner && strncmp(banner, "SSH-", 4) == 0;
}

static bool has_pinned_key(struct ssh_session *session)
{
	const struct ssh_host_key *pinned = session->config.host_key;
	size_t len = 0;
	int type;
	const char *blob = libssh2_session_hostkey(session->ssh, &len, &type);

	return blob && len == pinned->blob_len && memcmp(blob, pinned->blob, len) == 0;
}

static void refuse_host_key(struct ssh_session *session)
{
	ssh_session_fail(session, OUTCOME_HOSTKEY,
	    "the host's key is not the pinned one: another machine answers, or the host "
	    "was installed anew; check it, then correct its host_key");
}

static void greeting_failed(struct ssh_session *session, int ssh_error)
{
	size_t len = 0;
	int type;
	char text[512];

	if (libssh2_session_hostkey(session->ssh, &len, &type) &&
	    (!has_pinned_key(session) || ssh_error == LIBSSH2_ERROR_HOSTKEY_SIGN)) {
		refuse_host_key(session);
		return;
	}
	if (!ssh_login_has_banner(session)) {
		ssh_session_fail(session, OUTCOME_UNREACHABLE,
		    "what answers there does not speak SSH: it sends no SSH banner");
		return;
	}
	snprintf(text, sizeof(text),
	    "SSH key exchange failed: %.120s (libssh2 error %d); its sshd must offer "
	    "KexAlgorithms curve25519-sha256, Ciphers aes128-ctr or aes256-ctr, MACs "
	    "hmac-sha2-256 and an ed25519 host key",
	    ssh_session_error_text(session), ssh_error);
	ssh_session_fail(session, OUTCOME_LOST, text);
}

void ssh_login_greet(struct ssh_session *session)
{
	int rc = libssh2_session_handshake(session->ssh, session->fd);

	if (rc == LIBSSH2_ERROR_EAGAIN)
		return;
	if (rc < 0) {
		greeting_failed(session, rc);
	} else if (!has_pinned_key(session)) {
		refuse_host_key(session);
	} else {
		session->state = SSH_LOGIN;
		session->is_again = true;
	}
}

void ssh_login_prove(struct ssh_session *session)
{
	const struct ssh_session_config *config = &session->config;
	const struct fleet_key *key = config->key;
	char text[256];
	int rc = libssh2_userauth_publickey_frommemory(session->ssh, config->user,
	    strlen(config->user), key->public_line, strlen(key->public_line),
	    key->private_pem, strlen(key->private_pem), NULL);

	switch (rc) {
	case LIBSSH2_ERROR_EAGAIN:
		return;
	case 0:
		session->state = SSH_READY;
		session->is_again = true;
		return;
	case LIBSSH2_ERROR_AUTHENTICATION_FAILED:
	case LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED:
		snprintf(text, sizeof(text),
		    "our key was refused for user '%.64s'; put the controller's public "
		    "key into that user's authorized_keys",
		    config->user);
		ssh_session_fail(session, OUTCOME_AUTH, text);
		return;
	default:
		ssh_session_broke(session, rc);
	}
}

/* What is fast on both sides comes first: OpenSSH's own first choice of key exchange
 * costs 100 ms of CPU a login. The pinned kind of host key is asked for before the
 * others, which are there so that a host without it is told apart by its key. */
int ssh_login_prefer(struct ssh_session *session)
{
	char host_keys[160];

	snprintf(host_keys, sizeof(host_keys),
	    "%s,ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521",
	    session->config.host_key->type);
	if (libssh2_session_method_pref(session->ssh, LIBSSH2_METHOD_KEX,
		"curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,"
		"ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group14-sha256,"
		"diffie-hellman-group16-sha512") ||
	    libssh2_session_method_pref(
		session->ssh, LIBSSH2_METHOD_HOSTKEY, host_keys) ||
	    libssh2_session_method_pref(
		session->ssh, LIBSSH2_METHOD_CRYPT_CS, "aes128-ctr,aes256-ctr") ||
	    libssh2_session_method_pref(
		session->ssh, LIBSSH2_METHOD_CRYPT_SC, "aes128-ctr,aes256-ctr") ||
	    libssh2_session_method_pref(
		session->ssh, LIBSSH2_METHOD_MAC_CS, "hmac-sha2-256,hmac-sha2-512") ||
	    libssh2_session_method_pref(
		session->ssh, LIBSSH2_METHOD_MAC_SC, "hmac-sha2-256,hmac-sha2-512"))
		return -ENOTSUP;
	return 0;
}
