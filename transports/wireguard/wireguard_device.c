/* SPDX-License-Identifier: MIT */
#include "transports/wireguard/wireguard_device.h"

#include "transports/common/helper_daemon.h"
#include "transports/common/helper_program.h"
#include "transports/common/state_file.h"
#include "transports/wireguard/wireguard_socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define RUN_FOLDER   "/run/wireguard" /* of wireguard-go's control sockets */
#define NAME_HEAD    "e3wg"
#define LOOK_NS      500000L
#define LOG_BYTES    4096
#define SCRIPT_BYTES 256

static int failed(const struct wireguard_device *device, const char *what, int rc,
    const char *complaint)
{
	device->host->log(device->host->ctx, E3_LOG_ERROR, "transport wireguard: %s: %s",
	    what, complaint[0] != '\0' ? complaint : strerror(-rc));
	return rc;
}

/* A state folder whose files have no path was refused when the endpoint was made. */
static const char *path_of(
    const struct wireguard_device *device, const char *name, char out[PATH_MAX])
{
	state_file_path(out, PATH_MAX, device->host->state_folder, name);
	return out;
}

static void nap(void)
{
	struct timespec time = {.tv_nsec = LOOK_NS};

	nanosleep(&time, NULL);
}

/* Choose a name and write it down. */
static int name_make(struct wireguard_device *device)
{
	char path[PATH_MAX];
	uint32_t random;
	int rc;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	snprintf(device->name, sizeof(device->name), NAME_HEAD "%08x", random);
	rc = state_file_write(path_of(device, "interface", path), device->name);
	if (rc < 0)
		device->name[0] = '\0';
	return rc;
}

/* What an earlier process wrote down. 1 = there is a name. */
static int name_load(struct wireguard_device *device)
{
	char path[PATH_MAX], name[IF_NAMESIZE];
	int rc;

	if (device->name[0] != '\0')
		return 1;
	rc = state_file_read(path_of(device, "interface", path), name, sizeof(name));
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	if (strncmp(name, NAME_HEAD, strlen(NAME_HEAD)) != 0 ||
	    strspn(name + strlen(NAME_HEAD), "0123456789abcdef") !=
		strlen(name) - strlen(NAME_HEAD))
		return -EPROTO;
	strcpy(device->name, name);
	return 1;
}

int wireguard_device_find(struct wireguard_device *device)
{
	return name_load(device) > 0 && if_nametoindex(device->name) != 0 ? 0 : -ENODEV;
}

static int make_kernel(struct wireguard_device *device,
    const struct wireguard_programs *programs, uint64_t deadline_ms)
{
	const char *const argv[] = {
	    programs->ip, "link", "add", "dev", device->name, "type", "wireguard", NULL};
	struct helper_call call = {.argv = argv};
	int rc = helper_call(&call, deadline_ms);

	if (rc == 0)
		device->is_made_by = WIREGUARD_KERNEL;
	return rc;
}

/* Whether the control socket is served, not merely there. */
static int answers(const struct wireguard_device *device)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return 0;
	snprintf(at.sun_path, sizeof(at.sun_path), RUN_FOLDER "/%s.sock", device->name);
	rc = connect(fd, (struct sockaddr *)&at, sizeof(at));
	close(fd);
	return rc == 0;
}

static int go_has_ended(
    const struct wireguard_device *device, const struct wireguard_programs *programs)
{
	char log[LOG_BYTES] = "", path[PATH_MAX], complaint[LOG_BYTES + PATH_MAX];

	state_file_read(path_of(device, "log", path), log, sizeof(log));
	snprintf(complaint, sizeof(complaint), "%s ended: %s", programs->go,
	    helper_last_line(log));
	return failed(device, "the interface cannot be made", -EIO, complaint);
}

static int make_go(struct wireguard_device *device,
    const struct wireguard_programs *programs, uint64_t deadline_ms)
{
	static const char *const extra[] = {"LOG_LEVEL=error", NULL};
	const char *const argv[] = {programs->go, "-f", device->name, NULL};
	char pid_path[PATH_MAX], log_path[PATH_MAX];
	int rc;

	rc = helper_daemon_start(argv, extra, path_of(device, "log", log_path),
	    path_of(device, "daemon", pid_path));
	if (rc < 0)
		return failed(device, "wireguard-go cannot be started", rc, "");
	while (!answers(device)) {
		if (!helper_daemon_is_alive(pid_path))
			return go_has_ended(device, programs);
		if (helper_left_ms(deadline_ms) == 0)
			return failed(device, "wireguard-go", -ETIMEDOUT, "");
		nap();
	}
	device->is_made_by = WIREGUARD_GO;
	return 0;
}

int wireguard_device_make(struct wireguard_device *device,
    const struct wireguard_programs *programs, enum wireguard_kind kind,
    uint64_t deadline_ms)
{
	int rc = name_make(device);

	if (rc < 0)
		return failed(device, "the state folder cannot be written to", rc, "");
	if (kind != WIREGUARD_GO && make_kernel(device, programs, deadline_ms) == 0)
		return 0;
	if (kind == WIREGUARD_KERNEL || programs->go[0] == '\0')
		return failed(device, "option implementation", -ENOTSUP,
		    "this kernel has no WireGuard: modprobe wireguard, or let "
		    "wireguard-go do it (apt-get install wireguard-go)");
	return make_go(device, programs, deadline_ms);
}

int wireguard_device_set(struct wireguard_device *device,
    const struct wireguard_programs *programs, const char *config, uint64_t deadline_ms)
{
	const char *const argv[] = {
	    programs->wg, "setconf", device->name, "/dev/stdin", NULL};
	struct helper_call call = {
	    .argv = argv, .input = config, .input_bytes = strlen(config)};
	int rc = helper_call(&call, deadline_ms);

	return rc < 0 ? failed(device, "wg setconf", rc, call.complaint) : 0;
}

int wireguard_device_address(struct wireguard_device *device,
    const struct wireguard_programs *programs, const char *address, uint32_t mtu,
    uint64_t deadline_ms)
{
	const char *const argv[] = {programs->ip, "-batch", "-", NULL};
	char script[SCRIPT_BYTES];
	struct helper_call call = {.argv = argv, .input = script};
	int rc;

	/* No IPv6 of its own: it would send router solicitations to the peers. */
	call.input_bytes = (size_t)snprintf(script, sizeof(script),
	    "link set dev %s addrgenmode none\n"
	    "address add %s dev %s\n"
	    "link set dev %s mtu %u up\n",
	    device->name, address, device->name, device->name, mtu);
	rc = helper_call(&call, deadline_ms);
	return rc < 0 ? failed(device, "ip", rc, call.complaint) : 0;
}

int64_t wireguard_device_widen(const struct wireguard_device *device, uint16_t port,
    uint32_t bytes, uint64_t deadline_ms)
{
	char path[PATH_MAX];
	pid_t pid;

	if (device->is_made_by != WIREGUARD_GO)
		return 0;
	pid = helper_daemon_pid(path_of(device, "daemon", path));
	return pid == 0 ? -ESRCH : wireguard_socket_widen(pid, port, bytes, deadline_ms);
}

int wireguard_device_watch(const struct wireguard_device *device)
{
	char path[PATH_MAX];

	if (device->is_made_by != WIREGUARD_GO)
		return -ENOENT;
	return helper_daemon_watch(path_of(device, "daemon", path));
}

static int link_remove(struct wireguard_device *device, uint64_t deadline_ms)
{
	char ip[1][PATH_MAX];
	const char *const argv[] = {ip[0], "link", "del", "dev", device->name, NULL};
	struct helper_call call = {.argv = argv};
	int rc = 0;

	if (if_nametoindex(device->name) == 0)
		return 0;
	if (helper_find("ip", ip, 1) == 0)
		return failed(device, "the interface cannot be removed", -ENOENT,
		    "program ip is missing: apt-get install iproute2");
	rc = helper_call(&call, deadline_ms);
	/* It may have gone by itself meanwhile, with the process that had made it. */
	while (if_nametoindex(device->name) != 0) {
		if (rc < 0 || helper_left_ms(deadline_ms) == 0)
			return failed(device, "ip link del", rc < 0 ? rc : -ETIMEDOUT,
			    call.complaint);
		nap();
	}
	return 0;
}

static int interface_remove(struct wireguard_device *device, uint64_t deadline_ms)
{
	char path[PATH_MAX];
	int rc = link_remove(device, deadline_ms);

	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), RUN_FOLDER "/%s.sock", device->name);
	unlink(path);
	rmdir(RUN_FOLDER); /* only when empty: whoever needs it makes it */
	device->name[0] = '\0';
	device->is_made_by = WIREGUARD_ANY;
	return 0;
}

int wireguard_device_remove(struct wireguard_device *device, uint64_t deadline_ms)
{
	char path[PATH_MAX];
	int has_name = name_load(device), rc;

	if (has_name < 0)
		return failed(device, "file interface", has_name, "");
	rc = helper_daemon_stop(path_of(device, "daemon", path), deadline_ms);
	if (rc < 0)
		return failed(device, "wireguard-go does not end", rc, "");
	if (has_name)
		rc = interface_remove(device, deadline_ms);
	if (rc < 0)
		return rc;
	state_file_remove(path_of(device, "log", path));
	rc = state_file_remove(path_of(device, "interface", path));
	return rc < 0 ? failed(device, "file interface", rc, "") : 0;
}
