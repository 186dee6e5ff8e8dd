/* SPDX-License-Identifier: MIT */
#include "tests/control/fake_fleet.h"
#include "harness/fleet/fleet.h"
#include "harness/fleet/outcome.h"
#include "tests/tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WRITTEN_BYTES (256u << 10)

struct fleet_command {
	struct fleet_command_events events;
	size_t len;
	char written[WRITTEN_BYTES];
};

static struct fleet_command commands[FAKE_FLEET_HOSTS];

const char *const fake_fleet_host_names[FAKE_FLEET_HOSTS] = {"ada", "bob", "cyd"};

int fleet_command_start(struct fleet *fleet, uint32_t host, const char *const *argv,
    const struct fleet_command_events *events, struct fleet_command **out,
    struct error *err)
{
	(void)fleet, (void)argv, (void)err;
	commands[host].events = *events;
	commands[host].len = 0;
	*out = &commands[host];
	return 0;
}

int fleet_command_write(struct fleet_command *command, const void *bytes, size_t len)
{
	if (command->len + len > sizeof(command->written))
		return -EPIPE;
	memcpy(command->written + command->len, bytes, len);
	command->len += len;
	return 0;
}

void fleet_command_cancel(struct fleet_command *command)
{
	struct outcome outcome = {0};

	outcome_set(&outcome, OUTCOME_CANCELLED, 0, "cancelled");
	command->events.ended(command->events.user, &outcome, "");
}

void fake_fleet_start_crew(struct crew *crew, uv_loop_t *loop, const char *transport)
{
	static char address[] = "10.0.0.1", workload[] = "secret-santa", size[] = "8";
	struct party_plan plans[FAKE_FLEET_HOSTS];

	memset(crew, 0, sizeof(*crew));
	crew->loop = loop;
	crew->n_parties = FAKE_FLEET_HOSTS;
	for (uint32_t p = 0; p < FAKE_FLEET_HOSTS; p++) {
		crew->hosts[p] = fake_fleet_host_names[p];
		plans[p] = (struct party_plan){.self = p,
		    .n_parties = FAKE_FLEET_HOSTS,
		    .addresses = {address, address, address},
		    .transport = (char *)(uintptr_t)transport,
		    .workload = workload,
		    .size = size};
	}
	assert_int_equal(crew_start(crew, plans, NULL), 0);
}

void fake_fleet_say(uint32_t host, const char *line, size_t len)
{
	char *exact = malloc(len > 0 ? len : 1);

	if (exact == NULL)
		abort();
	memcpy(exact, line, len);
	commands[host].events.line(commands[host].events.user, exact, len);
	free(exact);
}

void fake_fleet_end(uint32_t host)
{
	fleet_command_cancel(&commands[host]);
}

const char *fake_fleet_written(uint32_t host, size_t *len)
{
	*len = commands[host].len;
	return commands[host].written;
}
