/* SPDX-License-Identifier: MIT */
#include "harness/measure/pressure.h"

#include "base/clock.h"
#include "base/units.h"
#include "harness/measure/system_file.h"
#include "harness/measure/taint.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FILE_BYTES 65536u
#define LINE_BYTES 256u

static void sample_psi(const char *root, struct pressure *out)
{
	char text[LINE_BYTES], line[LINE_BYTES];
	const char *total;

	system_file_read(root, "/proc/pressure/cpu", text, sizeof(text));
	if (system_file_value(text, "some", line, sizeof(line)) < 0)
		return;
	total = strstr(line, "total=");
	if (total == NULL)
		return;
	out->has_psi = 1;
	out->psi_some_us = strtoull(total + 6, NULL, 10);
}

/* user nice system idle iowait irq softirq steal; guest time is part of user. */
static void sample_cpu(const char *text, struct pressure *out)
{
	uint64_t tick_ns = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
	uint64_t ticks[8] = {0}, sum = 0;
	char line[LINE_BYTES];
	char *at = line;

	if (system_file_value(text, "cpu ", line, sizeof(line)) < 0)
		return;
	for (int i = 0; i < 8; i++) {
		ticks[i] = strtoull(at, &at, 10);
		sum += ticks[i];
	}
	out->steal_ns = ticks[7] * tick_ns;
	out->cpu_ns = sum * tick_ns;
}

void pressure_sample(const char *root, struct pressure *out)
{
	char *text = malloc(FILE_BYTES);
	char value[LINE_BYTES];

	*out = (struct pressure){.at_ns = clock_monotonic_ns()};
	out->wall_offset_ns = clock_wall_offset_ns();
	sample_psi(root, out);
	if (text == NULL)
		return;
	system_file_read(root, "/proc/stat", text, FILE_BYTES);
	sample_cpu(text, out);
	if (system_file_value(text, "ctxt", value, sizeof(value)) == 0)
		out->context_switches = strtoull(value, NULL, 10);
	free(text);
}

static uint64_t grown(uint64_t before, uint64_t after)
{
	return after > before ? after - before : 0;
}

void pressure_between(const struct pressure *before, const struct pressure *after,
    struct pressure_delta *out)
{
	uint64_t wall_ns = grown(before->at_ns, after->at_ns);
	uint64_t cpu_ns = grown(before->cpu_ns, after->cpu_ns);
	int64_t moved_ns = after->wall_offset_ns - before->wall_offset_ns;

	*out = (struct pressure_delta){.wall_ns = wall_ns,
	    .psi_share = -1,
	    .steal_ns = grown(before->steal_ns, after->steal_ns)};
	if (before->has_psi && after->has_psi && wall_ns > 0)
		out->psi_share = (double)grown(before->psi_some_us, after->psi_some_us) *
				 NS_PER_US / (double)wall_ns;
	if (cpu_ns > 0)
		out->steal_share = (double)out->steal_ns / (double)cpu_ns;
	out->context_switches = grown(before->context_switches, after->context_switches);
	out->clock_jump_ns = (uint64_t)(moved_ns < 0 ? -moved_ns : moved_ns);
}

cJSON *pressure_json(const struct pressure_delta *delta)
{
	cJSON *json = cJSON_CreateObject();

	if (json == NULL)
		return NULL;
	cJSON_AddNumberToObject(json, "wall_ns", (double)delta->wall_ns);
	if (delta->psi_share < 0)
		cJSON_AddNullToObject(json, "psi_cpu_some_share");
	else
		cJSON_AddNumberToObject(json, "psi_cpu_some_share", delta->psi_share);
	cJSON_AddNumberToObject(json, "steal_share", delta->steal_share);
	cJSON_AddNumberToObject(
	    json, "context_switches", (double)delta->context_switches);
	cJSON_AddNumberToObject(json, "clock_jump_ns", (double)delta->clock_jump_ns);
	return json;
}

void pressure_taints(cJSON *taints, const struct pressure_delta *delta, const char *of)
{
	taint_check(taints, TAINT_CPU_PRESSURE, delta->psi_share, of);
	if (delta->steal_ns >= PRESSURE_STEAL_MIN_NS)
		taint_check(taints, TAINT_STEAL, delta->steal_share, of);
	taint_check(taints, TAINT_CLOCK_JUMP, (double)delta->clock_jump_ns, of);
}

static void add_thread(const char *path, struct pressure_process *sum)
{
	uint64_t ran, waited, slices;
	char text[LINE_BYTES];

	system_file_read("", path, text, sizeof(text));
	if (sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64, &ran, &waited, &slices) != 3)
		return;
	sum->cpu_ns += ran;
	sum->runqueue_ns += waited;
	sum->timeslices += slices;
}

int pressure_process(const char *root, pid_t pid, struct pressure_process *out)
{
	struct pressure_process sum = {0};
	char folder[PATH_MAX / 2], path[PATH_MAX];
	const struct dirent *thread;
	DIR *threads;

	if (pid == 0)
		pid = getpid();
	snprintf(folder, sizeof(folder), "%s/proc/%d/task", root, (int)pid);
	threads = opendir(folder);
	if (threads == NULL)
		return -ESRCH;
	while ((thread = readdir(threads)) != NULL) {
		if (thread->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s/schedstat", folder, thread->d_name);
		add_thread(path, &sum);
	}
	closedir(threads);
	*out = sum;
	return 0;
}

/* 0 when it is gone. */
static pid_t parent_of(const char *root, const char *pid)
{
	char path[PATH_MAX / 2], text[LINE_BYTES];
	const char *name_end;
	int parent = 0;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	system_file_read(root, path, text, sizeof(text));
	name_end = strrchr(text, ')'); /* the name may contain anything */
	if (name_end == NULL || sscanf(name_end + 1, " %*c %d", &parent) != 1)
		return 0;
	return parent;
}

void pressure_children(const char *root, pid_t pid, struct pressure_process *out)
{
	const struct dirent *entry;
	char folder[PATH_MAX / 2];
	DIR *processes;

	*out = (struct pressure_process){0};
	if (pid == 0)
		pid = getpid();
	snprintf(folder, sizeof(folder), "%s/proc", root);
	processes = opendir(folder);
	while (processes != NULL && (entry = readdir(processes)) != NULL) {
		struct pressure_process child;

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
		    parent_of(root, entry->d_name) != pid ||
		    pressure_process(root, (pid_t)atoi(entry->d_name), &child) < 0)
			continue;
		out->cpu_ns += child.cpu_ns;
		out->runqueue_ns += child.runqueue_ns;
		out->timeslices += child.timeslices;
	}
	if (processes != NULL)
		closedir(processes);
}

void pressure_party_taint(
    cJSON *taints, uint64_t runqueue_ns, uint64_t wall_ns, const char *of)
{
	if (runqueue_ns > wall_ns)
		runqueue_ns = wall_ns;
	if (wall_ns > 0)
		taint_check(taints, TAINT_CPU_BOUND_PARTY,
		    (double)runqueue_ns / (double)wall_ns, of);
}
