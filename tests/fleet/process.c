/* SPDX-License-Identifier: MIT */
#include "tests/fleet/process.h"

#include "base/clock.h"
#include "base/units.h"
#include "tests/tap.h"

#include <string.h>
#include <unistd.h>

uint64_t test_now_ms(void)
{
	return clock_monotonic_ns() / NS_PER_MS;
}

/* False when there is no such process. */
static bool read_stat(pid_t pid, char *state, int *parent)
{
	char path[64], text[512];
	const char *name_end;
	size_t len;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	name_end = strrchr(text, ')'); /* the name may hold anything */
	return name_end != NULL && sscanf(name_end + 1, " %c %d", state, parent) == 2;
}

pid_t process_parent(pid_t pid)
{
	char state;
	int parent;

	return read_stat(pid, &state, &parent) ? parent : 0;
}

/* A zombie has ended; when it is buried is its parent's business, which after a crash is
 * whatever runs as process 1. */
static bool has_ended(pid_t pid)
{
	char state;
	int parent;

	return !read_stat(pid, &state, &parent) || strchr("ZX", state) != NULL;
}

static bool is_asleep(pid_t pid)
{
	char state;
	int parent;

	return read_stat(pid, &state, &parent) && state == 'S';
}

static bool wait_until(bool (*condition)(pid_t pid), pid_t pid)
{
	uint64_t until_ms = test_now_ms() + WAIT_MS;

	while (!condition(pid)) {
		if (test_now_ms() > until_ms)
			return false;
		usleep(5000);
	}
	return true;
}

bool process_gone(pid_t pid)
{
	if (wait_until(has_ended, pid))
		return true;
	print_message("process %d still runs\n", (int)pid);
	return false;
}

bool process_asleep(pid_t pid)
{
	return wait_until(is_asleep, pid);
}
