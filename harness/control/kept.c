/* SPDX-License-Identifier: MIT */
#include "harness/control/kept.h"
#include "base/clock.h"
#include "base/units.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LOCK_DEADLINE_NS (30 * NS_PER_S)
#define LOCK_FILE        "keeper"

int kept_is_name(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= KEPT_NAME_BYTES || name[0] == '.')
		return 0;
	for (; *name != '\0'; name++)
		if (!isalnum((unsigned char)*name) && strchr("-_.", *name) == NULL)
			return 0;
	return 1;
}

char *kept_path(char *out, const char *name, const char *file)
{
	snprintf(out, KEPT_PATH_BYTES, KEPT_ROOT "/%.63s/%.32s", name, file);
	return out;
}

/* Whether the open folder is still the one of that name: it may have been removed by the
 * process that had the lock before. */
static int is_registry(int fd)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 && stat(KEPT_ROOT, &named) == 0 &&
	       opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

/* The registry with its lock; -EAGAIN if another has it, or has just removed it. */
static int try_lock(void)
{
	int fd = open(KEPT_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && is_registry(fd))
		return fd;
	close(fd);
	return -EAGAIN;
}

int kept_lock(struct error *err)
{
	const uint64_t deadline_ns = clock_monotonic_ns() + LOCK_DEADLINE_NS;
	const struct timespec pause = {.tv_nsec = 10 * (long)NS_PER_MS};

	while (clock_monotonic_ns() < deadline_ns) {
		int fd =
		    mkdir(KEPT_ROOT, 0700) < 0 && errno != EEXIST ? -errno : try_lock();

		if (fd == -EACCES)
			return error_set(err, fd,
			    "%s is root's: run the same command with `sudo` in front",
			    KEPT_ROOT);
		if (fd != -EAGAIN)
			return fd >= 0 ? fd : error_set_errno(err, fd, "%s", KEPT_ROOT);
		nanosleep(&pause, NULL);
	}
	return error_set(err, -EBUSY,
	    "%s: another `e3 up` or `e3 down` is at work for more than 30 s", KEPT_ROOT);
}

void kept_unlock(int lock_fd)
{
	if (lock_fd < 0)
		return;
	rmdir(KEPT_ROOT);
	close(lock_fd);
}

void kept_tidy(void)
{
	/* Whoever has the lock now removes an empty registry when giving it back. */
	kept_unlock(try_lock());
}

pid_t kept_keeper(const char *name)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[KEPT_PATH_BYTES];
	int fd = open(kept_path(path, name, LOCK_FILE), O_RDWR | O_CLOEXEC);
	int rc;

	if (fd < 0) {
		struct stat folder;

		if (errno == EACCES)
			return -EACCES;
		/* The folder alone: its maker was killed before it could claim it. */
		return stat(kept_path(path, name, ""), &folder) == 0 ? 0 : -ENOENT;
	}
	rc = fcntl(fd, F_GETLK, &lock);
	close(fd);
	return rc == 0 && lock.l_type != F_UNLCK ? lock.l_pid : 0;
}

int kept_claim(const char *name, int *out, struct error *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[KEPT_PATH_BYTES];
	int fd =
	    open(kept_path(path, name, LOCK_FILE), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_set_errno(err, -errno, "%s", path);
	if (fcntl(fd, F_SETLK, &lock) < 0) {
		close(fd);
		return error_set(err, -EBUSY, "%s: another process has the lock", path);
	}
	*out = fd;
	return 0;
}

static int is_entry(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

void kept_remove(const char *name)
{
	char path[KEPT_PATH_BYTES];
	DIR *folder = opendir(kept_path(path, name, ""));

	if (folder == NULL)
		return;
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
		if (is_entry(entry))
			unlinkat(dirfd(folder), entry->d_name, 0);
	closedir(folder);
	rmdir(path);
}

void kept_sweep(void)
{
	DIR *root = opendir(KEPT_ROOT);

	if (root == NULL)
		return;
	for (const struct dirent *entry; (entry = readdir(root)) != NULL;)
		if (kept_is_name(entry->d_name) && kept_keeper(entry->d_name) == 0)
			kept_remove(entry->d_name);
	closedir(root);
}

size_t kept_names(char (*names)[KEPT_NAME_BYTES], size_t max)
{
	DIR *root = opendir(KEPT_ROOT);
	size_t n = 0;

	if (root == NULL)
		return 0;
	for (const struct dirent *entry; n < max && (entry = readdir(root)) != NULL;)
		if (kept_is_name(entry->d_name) && kept_keeper(entry->d_name) > 0)
			strcpy(names[n++], entry->d_name);
	closedir(root);
	return n;
}

int kept_open(const char *name, int *pid_fd, int *netns_fd, struct error *err)
{
	pid_t keeper = kept_is_name(name) ? kept_keeper(name) : -ENOENT;
	int process = -1, network = -1;
	char path[64];

	if (keeper > 0) {
		process = (int)syscall(SYS_pidfd_open, keeper, 0);
		snprintf(path, sizeof path, "/proc/%d/ns/net", (int)keeper);
		network = open(path, O_RDONLY | O_CLOEXEC);
	}
	/* Asked again: between the two the number could have become another's. */
	if (process < 0 || network < 0 || kept_keeper(name) != keeper) {
		if (process >= 0)
			close(process);
		if (network >= 0)
			close(network);
		if (keeper > 0 && errno == EPERM)
			return error_set(
			    err, -EPERM, "the hosts of '%s' need root", name);
		return error_set(
		    err, -ENOENT, "no hosts '%s' are up: run `e3 up SCENARIO`", name);
	}
	*pid_fd = process;
	*netns_fd = network;
	return 0;
}
