/* SPDX-License-Identifier: MIT */
#include "transports/wireguard/wireguard_programs.h"

#include "transports/common/helper_program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define CANDIDATES_MAX 8
#define TUN_DEVICE     "/dev/net/tun"

static int find_tool(const char *name, const char *package, char path[PATH_MAX],
    char *reason, size_t reason_bytes)
{
	char found[1][PATH_MAX];

	if (helper_find(name, found, 1) == 0) {
		snprintf(reason, reason_bytes,
		    "program %s is missing: apt-get install %s", name, package);
		return -ENOTSUP;
	}
	memcpy(path, found[0], PATH_MAX);
	return 0;
}

/* "wireguard-go v0.0.20220316" -> the second word. */
static void ask_version(
    const char *path, char out[WIREGUARD_VERSION_BYTES], uint64_t deadline_ms)
{
	const char *const argv[] = {path, "--version", NULL};
	char text[256];
	struct helper_call call = {
	    .argv = argv, .output = text, .output_bytes = sizeof(text)};
	const char *word = NULL;

	if (helper_call(&call, deadline_ms) == 0)
		word = strchr(text, ' ');
	snprintf(out, WIREGUARD_VERSION_BYTES, "%.*s",
	    word != NULL ? (int)strcspn(word + 1, " \n") : 7,
	    word != NULL ? word + 1 : "unknown");
}

static void find_newest_go(struct wireguard_programs *programs, uint64_t deadline_ms)
{
	char paths[CANDIDATES_MAX][PATH_MAX], version[WIREGUARD_VERSION_BYTES];
	int n = helper_find("wireguard-go", paths, CANDIDATES_MAX);

	for (int i = 0; i < n; i++) {
		version[0] = '\0';
		if (deadline_ms > 0)
			ask_version(paths[i], version, deadline_ms);
		if (programs->go[0] == '\0' ||
		    strverscmp(version, programs->go_version) > 0) {
			memcpy(programs->go, paths[i], sizeof(programs->go));
			memcpy(programs->go_version, version, sizeof(version));
		}
	}
}

static int find_go(struct wireguard_programs *out, const char *go_path,
    uint64_t deadline_ms, char *reason, size_t reason_bytes)
{
	struct stat tun;

	if (go_path[0] == '\0') {
		find_newest_go(out, deadline_ms);
	} else if (access(go_path, X_OK) == 0) {
		snprintf(out->go, sizeof(out->go), "%s", go_path);
		ask_version(out->go, out->go_version, deadline_ms);
	} else {
		snprintf(
		    reason, reason_bytes, "option program: %s cannot be run", go_path);
		return -ENOTSUP;
	}
	if (out->go[0] == '\0') {
		snprintf(reason, reason_bytes,
		    "this kernel has no WireGuard and program wireguard-go is missing: "
		    "apt-get install wireguard-go");
		return -ENOTSUP;
	}
	if (stat(TUN_DEVICE, &tun) < 0 || !S_ISCHR(tun.st_mode)) {
		snprintf(reason, reason_bytes,
		    "%s is missing: modprobe tun, or give the container this device",
		    TUN_DEVICE);
		return -ENOTSUP;
	}
	return 0;
}

int wireguard_programs_find(struct wireguard_programs *out, enum wireguard_kind kind,
    const char *go_path, uint64_t deadline_ms, char *reason, size_t reason_bytes)
{
	int rc;

	memset(out, 0, sizeof(*out));
	if (geteuid() != 0) {
		snprintf(reason, reason_bytes,
		    "making a network interface needs root: run as root");
		return -ENOTSUP;
	}
	rc = find_tool("wg", "wireguard-tools", out->wg, reason, reason_bytes);
	if (rc == 0)
		rc = find_tool("ip", "iproute2", out->ip, reason, reason_bytes);
	if (rc < 0 || kind == WIREGUARD_KERNEL)
		return rc;
	rc = find_go(out, go_path, deadline_ms, reason, reason_bytes);
	return rc < 0 && kind == WIREGUARD_ANY && wireguard_kernel_has_it() ? 0 : rc;
}

static int is_in_file(const char *path, const char *word)
{
	char line[1024];
	FILE *file = fopen(path, "re");
	int found = 0;

	while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL)
		found = strstr(line, word) != NULL;
	if (file != NULL)
		fclose(file);
	return found;
}

int wireguard_kernel_has_it(void)
{
	static const char *const lists[] = {"modules.builtin", "modules.dep"};
	struct utsname name;
	char path[512];

	if (access("/sys/module/wireguard", F_OK) == 0)
		return 1;
	if (uname(&name) < 0)
		return 0;
	for (size_t i = 0; i < 2; i++) {
		snprintf(
		    path, sizeof(path), "/lib/modules/%s/%s", name.release, lists[i]);
		if (is_in_file(path, "/wireguard.ko"))
			return 1;
	}
	return 0;
}
