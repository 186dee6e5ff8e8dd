/* SPDX-License-Identifier: MIT */
#include "testbed/host_namespaces.h"
#include "base/clock.h"
#include "base/units.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOST_NAMESPACES                                                                  \
	(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC)

static int refused(struct error *err, int code, const char *what)
{
	if (code == -EPERM)
		return error_set(err, code,
		    "%s: this root may not make namespaces (a container? start it with "
		    "`--privileged`)",
		    what);
	return error_set_errno(err, code, "%s", what);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int clone_child(
    struct host_process *process, const struct host_spec *spec, struct error *err)
{
	int pid_fd = -1;
	struct clone_args args = {
	    .flags = HOST_NAMESPACES | CLONE_PIDFD,
	    .pidfd = (uintptr_t)&pid_fd,
	    .exit_signal = SIGCHLD,
	};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);

	if (pid < 0)
		return refused(err, -errno, "namespaces of a host");
	if (pid == 0)
		host_init_main(spec);
	process->pid = pid;
	process->pid_fd = pid_fd;
	return 0;
}

static int open_netns(struct host_process *process, struct error *err)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/ns/net", (int)process->pid);
	process->netns_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (process->netns_fd < 0)
		return error_set_errno(err, -errno, "%s (is /proc mounted?)", path);
	return 0;
}

int host_process_start(
    struct host_process *process, struct host_spec *spec, struct error *err)
{
	int lifeline[2], report[2], rc;

	if (pipe2(lifeline, O_CLOEXEC) < 0)
		return error_set_errno(err, -errno, "pipe to a host");
	if (pipe2(report, O_CLOEXEC) < 0) {
		rc = error_set_errno(err, -errno, "pipe from a host");
		close(lifeline[0]);
		close(lifeline[1]);
		return rc;
	}
	spec->lifeline_fd = lifeline[0];
	spec->report_fd = report[1];
	process->lifeline_fd = lifeline[1];
	process->report_fd = report[0];
	fcntl(report[0], F_SETFL, O_NONBLOCK);
	rc = clone_child(process, spec, err);
	close(lifeline[0]);
	close(report[1]);
	return rc < 0 ? rc : open_netns(process, err);
}

void host_process_kill(struct host_process *process)
{
	if (process->pid_fd >= 0)
		syscall(SYS_pidfd_send_signal, process->pid_fd, SIGKILL, NULL, 0);
}

/* Wait status, or -ETIMEDOUT. */
static int wait_ended(
    const struct host_process *process, uint64_t deadline_ns, int options)
{
	struct pollfd ended = {.fd = process->pid_fd, .events = POLLIN};
	siginfo_t info = {0};
	uint64_t now;

	do {
		now = clock_monotonic_ns();
		int left_ms =
		    now < deadline_ns ? (int)((deadline_ns - now) / NS_PER_MS) + 1 : 0;
		if (poll(&ended, 1, left_ms) > 0)
			break;
	} while (now < deadline_ns);
	options |= WEXITED | WNOHANG;
	if (waitid(P_PIDFD, (id_t)process->pid_fd, &info, options) < 0)
		return -errno;
	if (info.si_pid == 0)
		return -ETIMEDOUT;
	return info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0)
					  : W_EXITCODE(0, info.si_status);
}

int host_process_status(const struct host_process *process)
{
	return wait_ended(process, clock_monotonic_ns() + NS_PER_S, WNOWAIT);
}

void host_process_finish(struct host_process *process, uint64_t deadline_ns)
{
	if (process->pid_fd >= 0)
		wait_ended(process, deadline_ns, 0);
	close_fd(&process->pid_fd);
	close_fd(&process->netns_fd);
	close_fd(&process->lifeline_fd);
	close_fd(&process->report_fd);
	process->pid = 0;
}

int host_network_open(struct error *err)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_set_errno(
		    err, -errno, "/proc/thread-self/ns/net (is /proc mounted?)");
	return fd;
}

int host_network_leave(int *before_fd, struct error *err)
{
	int fd = host_network_open(err);

	if (fd < 0)
		return fd;
	if (unshare(CLONE_NEWNET) < 0) {
		int rc = refused(err, -errno, "network namespace of the controller");
		close(fd);
		return rc;
	}
	*before_fd = fd;
	return 0;
}

void host_network_return(int before_fd)
{
	/* Can only fail for a root that lost its capabilities meanwhile; then this
	 * process ends in the namespace that it made. */
	if (before_fd >= 0) {
		setns(before_fd, CLONE_NEWNET);
		close(before_fd);
	}
}
