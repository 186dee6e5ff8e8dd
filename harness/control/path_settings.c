/* SPDX-License-Identifier: MIT */
#include "harness/control/path_settings.h"
#include "harness/measure/system_file.h"

#include <stdio.h>
#include <string.h>

#define CONGESTION_FILE "/proc/sys/net/ipv4/tcp_congestion_control"

static const struct scenario_transport *tcp_of(const struct scenario *scenario)
{
	for (uint32_t i = 0; i < scenario->n_transports; i++)
		if (strcmp(scenario->transports[i].plugin, "tcp") == 0)
			return &scenario->transports[i];
	return &scenario->transports[0];
}

void path_settings_congestion(
    const struct scenario *scenario, const char *root, char out[PATH_CONGESTION_BYTES])
{
	char *const *option = tcp_of(scenario)->options;

	for (; *option != NULL; option += 2)
		if (strcmp(option[0], "congestion") == 0 && option[1][0] != '\0') {
			snprintf(out, PATH_CONGESTION_BYTES, "%s", option[1]);
			return;
		}
	if (system_file_read(root, CONGESTION_FILE, out, PATH_CONGESTION_BYTES) == 0)
		snprintf(out, PATH_CONGESTION_BYTES, "unknown");
}

enum congestion_kind path_settings_kind(const char *congestion)
{
	return strcmp(congestion, "bbr") == 0 ? CONGESTION_BBR : CONGESTION_SLOW_START;
}
