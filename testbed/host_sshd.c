/* SPDX-License-Identifier: MIT */
#include "testbed/host_sshd.h"
#include "base/clock.h"
#include "base/units.h"
#include "testbed/host_files.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOST_KEY        HOST_FOLDER "/host_key"
#define AUTHORIZED_KEYS HOST_FOLDER "/authorized_keys"
#define SSHD_CONFIG     HOST_FOLDER "/sshd_config"
#define SSHD_LOG        HOST_FOLDER "/sshd.log"
#define KEYGEN_LOG      HOST_FOLDER "/ssh-keygen.log"

/* curve25519: the default exchange of OpenSSH 9 costs 100 ms of CPU at each login.
 * UseDNS and UsePAM would wait for name servers and services that don't exist here. */
static const char sshd_config[] = "Port 22\n"
				  "AddressFamily inet\n"
				  "ListenAddress 0.0.0.0\n"
				  "HostKey " HOST_KEY "\n"
				  "AuthorizedKeysFile " AUTHORIZED_KEYS "\n"
				  "AuthenticationMethods publickey\n"
				  "PasswordAuthentication no\n"
				  "KbdInteractiveAuthentication no\n"
				  "PermitRootLogin prohibit-password\n"
				  "KexAlgorithms curve25519-sha256\n"
				  "UsePAM no\n"
				  "UseDNS no\n"
				  "PidFile none\n"
				  "PrintLastLog no\n"
				  "PermitUserRC no\n"
				  "X11Forwarding no\n"
				  "LoginGraceTime 60\n"
				  "MaxStartups 200\n"
				  "MaxSessions 200\n"
				  "MaxAuthTries 6\n"
				  "ClientAliveInterval 10\n"
				  "ClientAliveCountMax 3\n"
				  "Subsystem sftp internal-sftp\n";

static const char *const host_environment[] = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
    "LANG=C.UTF-8", NULL};

/* argv[0] is the program's path; its standard error goes to `log`. */
static pid_t start(const char *const *argv, const char *log, struct error *err)
{
	pid_t pid = _Fork();

	if (pid < 0)
		return error_set_errno(err, -errno, "starting %s", argv[0]);
	if (pid == 0) {
		sigset_t none;
		int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		dup2(fd, STDERR_FILENO);
		execve(argv[0], (char *const *)argv, (char *const *)host_environment);
		dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	return pid;
}

static void last_line(const char *log, char *out, size_t out_bytes)
{
	char *line;

	host_files_tail(log, out, out_bytes);
	for (size_t len = strlen(out);
	     len > 0 && (out[len - 1] == '\n' || out[len - 1] == '\r');)
		out[--len] = '\0';
	line = strrchr(out, '\n');
	if (line != NULL)
		memmove(out, line + 1, strlen(line + 1) + 1);
}

/* PID 1 has SIGCHLD blocked, so that a wait with a deadline is a sigtimedwait(). */
static int wait_for(pid_t pid, struct error *err)
{
	const uint64_t deadline_ns =
	    clock_monotonic_ns() + HOST_INIT_DEADLINE_MS * NS_PER_MS;
	char words[200];
	sigset_t child;
	int status;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		const struct timespec slice = {.tv_nsec = 100 * (long)NS_PER_MS};

		if (clock_monotonic_ns() > deadline_ns)
			return error_set(err, -ETIMEDOUT, "%s: no end within %d ms",
			    HOST_KEYGEN_PROGRAM, HOST_INIT_DEADLINE_MS);
		sigtimedwait(&child, NULL, &slice);
	}
	if (status == 0)
		return 0;
	last_line(KEYGEN_LOG, words, sizeof words);
	return error_set(err, -EIO, "%s failed: %s", HOST_KEYGEN_PROGRAM,
	    words[0] != '\0' ? words : "no message");
}

static int make_key(const struct host_spec *spec, char *host_key, struct error *err)
{
	const char *const argv[] = {HOST_KEYGEN_PROGRAM, "-q", "-t", "ed25519", "-N", "",
	    "-C", spec->hosts[spec->index].name, "-f", HOST_KEY, NULL};
	pid_t pid = start(argv, KEYGEN_LOG, err);
	char line[256], *end;

	if (pid < 0)
		return (int)pid;
	int rc = wait_for(pid, err);
	if (rc < 0)
		return rc;
	host_files_tail(HOST_KEY ".pub", line, sizeof line);
	/* Type and key, without the comment. */
	end = strchr(line, ' ');
	end = end != NULL ? strchr(end + 1, ' ') : NULL;
	if (end == NULL ||
	    end - line >= (ptrdiff_t)sizeof((struct testbed_host *)0)->host_key)
		return error_set(err, -EIO, "%s.pub is no public key line", HOST_KEY);
	*end = '\0';
	strcpy(host_key, line);
	return 0;
}

int host_sshd_start(
    const struct host_spec *spec, pid_t *pid, char *host_key, struct error *err)
{
	static const char *const argv[] = {
	    HOST_SSHD_PROGRAM, "-D", "-e", "-f", SSHD_CONFIG, NULL};
	int rc = make_key(spec, host_key, err);
	pid_t started;

	if (rc == 0)
		rc = host_files_write(AUTHORIZED_KEYS, 0600, spec->authorized_key, err);
	if (rc == 0)
		rc = host_files_write(SSHD_CONFIG, 0644, sshd_config, err);
	if (rc == 0 && mkdir("/run/sshd", 0755) < 0)
		rc = error_set_errno(err, -errno, "/run/sshd");
	if (rc < 0)
		return rc;
	started = start(argv, SSHD_LOG, err);
	if (started < 0)
		return (int)started;
	*pid = started;
	return 0;
}

int host_sshd_listens(void)
{
	char table[4096];

	/* Local port 22, no peer, state LISTEN. A connection to find out would be one
	 * that sshd forks for. */
	int fd = open("/proc/net/tcp", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, table, sizeof table - 1) : 0;

	if (fd >= 0)
		close(fd);
	table[n > 0 ? n : 0] = '\0';
	return strstr(table, "00000000:0016 00000000:0000 0A") != NULL;
}

void host_sshd_last_words(char *out, size_t out_bytes)
{
	last_line(SSHD_LOG, out, out_bytes);
}
