/* SPDX-License-Identifier: MIT */
#include "testbed/host_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define MACHINE_ETC HOST_FOLDER "/etc" /* the machine's own */

struct own_folder {
	const char *path, *options;
	int is_optional;
};

static const struct own_folder own_folders[] = {
    {"/run", "mode=755", 0},
    {"/tmp", "mode=1777", 0},
    {"/var/tmp", "mode=1777", 0},
    {"/root", "mode=700", 0},
    {"/home", "mode=755", 1},
    {"/dev/shm", "mode=1777", 1},
};

/* Files of /etc that every host has of its own, alike on every machine. */
static const struct own_file {
	const char *path;
	mode_t mode;
	const char *text;
} own_files[] = {
    {"/etc/passwd", 0644,
	"root:x:0:0:root:/root:/bin/sh\n"
	"sshd:x:102:65534::/run/sshd:/usr/sbin/nologin\n"
	"nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"},
    {"/etc/group", 0644, "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n"},
    {"/etc/shadow", 0600,
	"root:*:19000::::::\nsshd:*:19000::::::\nnobody:*:19000::::::\n"},
    {"/etc/nsswitch.conf", 0644,
	"passwd: files\ngroup: files\nshadow: files\nhosts: files\n"
	"networks: files\nprotocols: files\nservices: files\n"},
    {"/etc/resolv.conf", 0644, "# the emulated network has no name server\n"},
};

int host_files_write(const char *path, mode_t mode, const char *text, struct error *err)
{
	size_t len = strlen(text);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int rc = 0;

	if (fd < 0)
		return error_set_errno(err, -errno, "%s", path);
	ssize_t n = write(fd, text, len);
	if (n < 0)
		rc = error_set_errno(err, -errno, "%s", path);
	else if ((size_t)n < len)
		rc = error_set(err, -ENOSPC, "%s: no memory left for it", path);
	close(fd);
	return rc;
}

void host_files_tail(const char *path, char *out, size_t out_bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;

	if (fd >= 0) {
		off_t size = lseek(fd, 0, SEEK_END);
		off_t from =
		    size > (off_t)out_bytes - 1 ? size - (off_t)out_bytes + 1 : 0;

		n = pread(fd, out, out_bytes - 1, from);
		close(fd);
	}
	out[n > 0 ? n : 0] = '\0';
}

static int mount_at(const char *type, const char *path, unsigned long flags,
    const char *options, struct error *err)
{
	if (mount(type, path, type, flags, options) < 0)
		return error_set_errno(err, -errno, "mounting %s on %s", type, path);
	return 0;
}

static int make_private(struct error *err)
{
	struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		if (errno == EINVAL)
			return error_set(err, -EINVAL,
			    "mounts can't be made private, as / is no mount point (a "
			    "plain "
			    "chroot?): run `mount --bind DIR DIR` before `chroot DIR`");
		return error_set_errno(err, -errno, "making the mounts private");
	}
	if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &read_only, sizeof read_only) < 0)
		return error_set_errno(err, -errno,
		    "making the machine's files read-only (Linux 5.12 or later is "
		    "needed)");
	return 0;
}

static int mount_own_folders(struct error *err)
{
	for (size_t i = 0; i < sizeof own_folders / sizeof *own_folders; i++) {
		const struct own_folder *own = &own_folders[i];

		if (own->is_optional && access(own->path, F_OK) < 0)
			continue;
		int rc =
		    mount_at("tmpfs", own->path, MS_NOSUID | MS_NODEV, own->options, err);
		if (rc < 0)
			return rc;
	}
	if (mkdir(HOST_FOLDER, 0755) < 0)
		return error_set_errno(err, -errno, "%s", HOST_FOLDER);
	return 0;
}

static int is_own_file(const char *path)
{
	for (size_t i = 0; i < sizeof own_files / sizeof *own_files; i++)
		if (strcmp(own_files[i].path, path) == 0)
			return 1;
	return strcmp(path, "/etc/hosts") == 0 || strcmp(path, "/etc/hostname") == 0 ||
	       strcmp(path, "/etc/motd") == 0;
}

/* A name in the new /etc for one entry of the machine's: symbolic links as they are,
 * since theirs may be relative to /etc; everything else as a link to it. */
static int link_entry(const struct dirent64 *entry, struct error *err)
{
	char path[5 + sizeof entry->d_name], to[sizeof MACHINE_ETC + sizeof path];
	char target[4096];
	ssize_t len;

	snprintf(path, sizeof path, "/etc/%s", entry->d_name);
	if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
	    is_own_file(path))
		return 0;
	snprintf(to, sizeof to, "%s/%s", MACHINE_ETC, entry->d_name);
	len = readlink(to, target, sizeof target - 1);
	target[len > 0 ? len : 0] = '\0';
	if (symlink(len > 0 ? target : to, path) < 0)
		return error_set_errno(err, -errno, "%s", path);
	return 0;
}

static int link_entries(int folder, struct error *err)
{
	_Alignas(struct dirent64) char buffer[16384];
	ssize_t n;

	while ((n = getdents64(folder, buffer, sizeof buffer)) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *entry = (const void *)(buffer + at);
			int rc = link_entry(entry, err);

			if (rc < 0)
				return rc;
			at += entry->d_reclen;
		}
	}
	return n < 0 ? error_set_errno(err, -errno, "%s", MACHINE_ETC) : 0;
}

/* An /etc in memory, as files that the machine lacks couldn't be mounted over. */
static int mount_etc(struct error *err)
{
	int folder, rc;

	if (mkdir(MACHINE_ETC, 0755) < 0 ||
	    mount("/etc", MACHINE_ETC, NULL, MS_BIND | MS_REC, NULL) < 0)
		return error_set_errno(err, -errno, "keeping /etc at %s", MACHINE_ETC);
	rc = mount_at("tmpfs", "/etc", MS_NOSUID | MS_NODEV, "mode=755", err);
	if (rc < 0)
		return rc;
	folder = open(MACHINE_ETC, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return error_set_errno(err, -errno, "%s", MACHINE_ETC);
	rc = link_entries(folder, err);
	close(folder);
	return rc;
}

/* Bind a path to itself, so that it has mount flags of its own. */
static int bind_self(const char *path, unsigned long flags, struct error *err)
{
	if (mount(path, path, NULL, MS_BIND | flags, NULL) < 0)
		return error_set_errno(err, -errno, "mounting %s", path);
	return 0;
}

static int mount_kernel_views(struct error *err)
{
	static const char *const switches[] = {"/proc/sys", "/proc/sysrq-trigger"};
	struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
	const unsigned long plain = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	int rc = mount_at("proc", "/proc", plain, NULL, err);

	if (rc == 0)
		rc = mount_at("sysfs", "/sys", plain | MS_RDONLY, NULL, err);
	if (rc == 0 && access("/dev/pts", F_OK) == 0)
		rc = mount_at("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC,
		    "newinstance,gid=5,mode=620,ptmxmode=666", err);
	if (rc == 0)
		rc = bind_self("/proc/sys/net", 0, err);
	for (size_t i = 0; rc == 0 && i < sizeof switches / sizeof *switches; i++) {
		if (access(switches[i], F_OK) < 0)
			continue;
		rc = bind_self(switches[i], MS_REC, err);
		if (rc == 0 && mount_setattr(AT_FDCWD, switches[i], 0, &read_only,
				   sizeof read_only) < 0)
			rc = error_set_errno(
			    err, -errno, "making %s read-only", switches[i]);
	}
	return rc;
}

static int write_names(const struct host_spec *spec, struct error *err)
{
	const struct testbed_host *self = &spec->hosts[spec->index];
	char text[2048];
	int at, rc;

	at = snprintf(text, sizeof text, "127.0.0.1 localhost\n%s controller\n",
	    spec->controller_address);
	for (uint32_t i = 0; i < spec->n_hosts; i++)
		at += snprintf(text + at, sizeof text - (size_t)at, "%s %s\n",
		    spec->hosts[i].address, spec->hosts[i].name);
	rc = host_files_write("/etc/hosts", 0644, text, err);
	if (rc < 0)
		return rc;
	snprintf(text, sizeof text, "%s\n", self->name);
	rc = host_files_write("/etc/hostname", 0644, text, err);
	if (rc < 0)
		return rc;
	snprintf(text, sizeof text, "%s of an emulated network%s%.64s\n", self->name,
	    spec->label != NULL ? ", in " : "", spec->label != NULL ? spec->label : "");
	return host_files_write("/etc/motd", 0644, text, err);
}

int host_files_setup(const struct host_spec *spec, struct error *err)
{
	int rc = make_private(err);

	if (rc == 0)
		rc = mount_own_folders(err);
	if (rc == 0)
		rc = mount_etc(err);
	if (rc == 0)
		rc = mount_kernel_views(err);
	for (size_t i = 0; rc == 0 && i < sizeof own_files / sizeof *own_files; i++)
		rc = host_files_write(
		    own_files[i].path, own_files[i].mode, own_files[i].text, err);
	if (rc == 0)
		rc = write_names(spec, err);
	return rc;
}
