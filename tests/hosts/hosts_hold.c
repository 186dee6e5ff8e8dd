/* SPDX-License-Identifier: MIT */
/*
 * usage: hosts_hold N AUTHORIZED_KEY [ONE_WAY_MS]
 *
 * A controller for tests: N emulated hosts, one line "NAME ADDRESS PORT PID KEY" for
 * each, then "up"; down at the end of its standard input (exit 0). When a process of the
 * testbed ends: "ended: SENTENCE", down, exit 4. A failure to start: its sentence,
 * exit 1.
 */
#include "base/units.h"
#include "testbed/testbed.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void print_hosts(const struct testbed *testbed, uint32_t n_hosts)
{
	for (uint32_t h = 0; h < n_hosts; h++) {
		const struct testbed_host *host = testbed_host(testbed, h);

		printf("%s %s %u %d %s\n", host->name, host->address, host->port,
		    (int)host->init_pid, host->host_key);
	}
	printf("up\n");
	fflush(stdout);
}

static int hold(struct testbed *testbed)
{
	struct pollfd fds[] = {
	    {.fd = testbed_fd(testbed), .events = POLLIN},
	    {.fd = STDIN_FILENO, .events = POLLIN},
	};
	struct error err = {0};

	while (poll(fds, 2, -1) < 0)
		continue;
	if (testbed_check(testbed, &err) == 0)
		return 0;
	printf("ended: %s\n", err.text);
	fflush(stdout);
	return 4;
}

int main(int argc, char **argv)
{
	struct testbed_config *config = calloc(1, sizeof *config);
	struct testbed *testbed;
	struct error err = {0};
	int rc;

	if (argc < 3 || config == NULL)
		return 2;
	config->n_hosts = (uint32_t)atoi(argv[1]);
	config->authorized_key = argv[2];
	config->seed = 1;
	for (uint32_t from = 0; argc > 3 && from < TESTBED_HOSTS_MAX; from++)
		for (uint32_t to = 0; to < TESTBED_HOSTS_MAX; to++)
			config->links[from][to].one_way_ns =
			    (uint64_t)atoi(argv[3]) * NS_PER_MS;
	rc = testbed_up(config, &testbed, &err);
	if (rc < 0) {
		printf("%s\n", err.text);
		free(config);
		return 1;
	}
	print_hosts(testbed, config->n_hosts);
	free(config);
	rc = hold(testbed);
	testbed_down(testbed);
	return rc;
}
