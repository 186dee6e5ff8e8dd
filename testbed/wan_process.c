/* SPDX-License-Identifier: MIT */
#include "testbed/wan_process.h"
#include "testbed/wan_loop.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define TITLE          "e3 wan"
#define FIFO_PRIORITY  10
#define NICE_PRIORITY  (-10)
#define TIMER_SLACK_NS 1ul

/* proc(5): of /proc/PID/stat, counted after the name, whose parentheses may hold
 * anything. */
#define STAT_ARG_START (48 - 3)
#define STAT_ARG_END   (49 - 3)

/* What ps shows: the memory where the arguments of the whole program stand. */
static void set_title(void)
{
	char text[1024], *at;
	unsigned long bounds[2] = {0, 0};
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (got <= 0)
		return;
	text[got] = '\0';
	at = strrchr(text, ')');
	for (int field = 0; at != NULL && field <= STAT_ARG_END; field++) {
		at = strchr(at + 1, ' ');
		if (at != NULL && field >= STAT_ARG_START)
			bounds[field - STAT_ARG_START] = strtoul(at + 1, NULL, 10);
	}
	if (bounds[0] == 0 || bounds[1] <= bounds[0])
		return;
	memset((char *)bounds[0], 0, bounds[1] - bounds[0]);
	snprintf((char *)bounds[0], bounds[1] - bounds[0], TITLE);
}

static int compare_int(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return x < y ? -1 : x > y;
}

/* Other children of the parent must see their pipes close, whatever this one lives on. */
static void close_inherited(const struct wan_process *process)
{
	int kept[WAN_PORTS_MAX + 1], n_kept = 0, from = STDERR_FILENO + 1, null;

	for (uint32_t p = 0; p < process->config->n_ports; p++)
		kept[n_kept++] = process->tun_fds[p];
	kept[n_kept++] = process->control_fd;
	qsort(kept, (size_t)n_kept, sizeof(*kept), compare_int);
	for (int i = 0; i < n_kept; i++) {
		if (kept[i] > from)
			close_range((unsigned)from, (unsigned)kept[i] - 1, 0);
		if (kept[i] >= from)
			from = kept[i] + 1;
	}
	close_range((unsigned)from, UINT_MAX, 0);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		close(null);
	}
}

static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A session of its own: the terminal's Ctrl-C is for the parent, whose teardown still
 * needs the network. */
static void become(const struct wan_process *process)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != process->parent)
		_exit(EXIT_FAILURE);
	setsid();
	reset_signals();
	prctl(PR_SET_NAME, "e3-wan");
	set_title();
	close_inherited(process);
}

/* What is not allowed is done without: the lateness shows what it costs. Locking on fault
 * bounds it by what is really used. */
static void be_punctual(void)
{
	struct sched_param priority = {.sched_priority = FIFO_PRIORITY};

	prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);
	if (sched_setscheduler(0, SCHED_FIFO, &priority) < 0)
		setpriority(PRIO_PROCESS, 0, NICE_PRIORITY);
	mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

_Noreturn void wan_process_run(const struct wan_process *process)
{
	struct error err = {0};
	struct wan_loop *loop;
	int rc;

	become(process);
	be_punctual();
	loop = wan_loop_create(process->config, process->tun_fds, process->control_fd,
	    process->shared, &err);
	send(process->control_fd, &err, sizeof(err), MSG_NOSIGNAL);
	if (loop == NULL)
		_exit(EXIT_FAILURE);
	rc = wan_loop_run(loop);
	wan_loop_destroy(loop);
	_exit(rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}
