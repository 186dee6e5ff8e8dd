/* SPDX-License-Identifier: MIT */
#include "harness/command/machine_check.h"

#include "base/units.h"
#include "harness/measure/system_file.h"
#include "harness/plugin/plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MEMORY_MIN_BYTES  (UINT64_C(1000) * 1000 * 1000)
#define MEMORY_GOOD_BYTES (UINT64_C(3000) * 1000 * 1000) /* ten parties, CNN, batch 4 */
#define DISK_GOOD_BYTES   (UINT64_C(500) * 1000 * 1000)
#define KERNEL_MAJOR      5u /* mount_setattr(), for the read-only files of a host */
#define KERNEL_MINOR      12u
#define LOAD_BUSY         0.5 /* of the cores */

const char *check_level_text(enum check_level level)
{
	static const char *const texts[] = {
#define CHECK_LEVEL_TEXT(name, text) [CHECK_##name] = text,
	    CHECK_LEVELS(CHECK_LEVEL_TEXT)
#undef CHECK_LEVEL_TEXT
	};

	return texts[level];
}

struct checkup {
	const char *root, *home;
	struct machine_check *out;
	uint32_t n;
};

static void found(struct checkup *c, const char *name, enum check_level level,
    const char *fix, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* `fix` counts only when something is wrong. */
static void found(struct checkup *c, const char *name, enum check_level level,
    const char *fix, const char *fmt, ...)
{
	struct machine_check *check;
	va_list args;

	if (c->n == MACHINE_CHECKS_MAX)
		return;
	check = &c->out[c->n++];
	check->level = level;
	snprintf(check->name, sizeof(check->name), "%s", name);
	snprintf(check->fix, sizeof(check->fix), "%s", level == CHECK_OK ? "" : fix);
	va_start(args, fmt);
	vsnprintf(check->found, sizeof(check->found), fmt, args);
	va_end(args);
}

static void check_root(struct checkup *c)
{
	int is_root = geteuid() == 0;

	found(c, "root", is_root ? CHECK_OK : CHECK_MISSING, "sudo ./e3 doctor",
	    is_root ? "yes" : "no: emulated hosts need namespaces and devices");
}

static void check_tun(struct checkup *c)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		found(c, "/dev/net/tun", CHECK_OK, "", "opens");
	else
		found(c, "/dev/net/tun", CHECK_MISSING,
		    errno == EACCES || errno == EPERM
			? "sudo ./e3 doctor; in a container: start it with --device "
			  "/dev/net/tun"
			: "modprobe tun; in a container: start it with --device "
			  "/dev/net/tun",
		    "%s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* In a child, so that nothing changes here. Returns 0 or the errno. */
static int in_child(int (*attempt)(void))
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return errno;
	if (pid == 0)
		_exit(attempt() < 0 ? errno : 0);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static int attempt_namespaces(void)
{
	return unshare(
	    CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC);
}

static int attempt_fifo(void)
{
	const struct sched_param priority = {.sched_priority = 1};

	return sched_setscheduler(0, SCHED_FIFO, &priority);
}

static void check_namespaces(struct checkup *c)
{
	int refused = in_child(attempt_namespaces);

	if (refused == 0)
		found(c, "namespaces", CHECK_OK, "", "net, mount, pid, uts, ipc");
	else
		found(c, "namespaces", CHECK_MISSING,
		    "sudo ./e3 doctor; in a container: start it with --privileged", "%s",
		    strerror(refused));
}

static void check_kernel(struct checkup *c)
{
	unsigned major = 0, minor = 0;
	struct utsname kernel;
	int is_new;

	if (uname(&kernel) < 0 || sscanf(kernel.release, "%u.%u", &major, &minor) != 2)
		return;
	is_new = major > KERNEL_MAJOR || (major == KERNEL_MAJOR && minor >= KERNEL_MINOR);
	found(c, "kernel", is_new ? CHECK_OK : CHECK_MISSING, "Linux 5.12 or later", "%s",
	    kernel.release);
}

/* Hosts get a view of the machine's files by a mount of `/`. */
static void check_mount(struct checkup *c)
{
	char path[256], line[1024], point[512];
	int is_mount = 0;
	FILE *list;

	snprintf(path, sizeof(path), "%s/proc/self/mountinfo", c->root);
	list = fopen(path, "re");
	if (list == NULL)
		return;
	while (!is_mount && fgets(line, sizeof(line), list) != NULL)
		is_mount = sscanf(line, "%*s %*s %*s %*s %511s", point) == 1 &&
			   strcmp(point, "/") == 0;
	fclose(list);
	found(c, "/", is_mount ? CHECK_OK : CHECK_MISSING,
	    "mount --bind DIR DIR, then enter the chroot DIR again",
	    is_mount ? "a mount point" : "no mount point: this is a chroot");
}

static void check_program(
    struct checkup *c, const char *path, const char *package, const char *purpose)
{
	char fix[160];

	snprintf(fix, sizeof(fix), "apt-get install --no-install-recommends %s", package);
	if (access(path, X_OK) == 0)
		found(c, path, CHECK_OK, "", "%s", purpose);
	else
		found(c, path, CHECK_MISSING, fix, "%s: %s", purpose, strerror(errno));
}

static void on_plugin(
    void *user, const char *name, const struct plugin *plugin, const struct error *why)
{
	struct checkup *c = user;
	char label[48], reason[320] = "";

	snprintf(label, sizeof(label), "transport %s", name);
	if (plugin == NULL)
		found(c, label, CHECK_LESS, "build E3 again: ninja -C build", "%s",
		    why->text);
	else if (plugin->table.supported != NULL &&
		 plugin->table.supported(reason, sizeof(reason)) < 0)
		found(c, label, CHECK_LESS, reason, "can't be used here");
	else
		found(c, label, CHECK_OK, "", "%s", plugin->declared.layer);
}

/* Whether `name`.ko is in one of the lists that depmod writes. */
static int has_module(struct checkup *c, const char *name)
{
	static const char *const lists[] = {"modules.dep", "modules.builtin"};
	char path[256], line[1024], file[96];
	struct utsname kernel;
	int is_there = 0;

	snprintf(path, sizeof(path), "%s/sys/module/%s", c->root, name);
	if (access(path, F_OK) == 0)
		return 1;
	if (uname(&kernel) < 0)
		return 0;
	snprintf(file, sizeof(file), "/%s.ko", name);
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists) && !is_there; i++) {
		FILE *list;

		snprintf(path, sizeof(path), "%s/lib/modules/%s/%s", c->root,
		    kernel.release, lists[i]);
		list = fopen(path, "re");
		while (list != NULL && !is_there && fgets(line, sizeof(line), list)) {
			line[strcspn(line, ":")] = '\0';
			is_there = strstr(line, file) != NULL;
		}
		if (list != NULL)
			fclose(list);
	}
	return is_there;
}

static void check_wireguard_module(struct checkup *c)
{
	if (has_module(c, "wireguard"))
		found(c, "kernel's WireGuard", CHECK_OK, "", "module there");
	else
		found(c, "kernel's WireGuard", CHECK_WORSE,
		    "a kernel with CONFIG_WIREGUARD; without it wireguard-go is used",
		    "no module: packets pass through a program of its own");
}

static void check_cores(struct checkup *c)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	found(c, "cores", n >= 2 ? CHECK_OK : CHECK_WORSE,
	    "two or more: the emulator keeps one busy", "%d", n);
}

static void check_load(struct checkup *c)
{
	double load = 0;
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	if (getloadavg(&load, 1) != 1)
		return;
	found(c, "load", load <= LOAD_BUSY * n ? CHECK_OK : CHECK_WORSE,
	    "end what else runs: see `top`", "%.2f over the last minute", load);
}

static void check_dma_latency(struct checkup *c)
{
	int fd = open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		found(c, "/dev/cpu_dma_latency", CHECK_OK, "",
		    "opens: CPUs stay awake while the emulator runs");
	else
		found(c, "/dev/cpu_dma_latency", CHECK_WORSE,
		    errno == ENOENT
			? "none in a virtual machine or container; nothing is due"
			: "sudo ./e3 doctor",
		    "%s: an idle CPU may wake late", strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void check_fifo(struct checkup *c)
{
	int refused = in_child(attempt_fifo);

	if (refused == 0)
		found(
		    c, "real-time priority", CHECK_OK, "", "SCHED_FIFO for the emulator");
	else
		found(c, "real-time priority", CHECK_WORSE,
		    "sudo ./e3 doctor; in a container: start it with --cap-add SYS_NICE",
		    "SCHED_FIFO: %s: the emulator may be late under load",
		    strerror(refused));
}

static void check_clock(struct checkup *c)
{
	static const char *const good[] = {
	    "tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page"};
	static const char folder[] = "/sys/devices/system/clocksource/clocksource0/";
	char name[64], path[128];
	enum check_level level = CHECK_WORSE;

	snprintf(path, sizeof(path), "%scurrent_clocksource", folder);
	if (system_file_read(c->root, path, name, sizeof(name)) == 0) {
		found(c, "clock source", CHECK_WORSE, "mount /sys", "unknown");
		return;
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (strcmp(name, good[i]) == 0)
			level = CHECK_OK;
	found(c, "clock source", level,
	    "echo tsc >/sys/devices/system/clocksource/clocksource0/current_clocksource",
	    "%s%s", name,
	    level == CHECK_OK ? "" : ": reading it is slow on most machines");
}

static void check_timers(struct checkup *c)
{
	struct timespec resolution;

	if (clock_getres(CLOCK_MONOTONIC, &resolution) < 0)
		return;
	found(c, "timers",
	    resolution.tv_sec == 0 && resolution.tv_nsec <= 1000 ? CHECK_OK : CHECK_WORSE,
	    "a kernel with high-resolution timers (CONFIG_HIGH_RES_TIMERS)", "%ld ns",
	    resolution.tv_nsec);
}

static void check_memory(struct checkup *c)
{
	char text[8192], value[64], amount[UNITS_TEXT_BYTES];
	uint64_t bytes;

	system_file_read(c->root, "/proc/meminfo", text, sizeof(text));
	if (system_file_value(text, "MemAvailable", value, sizeof(value)) < 0)
		return;
	bytes = strtoull(value, NULL, 10) * 1024;
	found(c, "memory",
	    bytes >= MEMORY_GOOD_BYTES  ? CHECK_OK
	    : bytes >= MEMORY_MIN_BYTES ? CHECK_WORSE
					: CHECK_MISSING,
	    "free some, or run fewer parties (--parties)", "%s available",
	    units_bytes(amount, bytes));
}

static void check_disk(struct checkup *c, const char *folder, const char *purpose)
{
	char amount[UNITS_TEXT_BYTES];
	struct statvfs fs;
	uint64_t bytes;

	if (statvfs(folder, &fs) < 0)
		return;
	bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	found(c, folder, bytes >= DISK_GOOD_BYTES ? CHECK_OK : CHECK_WORSE,
	    "free some: `df -h` shows what is full", "%s free for %s",
	    units_bytes(amount, bytes), purpose);
}

uint32_t machine_check_all(const char *root, const char *home, struct machine_check *out)
{
	struct checkup c = {root, home, out, 0};

	check_root(&c);
	check_tun(&c);
	check_kernel(&c);
	check_namespaces(&c);
	check_mount(&c);
	check_program(&c, "/usr/sbin/sshd", "openssh-server", "every host has its own");
	check_program(&c, "/usr/bin/ssh-keygen", "openssh-client", "host keys");
	plugin_list(on_plugin, &c);
	check_wireguard_module(&c);
	check_cores(&c);
	check_load(&c);
	check_fifo(&c);
	check_dma_latency(&c);
	check_clock(&c);
	check_timers(&c);
	check_memory(&c);
	check_disk(&c, home, "results");
	check_disk(&c, "/tmp", "temporary files");
	return c.n;
}
