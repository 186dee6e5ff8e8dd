/* SPDX-License-Identifier: MIT */
/* In the place of a fleet: commands that do nothing but remember whom to call, and what
 * was written to them. Link it before the harness. */
#ifndef TESTS_FAKE_FLEET_H
#define TESTS_FAKE_FLEET_H

#include "harness/control/crew.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define FAKE_FLEET_HOSTS 3u

extern const char *const fake_fleet_host_names[FAKE_FLEET_HOSTS];

/* A fresh crew of FAKE_FLEET_HOSTS parties over `transport`, started. */
void fake_fleet_start_crew(struct crew *crew, uv_loop_t *loop, const char *transport);
/* The command on `host` says a line: borrowed for the call, and not one byte longer. */
void fake_fleet_say(uint32_t host, const char *line, size_t len);
/* It ends as cancelled. */
void fake_fleet_end(uint32_t host);
/* All that was written to it since it was started. */
const char *fake_fleet_written(uint32_t host, size_t *len);

#endif
