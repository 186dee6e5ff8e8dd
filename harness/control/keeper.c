/* SPDX-License-Identifier: MIT */
/*
 * A keeper's life:
 *   1. Forked by `e3 up`; leaves its session, terminal and descriptors; claims the
 *      folder.
 *   2. A key pair by ssh-keygen, the hosts, ssh_config and known_hosts; reports.
 *   3. Waits for SIGTERM (`e3 down`) or the end of a process of the testbed, then takes
 *      the hosts down, removes the folder, and ends.
 * If a step fails, it reports the sentence and does what 3 says. If `e3 up` has gone
 * before the report, nobody will know of the hosts: the same.
 */
#include "harness/control/keeper.h"
#include "base/clock.h"
#include "base/units.h"
#include "harness/control/emulated_links.h"
#include "harness/control/kept.h"
#include "harness/scenario/inventory.h"
#include "testbed/testbed.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEYGEN_DEADLINE_MS 20000
#define UP_DEADLINE_MS     60000
#define STOP_DEADLINE_MS   10000

struct keeper {
	const char *name;
	const struct scenario *scenario;
	uint32_t n_hosts;
	int report_fd, claim_fd, signal_fd;
	struct testbed *testbed;
};

/* Ends by a signal become readable; SIGPIPE becomes an error of the write. */
static int watch_signals(sigset_t *before, struct error *err)
{
	sigset_t ends;
	int fd;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGHUP);
	fd = signalfd(-1, &ends, SFD_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, -errno, "signalfd");
	sigprocmask(SIG_SETMASK, &ends, before);
	signal(SIGPIPE, SIG_IGN);
	return fd;
}

static void leave_session(struct keeper *keeper)
{
	const int report = 3;
	int null = open("/dev/null", O_RDWR);

	setsid();
	umask(022);
	prctl(PR_SET_NAME, "e3-keeper");
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	dup2(keeper->report_fd, report);
	fcntl(report, F_SETFD, FD_CLOEXEC);
	keeper->report_fd = report;
	close_range(report + 1, ~0u, 0);
	if (chdir("/") < 0)
		_exit(EXIT_FAILURE);
}

/* Waits for a child, and kills it at the deadline. */
static int wait_child(pid_t pid, int deadline_ms, int *status)
{
	struct pollfd ended = {
	    .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
	int n = poll(&ended, 1, deadline_ms);

	close(ended.fd);
	if (n <= 0)
		kill(pid, SIGKILL);
	waitpid(pid, status, 0);
	return n <= 0 ? -ETIMEDOUT : 0;
}

static int make_key(const char *name, struct error *err)
{
	char path[KEPT_PATH_BYTES], comment[80];
	const char *const argv[] = {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C",
	    comment, "-f", kept_path(path, name, "key"), NULL};
	int status;

	snprintf(comment, sizeof comment, "e3-%s", name);
	pid_t pid = fork();
	if (pid < 0)
		return error_set_errno(err, -errno, "starting ssh-keygen");
	if (pid == 0) {
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (wait_child(pid, KEYGEN_DEADLINE_MS, &status) < 0 || status != 0)
		return error_set(err, -EIO,
		    "ssh-keygen made no %s: run `apt-get install --no-install-recommends "
		    "openssh-client`, or look whether %s is full",
		    path, KEPT_ROOT);
	return 0;
}

static int read_public_key(const char *name, char *line, size_t bytes, struct error *err)
{
	char path[KEPT_PATH_BYTES];
	FILE *file = fopen(kept_path(path, name, "key.pub"), "re");

	if (file == NULL || fgets(line, (int)bytes, file) == NULL) {
		int rc = error_set_errno(err, file == NULL ? -errno : -EIO, "%s", path);
		if (file != NULL)
			fclose(file);
		return rc;
	}
	fclose(file);
	line[strcspn(line, "\n")] = '\0';
	return 0;
}

static int hosts_up(struct keeper *keeper, struct error *err)
{
	struct testbed_config config = {.n_hosts = keeper->n_hosts};
	char public_key[256];
	int rc = make_key(keeper->name, err);

	if (rc == 0)
		rc = read_public_key(keeper->name, public_key, sizeof public_key, err);
	if (rc < 0)
		return rc;
	config.authorized_key = public_key;
	emulated_links(keeper->scenario, 1, &config);
	return testbed_up(&config, &keeper->testbed, err);
}

/* For the shell that ssh starts, inside ssh_config, where % has a meaning. */
static void write_quoted(FILE *file, const char *text)
{
	fputc('\'', file);
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			fputs("'\\''", file);
		else if (*text == '%')
			fputs("%%", file);
		else
			fputc(*text, file);
	}
	fputc('\'', file);
}

static void write_ssh_config(const struct keeper *keeper, const char *program, FILE *file)
{
	char path[KEPT_PATH_BYTES];

	fprintf(file, "# Emulated hosts of %s; `e3 down %s` removes them.\n",
	    keeper->name, keeper->name);
	for (uint32_t h = 0; h < keeper->n_hosts; h++) {
		const struct testbed_host *host = testbed_host(keeper->testbed, h);

		fprintf(file, "Host %s\n\tHostName %s\n\tHostKeyAlias %s\n\tPort %u\n",
		    host->name, host->address, host->name, host->port);
	}
	fprintf(file, "Host *\n\tUser root\n\tIdentityFile %s\n",
	    kept_path(path, keeper->name, "key"));
	fprintf(file, "\tIdentitiesOnly yes\n\tIdentityAgent none\n");
	fprintf(file, "\tStrictHostKeyChecking yes\n\tUserKnownHostsFile %s\n",
	    kept_path(path, keeper->name, "known_hosts"));
	fprintf(file, "\tGlobalKnownHostsFile /dev/null\n\tUpdateHostKeys no\n");
	fprintf(file, "\tProxyCommand ");
	write_quoted(file, program);
	fprintf(file, " connect %s %%h %%p\n", keeper->name);
}

static void write_known_hosts(const struct keeper *keeper, FILE *file)
{
	for (uint32_t h = 0; h < keeper->n_hosts; h++) {
		const struct testbed_host *host = testbed_host(keeper->testbed, h);

		fprintf(file, "%s %s\n", host->name, host->host_key);
	}
}

/* For `e3 run --inventory`. */
static void write_inventory(const struct keeper *keeper, FILE *file)
{
	struct inventory inventory = {.backend = "ssh", .n_hosts = keeper->n_hosts};
	cJSON *json;
	char *text;

	kept_path(inventory.identity_path, keeper->name, "key");
	strcpy(inventory.up, keeper->name);
	for (uint32_t h = 0; h < keeper->n_hosts; h++) {
		const struct testbed_host *host = testbed_host(keeper->testbed, h);
		struct inventory_host *to = &inventory.hosts[h];
		uint32_t region = scenario_region(keeper->scenario, h);

		strcpy(to->name, host->name);
		strcpy(to->region, keeper->scenario->regions[region]);
		strcpy(to->address, host->address);
		strcpy(to->user, host->user);
		strcpy(to->host_key, host->host_key);
		to->port = host->port;
	}
	json = inventory_json(&inventory);
	text = cJSON_Print(json);
	cJSON_Delete(json);
	fprintf(file, "%s\n", text == NULL ? "" : text);
	cJSON_free(text);
}

static int close_written(FILE *file, const char *path, struct error *err)
{
	int is_bad = fflush(file) != 0 || ferror(file) != 0;

	if (fclose(file) != 0 || is_bad)
		return error_set_errno(err, -errno, "%s", path);
	return 0;
}

static int write_file(const struct keeper *keeper, const char *name,
    void (*write)(const struct keeper *keeper, FILE *file), struct error *err)
{
	char path[KEPT_PATH_BYTES];
	FILE *file = fopen(kept_path(path, keeper->name, name), "wex");

	if (file == NULL)
		return error_set_errno(err, -errno, "%s", path);
	write(keeper, file);
	return close_written(file, path, err);
}

static int write_files(const struct keeper *keeper, struct error *err)
{
	char program[PATH_MAX] = "", path[KEPT_PATH_BYTES];
	ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
	FILE *file;
	int rc;

	if (len < 0)
		return error_set_errno(err, -errno, "/proc/self/exe (is /proc mounted?)");
	rc = write_file(keeper, "known_hosts", write_known_hosts, err);
	if (rc == 0)
		rc = write_file(keeper, "inventory.json", write_inventory, err);
	if (rc < 0)
		return rc;
	file = fopen(kept_path(path, keeper->name, "ssh_config"), "wex");
	if (file == NULL)
		return error_set_errno(err, -errno, "%s", path);
	write_ssh_config(keeper, program, file);
	return close_written(file, path, err);
}

static void wait_end(struct keeper *keeper)
{
	struct pollfd fds[] = {
	    {.fd = keeper->signal_fd, .events = POLLIN},
	    {.fd = testbed_fd(keeper->testbed), .events = POLLIN},
	};

	while (poll(fds, 2, -1) < 0)
		continue;
}

static _Noreturn void keeper_main(struct keeper *keeper)
{
	struct error err = {0};
	int rc;

	leave_session(keeper);
	rc = keeper->signal_fd = watch_signals(NULL, &err);
	if (rc >= 0)
		rc = kept_claim(keeper->name, &keeper->claim_fd, &err);
	if (rc == 0)
		rc = hosts_up(keeper, &err);
	if (rc == 0)
		rc = write_files(keeper, &err);
	if (write(keeper->report_fd, &err, sizeof err) != sizeof err)
		rc = -EPIPE;
	close(keeper->report_fd);
	if (rc == 0)
		wait_end(keeper);
	testbed_down(keeper->testbed);
	kept_remove(keeper->name);
	kept_tidy();
	_exit(rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

static int read_report(int fd, int signal_fd, struct error *err)
{
	struct pollfd fds[] = {
	    {.fd = fd, .events = POLLIN}, {.fd = signal_fd, .events = POLLIN}};
	struct signalfd_siginfo taken;
	struct error report;

	if (poll(fds, 2, UP_DEADLINE_MS) <= 0)
		return error_set(err, -ETIMEDOUT, "the hosts were not up within %d s",
		    UP_DEADLINE_MS / 1000);
	if (fds[0].revents == 0 && read(signal_fd, &taken, sizeof taken) > 0)
		return error_set(err, -EINTR, "interrupted: nothing is up");
	if (read(fd, &report, sizeof report) != sizeof report)
		return error_set(err, -EPIPE, "the keeper of the hosts was killed");
	return report.code == 0 ? 0 : error_set(err, report.code, "%s", report.text);
}

/* Forks the keeper and waits for its report. Whatever it reports, or if nobody reads its
 * report: if it isn't 0, it takes everything down by itself. */
static int start_keeper(struct keeper *keeper, int signal_fd, struct error *err)
{
	int report[2], rc, status;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC) < 0)
		return error_set_errno(err, -errno, "pipe from the keeper");
	keeper->report_fd = report[1];
	pid = fork();
	if (pid == 0)
		keeper_main(keeper);
	rc = pid < 0 ? error_set_errno(err, -errno, "starting the keeper") : 0;
	close(report[1]);
	if (rc == 0)
		rc = read_report(report[0], signal_fd, err);
	close(report[0]);
	if (rc < 0 && pid > 0)
		wait_child(pid, STOP_DEADLINE_MS, &status);
	return rc;
}

int keeper_start(const char *name, const struct scenario *scenario, uint32_t n_hosts,
    struct error *err)
{
	struct keeper keeper = {.name = name,
	    .scenario = scenario,
	    .n_hosts = n_hosts,
	    .claim_fd = -1,
	    .signal_fd = -1};
	char path[KEPT_PATH_BYTES];
	sigset_t before;
	int rc, signal_fd = watch_signals(&before, err);

	if (signal_fd < 0)
		return signal_fd;
	if (mkdir(kept_path(path, name, ""), 0700) < 0)
		rc = error_set_errno(err, -errno, "%s", path);
	else
		rc = start_keeper(&keeper, signal_fd, err);
	if (rc < 0 && rc != -EEXIST)
		kept_remove(name);
	close(signal_fd);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return rc;
}

int keeper_stop(const char *name, struct error *err)
{
	struct pollfd ended = {.events = POLLIN};
	int netns_fd, rc = kept_open(name, &ended.fd, &netns_fd, err);

	if (rc < 0)
		return rc;
	close(netns_fd);
	syscall(SYS_pidfd_send_signal, ended.fd, SIGTERM, NULL, 0);
	if (poll(&ended, 1, STOP_DEADLINE_MS) <= 0) {
		syscall(SYS_pidfd_send_signal, ended.fd, SIGKILL, NULL, 0);
		if (poll(&ended, 1, STOP_DEADLINE_MS) <= 0)
			rc = error_set(err, -ETIMEDOUT,
			    "the keeper of '%s' does not end, even by SIGKILL", name);
	}
	close(ended.fd);
	if (rc == 0)
		kept_remove(name);
	return rc;
}
