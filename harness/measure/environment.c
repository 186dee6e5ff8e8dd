/* SPDX-License-Identifier: MIT */
#include "harness/measure/environment.h"

#include "harness/measure/system_file.h"

#include <cjson/cJSON.h>
#include <gnu/libc-version.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#define LINE_BYTES 256u
#define FILE_BYTES 16384u

/* Those that shape what TCP and UDP do over a long path. */
static const char *const sysctls[] = {"net.ipv4.tcp_congestion_control",
    "net.ipv4.tcp_available_congestion_control", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
    "net.ipv4.tcp_mem", "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_no_metrics_save", "net.ipv4.tcp_sack", "net.ipv4.tcp_window_scaling",
    "net.ipv4.tcp_notsent_lowat", "net.ipv4.tcp_limit_output_bytes",
    "net.ipv4.ip_forward", "net.core.rmem_max", "net.core.wmem_max",
    "net.core.netdev_max_backlog", "net.core.default_qdisc", "net.core.busy_poll",
    "kernel.sched_rt_runtime_us"};

/* "" = unknown. */
static void add_text(cJSON *json, const char *key, const char *text)
{
	if (text[0] == '\0')
		cJSON_AddNullToObject(json, key);
	else
		cJSON_AddStringToObject(json, key, text);
}

static void add_file(cJSON *json, const char *key, const char *root, const char *path)
{
	char text[LINE_BYTES];

	system_file_read(root, path, text, sizeof(text));
	add_text(json, key, text);
}

static void add_system(cJSON *json, const char *root)
{
	char file[FILE_BYTES], value[LINE_BYTES] = "";
	struct utsname name = {0};

	uname(&name);
	add_text(json, "hostname", name.nodename);
	system_file_read(root, "/etc/os-release", file, sizeof(file));
	if (system_file_value(file, "PRETTY_NAME", value, sizeof(value)) == 0 &&
	    value[0] == '"') {
		memmove(value, value + 1, strlen(value));
		value[strcspn(value, "\"")] = '\0';
	}
	add_text(json, "os", value);
	add_text(json, "kernel", name.release);
	add_text(json, "kernel_build", name.version);
	add_text(json, "arch", name.machine);
	add_text(json, "libc", gnu_get_libc_version());
}

static void add_smt(cJSON *json, const char *root)
{
	char text[LINE_BYTES];

	system_file_read(root, "/sys/devices/system/cpu/smt/active", text, sizeof(text));
	if (text[0] == '\0')
		cJSON_AddNullToObject(json, "smt");
	else
		cJSON_AddBoolToObject(json, "smt", text[0] == '1');
}

/* A product name where the firmware tells one, else what the CPU says of itself. */
static void add_virt(cJSON *json, const char *root, const char *cpuinfo)
{
	char product[LINE_BYTES];

	system_file_read(
	    root, "/sys/class/dmi/id/product_name", product, sizeof(product));
	if (product[0] == '\0' && strstr(cpuinfo, " hypervisor") != NULL)
		snprintf(product, sizeof(product), "hypervisor");
	add_text(json, "virt", product);
}

static void add_cpu(cJSON *json, const char *root)
{
	char file[FILE_BYTES], model[LINE_BYTES] = "";
	cpu_set_t allowed;

	system_file_read(root, "/proc/cpuinfo", file, sizeof(file));
	if (system_file_value(file, "model name", model, sizeof(model)) < 0)
		(void)system_file_value(file, "CPU part", model, sizeof(model));
	add_text(json, "cpu_model", model);
	cJSON_AddNumberToObject(json, "cpus", (double)sysconf(_SC_NPROCESSORS_ONLN));
	if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0)
		cJSON_AddNumberToObject(json, "cpus_allowed", CPU_COUNT(&allowed));
	else
		cJSON_AddNullToObject(json, "cpus_allowed");
	add_smt(json, root);
	add_file(json, "governor", root,
	    "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	add_virt(json, root, file);
}

/* CONFIG_HZ=... of a kernel configuration, packed or not; 0 = not told. */
static int hz_in(const char *path)
{
	gzFile file = gzopen(path, "re");
	char line[LINE_BYTES];
	int hz = 0;

	if (file == NULL)
		return 0;
	while (hz == 0 && gzgets(file, line, sizeof(line)) != NULL)
		if (strncmp(line, "CONFIG_HZ=", 10) == 0)
			hz = atoi(line + 10);
	gzclose(file);
	return hz;
}

static void add_hz(cJSON *json, const char *root)
{
	char path[PATH_MAX];
	struct utsname name = {0};
	int hz;

	snprintf(path, sizeof(path), "%s/proc/config.gz", root);
	hz = hz_in(path);
	if (hz == 0) {
		uname(&name);
		snprintf(path, sizeof(path), "%s/boot/config-%s", root, name.release);
		hz = hz_in(path);
	}
	if (hz > 0)
		cJSON_AddNumberToObject(json, "hz", hz);
	else
		cJSON_AddNullToObject(json, "hz");
}

static void add_clock(cJSON *json, const char *root)
{
	struct timespec resolution = {.tv_nsec = -1};

	add_file(json, "clocksource", root,
	    "/sys/devices/system/clocksource/clocksource0/current_clocksource");
	clock_getres(CLOCK_MONOTONIC, &resolution);
	cJSON_AddBoolToObject(
	    json, "hrtimers", resolution.tv_sec == 0 && resolution.tv_nsec == 1);
	add_hz(json, root);
}

static void add_memory(cJSON *json, const char *root)
{
	static const struct {
		const char *line, *key;
	} wanted[] = {
	    {"MemTotal", "mem_total_bytes"}, {"MemAvailable", "mem_available_bytes"}};
	char file[FILE_BYTES], value[LINE_BYTES];

	system_file_read(root, "/proc/meminfo", file, sizeof(file));
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		if (system_file_value(file, wanted[i].line, value, sizeof(value)) == 0)
			cJSON_AddNumberToObject(json, wanted[i].key, atof(value) * 1024);
		else
			cJSON_AddNullToObject(json, wanted[i].key);
}

static void add_load(cJSON *json, const char *root)
{
	char text[LINE_BYTES];
	double load[3];
	cJSON *array = cJSON_AddArrayToObject(json, "load");

	system_file_read(root, "/proc/loadavg", text, sizeof(text));
	if (sscanf(text, "%lf %lf %lf", &load[0], &load[1], &load[2]) == 3)
		for (int i = 0; i < 3; i++)
			cJSON_AddItemToArray(array, cJSON_CreateNumber(load[i]));
	system_file_read(root, "/proc/uptime", text, sizeof(text));
	cJSON_AddNumberToObject(json, "uptime_s", (double)(long long)atof(text));
}

static void add_sysctls(cJSON *json, const char *root)
{
	cJSON *object = cJSON_AddObjectToObject(json, "sysctls");

	for (size_t i = 0; i < sizeof(sysctls) / sizeof(*sysctls); i++) {
		char path[LINE_BYTES], value[LINE_BYTES];

		snprintf(path, sizeof(path), "/proc/sys/%s", sysctls[i]);
		for (char *dot = path; (dot = strchr(dot, '.')) != NULL;)
			*dot = '/';
		system_file_read(root, path, value, sizeof(value));
		add_text(object, sysctls[i], value);
	}
}

cJSON *environment_json(const char *root)
{
	cJSON *json = cJSON_CreateObject();

	if (json == NULL)
		return NULL;
	add_system(json, root);
	add_cpu(json, root);
	add_clock(json, root);
	add_memory(json, root);
	add_load(json, root);
	add_sysctls(json, root);
	return json;
}
