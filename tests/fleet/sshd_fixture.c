/* SPDX-License-Identifier: MIT */
#include "tests/fleet/sshd_fixture.h"

#include "tests/tap.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAKE_MS 100u

static const char sshd_path[] = "/usr/sbin/sshd";

struct sshd_fixture fixture;
static struct error fixture_error;
static int fixture_rc;

static int loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc = fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return rc;
}

static int write_file(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return -errno;
	fputs(text, file);
	fchmod(fileno(file), mode);
	return fclose(file) == 0 ? 0 : -errno;
}

/* Own network, own /run, /var/tmp and /etc/passwd: root's shell is /bin/sh without
 * start-up files.
 */
static int enter_namespaces(void)
{
	static const char users[] = "root:x:0:0:root:/:/bin/sh\n"
				    "sshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n"
				    "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n";
	char path[128];

	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", "/run", "tmpfs", 0, "mode=755") < 0 ||
	    mount("tmpfs", "/var/tmp", "tmpfs", 0, "mode=1777") < 0 ||
	    mkdir("/run/sshd", 0755) < 0)
		return -errno;
	snprintf(path, sizeof(path), "%s/passwd", fixture.folder);
	if (write_file(path, users, 0644) < 0 ||
	    mount(path, "/etc/passwd", NULL, MS_BIND, NULL) < 0)
		return -errno;
	return loopback_up();
}

static int run_quietly(const char *command)
{
	int status = system(command);

	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

static int server_files(uint32_t index, const char *extra)
{
	char path[128], text[1024];
	FILE *file;

	snprintf(text, sizeof(text),
	    "mkdir -m 700 %s/home%u && ssh-keygen -q -t ed25519 -N '' -C '' -f %s/host%u",
	    fixture.folder, index, fixture.folder, index);
	if (run_quietly(text) < 0)
		return -EIO;
	snprintf(path, sizeof(path), "%s/host%u.pub", fixture.folder, index);
	file = fopen(path, "re");
	if (!file || !fgets(fixture.host_keys[index], 160, file))
		return -EIO;
	fclose(file);
	snprintf(path, sizeof(path), "%s/keys%u", fixture.folder, index);
	write_file(path, fixture.key.public_line, 0644);
	snprintf(path, sizeof(path), "%s/config%u", fixture.folder, index);
	snprintf(text, sizeof(text),
	    "ListenAddress 127.0.0.1:%u\nHostKey %s/host%u\n"
	    "AuthorizedKeysFile %s/keys%u\nPidFile none\nStrictModes no\nUsePAM no\n"
	    "PermitRootLogin yes\nPasswordAuthentication no\nPrintMotd no\n"
	    "SetEnv HOME=%s/home%u\n%s",
	    SSHD_PORT_FIRST + index, fixture.folder, index, fixture.folder, index,
	    fixture.folder, index, extra);
	return write_file(path, text, 0600);
}

static bool is_listening(uint32_t index)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)(SSHD_PORT_FIRST + index)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_there =
	    connect(fd, (struct sockaddr *)&address, (socklen_t)sizeof(address)) == 0;

	close(fd);
	return is_there;
}

static int server_start(uint32_t index, struct error *err)
{
	char config[128], log[128];
	uint64_t until_ms = test_now_ms() + WAIT_MS;
	pid_t parent = getpid();

	snprintf(config, sizeof(config), "%s/config%u", fixture.folder, index);
	snprintf(log, sizeof(log), "%s/log%u", fixture.folder, index);
	fixture.pids[index] = fork();
	if (fixture.pids[index] == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		execl(sshd_path, sshd_path, "-D", "-E", log, "-f", config, (char *)NULL);
		_exit(127);
	}
	while (!is_listening(index)) {
		if (test_now_ms() > until_ms ||
		    waitpid(fixture.pids[index], NULL, WNOHANG))
			return error_set(err, -EIO, "sshd %u does not listen", index);
		usleep(5000);
	}
	snprintf(fixture.names[index], sizeof(fixture.names[index]), "host%u", index);
	fixture.hosts[index] = (struct fleet_host_config){
	    .name = fixture.names[index],
	    .address = "127.0.0.1",
	    .port = (uint16_t)(SSHD_PORT_FIRST + index),
	    .user = "root",
	    .host_key = fixture.host_keys[index],
	};
	fixture.n = index + 1;
	return 0;
}

static int servers_up(uint32_t n, const char *extra, struct error *err)
{
	int rc;

	if (geteuid() != 0)
		return error_set(err, -EPERM, "needs root, for namespaces and sshd");
	if (access(sshd_path, X_OK) < 0)
		return error_set(err, -ENOENT, "needs the package openssh-server");
	snprintf(fixture.folder, sizeof(fixture.folder), "/tmp/e3-fleet-XXXXXX");
	if (!mkdtemp(fixture.folder))
		return error_set_errno(err, -errno, "cannot make %s", fixture.folder);
	chmod(fixture.folder, 0755);
	rc = enter_namespaces();
	if (rc < 0)
		return error_set_errno(err, rc, "cannot enter namespaces");
	rc = fleet_key_make(&fixture.key, err);
	for (uint32_t i = 0; rc == 0 && i < n; i++) {
		if (server_files(i, extra) < 0)
			return error_set(err, -EIO, "cannot set up sshd %u", i);
		rc = server_start(i, err);
	}
	return rc;
}

void fixture_up(uint32_t n, const char *extra)
{
	fixture_rc = servers_up(n, extra, &fixture_error);
}

void fixture_need(void)
{
	if (fixture_rc == -EPERM || fixture_rc == -ENOENT)
		skip_because("%s", fixture_error.text);
	if (fixture_rc < 0)
		fail_msg("%s", fixture_error.text);
}

int fixture_down(void **state)
{
	char command[128];

	(void)state;
	for (uint32_t i = 0; i < fixture.n; i++) {
		kill(fixture.pids[i], SIGKILL);
		waitpid(fixture.pids[i], NULL, 0);
	}
	if (fixture.folder[0]) {
		snprintf(command, sizeof(command), "rm -rf %s", fixture.folder);
		return run_quietly(command);
	}
	return 0;
}

void crew_done(void *user, const struct outcome *outcomes, uint32_t n)
{
	struct crew *crew = user;

	memcpy(crew->outcomes, outcomes, n * sizeof(*outcomes));
	crew->n_done++;
}

static void on_wake(uv_timer_t *timer)
{
	(void)timer;
}

void crew_wait(struct crew *crew, const int *flag)
{
	uint64_t turn_ms = test_now_ms(), until_ms = turn_ms + WAIT_MS;
	uv_timer_t wake;

	uv_timer_init(&crew->loop, &wake);
	uv_timer_start(&wake, on_wake, WAKE_MS, WAKE_MS);
	while (*flag == 0 && turn_ms < until_ms) {
		uint64_t before_ms = turn_ms;

		uv_run(&crew->loop, UV_RUN_ONCE);
		turn_ms = test_now_ms();
		if (turn_ms - before_ms > WAKE_MS)
			crew->stalled_ms += turn_ms - before_ms - WAKE_MS;
	}
	uv_close((uv_handle_t *)&wake, NULL);
	uv_run(&crew->loop, UV_RUN_NOWAIT);
	assert_int_not_equal(*flag, 0);
}

void crew_up(struct crew *crew, const struct fleet_host_config *hosts, uint32_t n,
    const struct fleet_key *key, const struct fleet_deadlines *deadlines)
{
	static const struct fleet_deadlines patient = {
	    .connect_ms = WAIT_MS, .idle_ms = WAIT_MS};
	struct error err = {0};

	memset(crew, 0, sizeof(*crew));
	uv_loop_init(&crew->loop);
	if (fleet_create(&crew->loop, hosts, n, key, deadlines ? deadlines : &patient,
		&crew->fleet, &err) < 0)
		fail_msg("%s", err.text);
}

static void show_outcomes(const struct crew *crew, uint32_t n)
{
	char text[24];

	for (uint32_t i = 0; i < n; i++)
		if (crew->outcomes[i].kind != OUTCOME_OK)
			printf("# host%u: %s: %s\n", i,
			    outcome_text(&crew->outcomes[i], text),
			    crew->outcomes[i].error.text);
}

void crew_connect(struct crew *crew)
{
	crew->n_done = 0;
	fleet_connect(crew->fleet, crew_done, crew);
	assert_int_equal(crew->n_done, 0);
	crew_wait(crew, &crew->n_done);
	show_outcomes(crew, CREW_MAX);
}

void crew_upload(struct crew *crew, const struct fleet_file *files, uint32_t n)
{
	crew->n_done = 0;
	fleet_upload(crew->fleet, files, n, crew_done, crew);
	assert_int_equal(crew->n_done, 0);
	crew_wait(crew, &crew->n_done);
	show_outcomes(crew, CREW_MAX);
}

void crew_upload_program(struct crew *crew)
{
	struct fleet_file file = {getenv("E3_REMOTE_PROGRAM"), "e3", 0755, UINT32_MAX};

	assert_non_null(file.local_path);
	crew_upload(crew, &file, 1);
	assert_int_equal(crew->outcomes[0].kind, OUTCOME_OK);
}

void check_outcome(const struct outcome *outcome, enum outcome_kind kind)
{
	char text[24];

	if (outcome->kind != kind)
		fail_msg("%s: %s", outcome_text(outcome, text), outcome->error.text);
	assert_true(outcome->error.code < 0);
	assert_non_null(strstr(outcome->error.text, "host"));
}

static void on_closed(void *user)
{
	struct crew *crew = user;

	crew->is_closed = true;
}

void crew_down(struct crew *crew)
{
	fleet_destroy(crew->fleet, on_closed, crew);
	assert_false(crew->is_closed);
	uv_run(&crew->loop, UV_RUN_DEFAULT);
	assert_true(crew->is_closed);
	assert_int_equal(uv_loop_close(&crew->loop), 0);
}

static void on_line(void *user, const char *line, size_t len)
{
	struct work *work = user;

	assert_int_equal(work->n_ended, 0);
	work->n_lines++;
	work->n_bytes += len;
	snprintf(
	    work->last, sizeof(work->last), "%.*s", (int)(len < 255 ? len : 255), line);
	if (work->on_line)
		work->on_line(work, line, len);
}

static void on_ended(void *user, const struct outcome *outcome, const char *stderr_tail)
{
	struct work *work = user;

	work->n_ended++;
	work->outcome = *outcome;
	snprintf(work->stderr_tail, sizeof(work->stderr_tail), "%s", stderr_tail);
}

void work_start(
    struct work *work, struct crew *crew, uint32_t host, const char *const *argv)
{
	struct fleet_command_events events = {
	    .line = on_line, .ended = on_ended, .user = work};
	struct error err = {0};

	work->crew = crew;
	if (fleet_command_start(crew->fleet, host, argv, &events, &work->command, &err) <
	    0)
		fail_msg("%s", err.text);
}

void work_wait(struct work *work)
{
	crew_wait(work->crew, &work->n_ended);
	assert_int_equal(work->n_ended, 1);
}

void work_wait_lines(struct work *work, uint64_t n)
{
	uint64_t until_ms = test_now_ms() + WAIT_MS;

	while (work->n_lines < n && work->n_ended == 0 && test_now_ms() < until_ms)
		uv_run(&work->crew->loop, UV_RUN_ONCE);
	assert_true(work->n_lines >= n);
}
