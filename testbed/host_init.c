/* SPDX-License-Identifier: MIT */
/*
 * The life of a host's PID 1:
 *   1. Drop what was the controller's: signals, descriptors, session, folder.
 *   2. Name, files, network settings; sshd; report READY once sshd listens.
 *   3. Reap children until the lifeline reports end of file (the controller is gone or
 *      wants the host gone) or sshd ends (report FAILED), and end.
 * A step that fails is reported as FAILED. The controller's end also kills it directly
 * (PDEATHSIG): whichever comes first.
 */
#include "testbed/host_init.h"
#include "base/clock.h"
#include "base/units.h"
#include "testbed/host_files.h"
#include "testbed/host_sshd.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIFELINE = 3, REPORT = 4 };

struct host {
	const struct host_spec *spec;
	pid_t sshd;
	int child_fd; /* SIGCHLD */
	struct host_report ready;
};

static void send_report(enum host_report_kind kind, int code, const char *text)
{
	struct host_report report = {.kind = kind, .code = code};

	snprintf(report.text, sizeof report.text, "%s", text);
	/* Smaller than PIPE_BUF: whole or not at all. */
	if (write(REPORT, &report, sizeof report) < 0)
		_exit(1);
}

static void drop_signals(void)
{
	sigset_t child;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_SETMASK, &child, NULL);
}

static void drop_descriptors(const struct host_spec *spec)
{
	/* Above every number that is about to be replaced. */
	int lifeline = fcntl(spec->lifeline_fd, F_DUPFD, 16);
	int report = fcntl(spec->report_fd, F_DUPFD, 16);
	int null = open("/dev/null", O_RDWR);

	dup3(lifeline, LIFELINE, O_CLOEXEC);
	dup3(report, REPORT, O_CLOEXEC);
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	close_range(REPORT + 1, ~0u, 0);
}

static void drop_controller(const struct host_spec *spec)
{
	char name[16];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	drop_signals();
	drop_descriptors(spec);
	setsid();
	umask(022);
	if (chdir("/") < 0)
		_exit(1);
	snprintf(name, sizeof name, "e3 %.10s", spec->hosts[spec->index].name);
	prctl(PR_SET_NAME, name);
}

static int write_setting(const char *path, const char *value, struct error *err)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		rc = error_set_errno(err, -errno, "%s", path);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* No memory of one connection's path in the next, or the order of cells would show. ping
 * for every user. (The emulator sets the buffers.) */
static int set_network(struct error *err)
{
	static const char *const settings[][2] = {
	    {"/proc/sys/net/ipv4/tcp_no_metrics_save", "1"},
	    {"/proc/sys/net/ipv4/ping_group_range", "0 2147483647"},
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof settings / sizeof *settings; i++)
		rc = write_setting(settings[i][0], settings[i][1], err);
	return rc;
}

static int prepare(struct host *host, struct error *err)
{
	const char *name = host->spec->hosts[host->spec->index].name;
	sigset_t child;
	int rc;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	host->child_fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (host->child_fd < 0)
		return error_set_errno(err, -errno, "signalfd");
	if (sethostname(name, strlen(name)) < 0)
		return error_set_errno(err, -errno, "setting the host name");
	rc = host_files_setup(host->spec, err);
	if (rc == 0)
		rc = set_network(err);
	if (rc == 0)
		rc = host_sshd_start(host->spec, &host->sshd, host->ready.text, err);
	return rc;
}

static int sshd_ended(int status, struct error *err)
{
	char words[200];

	host_sshd_last_words(words, sizeof words);
	if (WIFSIGNALED(status))
		return error_set(
		    err, -EPIPE, "its sshd was killed by signal %d", WTERMSIG(status));
	return error_set(err, -EPIPE, "its sshd ended with %d: %s", WEXITSTATUS(status),
	    words[0] != '\0' ? words : "no message");
}

static int reap(struct host *host, struct error *err)
{
	struct signalfd_siginfo ignored;
	int status;
	pid_t pid;

	/* Any number of ended children is one signal. */
	if (read(host->child_fd, &ignored, sizeof ignored) < 0 && errno != EAGAIN)
		return error_set_errno(err, -errno, "signalfd");
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == host->sshd)
			return sshd_ended(status, err);
	return 0;
}

/* Returns when something ended or `timeout_ms` passed. Does not return once the
 * controller is gone. */
static int wait_event(struct host *host, int timeout_ms, struct error *err)
{
	struct pollfd fds[] = {
	    {.fd = LIFELINE, .events = POLLIN},
	    {.fd = host->child_fd, .events = POLLIN},
	};

	if (poll(fds, 2, timeout_ms) < 0 && errno != EINTR)
		return error_set_errno(err, -errno, "poll");
	if (fds[0].revents != 0)
		_exit(0);
	return fds[1].revents != 0 ? reap(host, err) : 0;
}

static int wait_listening(struct host *host, struct error *err)
{
	const uint64_t deadline_ns =
	    clock_monotonic_ns() + HOST_INIT_DEADLINE_MS * NS_PER_MS;

	while (!host_sshd_listens()) {
		int rc = wait_event(host, 2, err);

		if (rc < 0)
			return rc;
		if (clock_monotonic_ns() > deadline_ns)
			return error_set(err, -ETIMEDOUT,
			    "its sshd doesn't listen after %d ms", HOST_INIT_DEADLINE_MS);
	}
	return 0;
}

_Noreturn void host_init_main(const struct host_spec *spec)
{
	struct host host = {.spec = spec, .child_fd = -1};
	struct error err = {0};
	int rc;

	drop_controller(spec);
	rc = prepare(&host, &err);
	if (rc == 0)
		rc = wait_listening(&host, &err);
	if (rc == 0)
		send_report(HOST_REPORT_READY, 0, host.ready.text);
	while (rc == 0)
		rc = wait_event(&host, -1, &err);
	send_report(HOST_REPORT_FAILED, rc, err.text);
	_exit(1);
}
