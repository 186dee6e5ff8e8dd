/* SPDX-License-Identifier: MIT */
/* Emulated hosts: time until all are up and until all are gone, medians of several, and
 * their memory. */
#include "base/clock.h"
#include "base/sort.h"
#include "base/units.h"
#include "testbed/testbed.h"

#include <stdio.h>

#define ROUNDS 5

struct figures {
	uint64_t up_ns, down_ns, pss_bytes;
};

static uint64_t pss_bytes(int pid)
{
	char path[64], line[256];
	uint64_t kib = 0;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
	file = fopen(path, "re");
	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		if (sscanf(line, "Pss: %lu", &kib) == 1)
			break;
	if (file != NULL)
		fclose(file);
	return kib * 1024;
}

/* PID 1 of a host and its sshd. */
static uint64_t host_pss_bytes(const struct testbed_host *host)
{
	char path[64];
	int sshd = 0;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", host->init_pid,
	    host->init_pid);
	file = fopen(path, "re");
	if (file != NULL && fscanf(file, "%d", &sshd) != 1)
		sshd = 0;
	if (file != NULL)
		fclose(file);
	return pss_bytes(host->init_pid) + (sshd > 0 ? pss_bytes(sshd) : 0);
}

static int measure(uint32_t n_hosts, struct figures *out, struct error *err)
{
	struct testbed_config config = {
	    .n_hosts = n_hosts, .authorized_key = "ssh-ed25519 AAAA"};
	uint64_t up_ns[ROUNDS], down_ns[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		struct testbed *testbed;
		uint64_t at_ns = clock_monotonic_ns();
		int rc = testbed_up(&config, &testbed, err);

		if (rc < 0)
			return rc;
		up_ns[i] = clock_monotonic_ns() - at_ns;
		out->pss_bytes = host_pss_bytes(testbed_host(testbed, n_hosts - 1));
		at_ns = clock_monotonic_ns();
		testbed_down(testbed);
		down_ns[i] = clock_monotonic_ns() - at_ns;
	}
	sort_u64(up_ns, ROUNDS);
	sort_u64(down_ns, ROUNDS);
	out->up_ns = up_ns[ROUNDS / 2];
	out->down_ns = down_ns[ROUNDS / 2];
	return 0;
}

int main(void)
{
	static const uint32_t counts[] = {1, 2, 4, 10};
	struct figures one = {0};
	struct error err = {0};

	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		char up[UNITS_TEXT_BYTES], down[UNITS_TEXT_BYTES], pss[UNITS_TEXT_BYTES];
		struct figures now = {0};

		if (measure(counts[i], &now, &err) < 0) {
			printf("%s\n", err.text);
			return 1;
		}
		if (i == 0)
			one = now;
		printf("%2u hosts: up %s (%.1f x one), down %s, %s a host\n", counts[i],
		    units_duration(up, now.up_ns), (double)now.up_ns / (double)one.up_ns,
		    units_duration(down, now.down_ns), units_bytes(pss, now.pss_bytes));
	}
	return 0;
}
