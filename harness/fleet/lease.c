/* SPDX-License-Identifier: MIT */
/*
 * One loop over poll():
 *   1. HELLO, start the program, then relay: frames from the controller to its input, its
 *      output as frames to the controller, a BEAT every second.
 *   2. When the program ends, or must end, the phase is ENDING: SIGTERM, later SIGKILL
 *      (harness/fleet/lease_ending.h), until no descendant is left.
 *   3. FLUSHING: what the pipe still holds, the last frame, and exit.
 * While the controller does not read, the program waits in its own write(); the watch
 * over the controller's heartbeat goes on in every phase. The clock is read once a turn:
 * what happens in one turn happens at one time.
 */
#include "harness/fleet/lease.h"

#include "base/clock.h"
#include "base/units.h"
#include "harness/fleet/lease_child.h"
#include "harness/fleet/lease_ending.h"
#include "harness/fleet/lease_frame.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUT_BYTES_HIGH (4u * LEASE_PIECE_BYTES) /* stop reading the program above */
#define OUT_BYTES_MAX  (OUT_BYTES_HIGH + 4u * LEASE_PIECE_BYTES)

enum phase { RUNNING, ENDING, FLUSHING, OVER };

struct bytes_queue {
	char *bytes;
	size_t at, len, cap;
};

struct lease {
	const struct lease_config *config;
	enum phase phase;
	struct lease_child child;
	struct lease_orders orders;
	int signals; /* signalfd */
	bool is_controller_gone, is_input_ended, is_last_said;
	struct bytes_queue out;   /* frames to the controller */
	struct bytes_queue input; /* for the program */
	char piece[LEASE_PIECE_BYTES];
	size_t piece_len;
	int exit_code;              /* when the program never started */
	struct lease_ending ending; /* from ENDING on */
	uint64_t now_ms;            /* of this turn */
	uint64_t heard_ms, beat_due_ms;
};

static uint64_t clock_ms(void)
{
	return clock_monotonic_ns() / NS_PER_MS;
}

static int queue_add(struct bytes_queue *queue, const char *bytes, size_t len, size_t max)
{
	if (queue->len - queue->at + len > max)
		return -ENOBUFS;
	if (queue->len + len > queue->cap && queue->at > 0) {
		memmove(queue->bytes, queue->bytes + queue->at, queue->len - queue->at);
		queue->len -= queue->at;
		queue->at = 0;
	}
	if (queue->len + len > queue->cap) {
		size_t cap = 2 * (queue->len + len) + LEASE_PIECE_BYTES;
		char *grown = realloc(queue->bytes, cap);

		if (!grown)
			return -ENOMEM;
		queue->bytes = grown;
		queue->cap = cap;
	}
	memcpy(queue->bytes + queue->len, bytes, len);
	queue->len += len;
	return 0;
}

static size_t queue_waiting(const struct bytes_queue *queue)
{
	return queue->len - queue->at;
}

/* -errno when the other end is gone; 0 also when it does not take bytes now. */
static int queue_write(struct bytes_queue *queue, int fd)
{
	while (queue_waiting(queue) > 0) {
		ssize_t n = write(fd, queue->bytes + queue->at, queue_waiting(queue));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		queue->at += (size_t)n;
	}
	queue->at = queue->len = 0;
	return 0;
}

static void lease_say(struct lease *lease, const char *frame, size_t len)
{
	if (queue_add(&lease->out, frame, len, OUT_BYTES_MAX) < 0)
		lease->is_controller_gone = true;
}

static void lease_say_line(struct lease *lease, char mark, const char *text, size_t len)
{
	lease_say(lease, &mark, 1);
	lease_say(lease, text, len);
	lease_say(lease, "\n", 1);
}

static void lease_end(struct lease *lease)
{
	if (lease->phase != RUNNING)
		return;
	lease->phase = ENDING;
	lease_ending_begin(&lease->ending, lease->now_ms);
}

static void lease_controller_gone(struct lease *lease)
{
	lease->is_controller_gone = true;
	lease_end(lease);
}

static void on_order(void *user, enum lease_order order, const char *bytes, size_t len)
{
	struct lease *lease = user;

	switch (order) {
	case LEASE_ORDER_BEAT:
		break;
	case LEASE_ORDER_DATA:
		if (lease->is_input_ended || lease->child.input < 0)
			break;
		if (queue_add(&lease->input, bytes, len, LEASE_INPUT_BYTES_MAX) < 0) {
			fprintf(stderr,
			    "e3 lease: the program left %u MiB of its input "
			    "unread and is ended\n",
			    LEASE_INPUT_BYTES_MAX >> 20);
			lease_end(lease);
		}
		break;
	case LEASE_ORDER_END:
		lease->is_input_ended = true;
		break;
	case LEASE_ORDER_CANCEL:
		lease_end(lease);
		break;
	}
}

static void lease_hear(struct lease *lease)
{
	static char bytes[LEASE_PIECE_BYTES];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		lease_controller_gone(lease);
		return;
	}
	lease->heard_ms = lease->now_ms;
	if (lease_orders_feed(&lease->orders, bytes, (size_t)n, on_order, lease) < 0) {
		fprintf(stderr, "e3 lease: the controller broke the framing\n");
		lease_controller_gone(lease);
	}
}

static void lease_feed_child(struct lease *lease)
{
	if (lease->child.input < 0)
		return;
	if (queue_write(&lease->input, lease->child.input) < 0)
		lease->input.at = lease->input.len = 0, lease->is_input_ended = true;
	if (lease->is_input_ended && queue_waiting(&lease->input) == 0) {
		close(lease->child.input);
		lease->child.input = -1;
	}
}

/* Everything in `piece` that is due: whole lines; of a longer one a piece; at the end of
 * the output also what has no newline. */
static void lease_relay(struct lease *lease, bool is_last)
{
	char *at = lease->piece, *end = lease->piece + lease->piece_len, *newline;

	while ((newline = memchr(at, '\n', (size_t)(end - at)))) {
		lease_say_line(lease, '>', at, (size_t)(newline - at));
		at = newline + 1;
	}
	if (end > at && (is_last || end - at == (ptrdiff_t)sizeof(lease->piece))) {
		lease_say_line(lease, is_last ? '>' : '+', at, (size_t)(end - at));
		at = end;
	}
	memmove(lease->piece, at, (size_t)(end - at));
	lease->piece_len = (size_t)(end - at);
}

static bool lease_is_reading(const struct lease *lease)
{
	return lease->child.output >= 0 && queue_waiting(&lease->out) <= OUT_BYTES_HIGH;
}

static void lease_read_child(struct lease *lease)
{
	ssize_t n;

	if (!lease_is_reading(lease))
		return;
	n = read(lease->child.output, lease->piece + lease->piece_len,
	    sizeof(lease->piece) - lease->piece_len);
	if (n < 0 && errno == EINTR)
		return;
	/* In FLUSHING every writer is gone or given up: nothing more is waited for. */
	if (n < 0 && errno == EAGAIN && lease->phase != FLUSHING)
		return;
	lease->piece_len += n > 0 ? (size_t)n : 0;
	lease_relay(lease, n <= 0);
	if (n <= 0) {
		close(lease->child.output);
		lease->child.output = -1;
	}
}

static void lease_read_signals(struct lease *lease)
{
	struct signalfd_siginfo info;

	while (read(lease->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			lease_end(lease);
}

static void lease_say_ending(struct lease *lease)
{
	char frame[32];
	int status = lease->child.status;

	/* One that outlives SIGKILL ends by it when the kernel lets it. */
	if (lease->child.pid > 0 && !lease->child.is_reaped)
		snprintf(frame, sizeof(frame), "SIGNAL %d\n", SIGKILL);
	else if (lease->child.pid > 0 && WIFSIGNALED(status))
		snprintf(frame, sizeof(frame), "SIGNAL %d\n", WTERMSIG(status));
	else
		snprintf(frame, sizeof(frame), "EXIT %d\n",
		    lease->child.pid > 0 ? WEXITSTATUS(status) : lease->exit_code);
	lease_say(lease, frame, strlen(frame));
}

static void lease_end_child(struct lease *lease)
{
	int due = lease_ending_due(&lease->ending, lease->now_ms);

	if (due == LEASE_ENDING_OVER)
		lease->phase = FLUSHING;
	else if (due != 0)
		lease_child_signal(&lease->child, due);
}

/* Move on by time and by what has ended. */
static void lease_advance(struct lease *lease)
{
	bool is_empty = lease->child.pid == 0 || lease_child_reap(&lease->child);
	uint64_t now_ms = lease->now_ms;

	if (now_ms - lease->heard_ms >= lease->config->beat_timeout_ms)
		lease_controller_gone(lease);
	if (lease->phase == RUNNING && (is_empty || lease->child.is_reaped))
		lease_end(lease);
	if (lease->phase == ENDING && is_empty)
		lease->phase = FLUSHING;
	if (lease->phase == ENDING)
		lease_end_child(lease);
	if (now_ms >= lease->beat_due_ms && !lease->is_last_said) {
		/* A reader that is behind has bytes to live on. */
		if (queue_waiting(&lease->out) == 0)
			lease_say(lease, "BEAT\n", 5);
		lease->beat_due_ms = now_ms + LEASE_BEAT_MS;
	}
}

static void lease_flush(struct lease *lease)
{
	if (lease->phase == FLUSHING && lease->child.output < 0 && !lease->is_last_said) {
		lease_say_ending(lease);
		lease->is_last_said = true;
	}
	if (!lease->is_controller_gone && queue_write(&lease->out, STDOUT_FILENO) < 0)
		lease_controller_gone(lease);
	if (lease->phase == FLUSHING &&
	    (lease->is_controller_gone ||
		(lease->is_last_said && queue_waiting(&lease->out) == 0)))
		lease->phase = OVER;
}

static int lease_timeout_ms(const struct lease *lease)
{
	uint64_t now = clock_ms(), due = lease->heard_ms + lease->config->beat_timeout_ms;

	if (lease->phase == FLUSHING && lease_is_reading(lease))
		return 0;
	if (lease->beat_due_ms < due && !lease->is_last_said)
		due = lease->beat_due_ms;
	/* Whom a death orphans comes to us without a signal: look again soon. */
	if (lease->phase == ENDING &&
	    (lease->ending.due_ms < due || lease->is_controller_gone))
		due = lease->ending.due_ms;
	return due > now ? (int)(due - now) : 0;
}

static void lease_turn(struct lease *lease)
{
	enum { HEAR, SAY, OUTPUT, INPUT, SIGNALS, N };
	bool is_there = !lease->is_controller_gone;
	struct pollfd fds[N] = {
	    [HEAR] = {is_there ? STDIN_FILENO : -1, POLLIN, 0},
	    [SAY] = {is_there ? STDOUT_FILENO : -1,
		queue_waiting(&lease->out) > 0 ? POLLOUT : 0, 0},
	    [OUTPUT] = {lease_is_reading(lease) ? lease->child.output : -1, POLLIN, 0},
	    [INPUT] = {queue_waiting(&lease->input) > 0 ? lease->child.input : -1,
		POLLOUT, 0},
	    [SIGNALS] = {lease->signals, POLLIN, 0},
	};

	if (poll(fds, N, lease_timeout_ms(lease)) < 0)
		return;
	lease->now_ms = clock_ms();
	if (fds[SIGNALS].revents)
		lease_read_signals(lease);
	if (fds[HEAR].revents)
		lease_hear(lease);
	if (fds[SAY].revents & (POLLERR | POLLNVAL))
		lease_controller_gone(lease);
	if (fds[OUTPUT].revents || lease->phase == FLUSHING)
		lease_read_child(lease);
	lease_feed_child(lease);
	lease_advance(lease);
	lease_flush(lease);
}

static int lease_signals(void)
{
	static const int caught[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
		sigaddset(&set, caught[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void lease_begin(struct lease *lease)
{
	char frame[LEASE_NONCE_CHARS + 16];
	int rc;

	snprintf(frame, sizeof(frame), "HELLO %.*s\n", (int)LEASE_NONCE_CHARS,
	    lease->config->nonce);
	lease_say(lease, frame, strlen(frame));
	lease->now_ms = lease->heard_ms = clock_ms();
	lease->beat_due_ms = lease->now_ms + LEASE_BEAT_MS;
	rc = lease_child_start(&lease->child, lease->config->argv);
	if (rc < 0) {
		fprintf(stderr, "e3 lease: cannot run '%s': %s\n", lease->config->argv[0],
		    strerror(-rc));
		lease->exit_code = LEASE_EXIT_CANNOT_START;
		lease->phase = FLUSHING;
	}
	fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
	fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_NONBLOCK);
	lease_flush(lease);
}

/* What was sent to this host stays while somebody holds its folder (host_connect.c). On
 * failure it may go early, which ends nothing that runs. */
static int lease_hold_folder(void)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	int fd;

	if (len <= 0)
		return -1;
	path[len] = '\0';
	*strrchr(path, '/') = '\0';
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		flock(fd, LOCK_SH | LOCK_NB);
	return fd;
}

int lease_run(const struct lease_config *config)
{
	int folder_fd = lease_hold_folder();
	static struct lease lease;

	lease = (struct lease){.config = config, .child = {.input = -1, .output = -1}};
	lease.signals = lease_signals();
	if (lease.signals < 0) {
		int rc = -errno;

		close(folder_fd);
		return rc;
	}
	lease_begin(&lease);
	while (lease.phase != OVER)
		lease_turn(&lease);
	lease_child_finish(&lease.child);
	free(lease.out.bytes);
	free(lease.input.bytes);
	close(lease.signals);
	if (folder_fd >= 0)
		close(folder_fd);
	return lease.is_controller_gone ? -EPIPE : 0;
}
