/* SPDX-License-Identifier: MIT */
/*
 * What the fleet's tests run on their hosts. As `lease --nonce N --beat-timeout-ms M --
 * ...` it is the lease alone; else argv[1] says what to do:
 *   - exit N, signal N, say LINES BYTES, echo, binary, arguments ..., stderr LINES
 *   - sleep: says its number, waits
 *   - stubborn: the same, and says "told" when it is sent SIGTERM, no more
 *   - family: a child in the group, one outside of it; says their numbers, waits
 *   - leave: starts one that stays behind, says its number, ends with code 0
 */
#include "harness/fleet/lease.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int lease(int argc, char **argv)
{
	struct lease_config config = {0};

	if (argc < 8 || strcmp(argv[2], "--nonce") || strcmp(argv[6], "--"))
		return 2;
	config.nonce = argv[3];
	config.beat_timeout_ms = (uint32_t)atoi(argv[5]);
	config.argv = argv + 7;
	return lease_run(&config) < 0;
}

static void wait_forever(void)
{
	for (;;)
		pause();
}

static pid_t start_waiting(int leaves_group)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (leaves_group)
			setsid();
		wait_forever();
	}
	return pid;
}

static void on_term(int number)
{
	(void)number;
	if (write(STDOUT_FILENO, "told\n", 5) < 0)
		_exit(1);
}

static void say_bytes(size_t n)
{
	for (size_t i = 0; i < n; i++)
		putchar('a' + (int)(i % 26));
	putchar('\n');
}

static int echo(void)
{
	char bytes[65536];
	ssize_t n;

	while ((n = read(STDIN_FILENO, bytes, sizeof(bytes))) > 0)
		for (ssize_t at = 0, k; at < n; at += k)
			if ((k = write(STDOUT_FILENO, bytes + at, (size_t)(n - at))) <= 0)
				return 1;
	return 0;
}

static int binary(void)
{
	for (int i = 0; i < 256; i++)
		if (i != '\n')
			putchar(i);
	fputs("\nEXIT 0\n\n\r\nBEAT\n>HELLO", stdout);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	long number = argc > 2 ? atol(argv[2]) : 0;

	if (!strcmp(what, "lease"))
		return lease(argc, argv);
	if (!strcmp(what, "exit"))
		return (int)number;
	if (!strcmp(what, "signal"))
		raise((int)number);
	else if (!strcmp(what, "say"))
		for (long i = 0; i < number; i++)
			say_bytes((size_t)atol(argv[3]));
	else if (!strcmp(what, "echo"))
		return echo();
	else if (!strcmp(what, "binary"))
		return binary();
	else if (!strcmp(what, "arguments"))
		for (int i = 2; i < argc; i++)
			printf("%s\n", argv[i]);
	else if (!strcmp(what, "stderr"))
		for (long i = 0; i < number; i++)
			fprintf(stderr, "complaint %ld\n", i);
	else if (!strcmp(what, "stubborn"))
		signal(SIGTERM, on_term);
	setlinebuf(stdout);
	if (!strcmp(what, "sleep") || !strcmp(what, "stubborn")) {
		printf("%d\n", (int)getpid());
		wait_forever();
	}
	if (!strcmp(what, "family")) {
		printf("%d %d %d\n", (int)getpid(), (int)start_waiting(0),
		    (int)start_waiting(1));
		wait_forever();
	}
	if (!strcmp(what, "leave"))
		printf("%d\n", (int)start_waiting(1));
	return !strcmp(what, "stderr") ? 3 : 0;
}
