/* SPDX-License-Identifier: MIT */
/* Facts of a host that a figure depends on. What can't be known is null. */
#ifndef HARNESS_MEASURE_ENVIRONMENT_H
#define HARNESS_MEASURE_ENVIRONMENT_H

struct cJSON;

/* {"hostname","os","kernel","kernel_build","arch","libc","cpu_model","cpus",
 * "cpus_allowed","smt","governor","virt","clocksource","hrtimers","hz",
 * "mem_total_bytes","mem_available_bytes","load":[1,5,15 min],"uptime_s","sysctls":{}},
 * to be freed with cJSON_Delete(); NULL when out of memory. `root`: see system_file.h. */
struct cJSON *environment_json(const char *root);

/* Run `argv` (NULL-terminated; argv[0] is looked for in PATH), and add under `name` the
 * first line that it prints within 2 s, on either stream; null when there is none. The
 * process and what it started are ended. Not while another thread forks. */
void environment_add_tool(struct cJSON *tools, const char *name, const char *const *argv);

#endif
