/* SPDX-License-Identifier: MIT */
/*
 * The controller's way to its hosts, over loopback and real sshd: connecting, uploading,
 * a command, a line there and back, a flood of lines. Eight servers share this machine,
 * so the wall time of the first two is mostly theirs; the controller's CPU time is beside
 * it.
 */
#include "tests/fleet/sshd_fixture.h"

#include "base/clock.h"
#include "base/sort.h"
#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N_CONNECTS 9
#define N_PINGS    2000
#define N_COMMANDS 100
#define FILE_BYTES 20000000

static struct crew crew;
static uint64_t times_ns[N_PINGS];
static uint32_t n_times;
static uint64_t began_ns, began_cpu_ns;

static void begin(void)
{
	began_ns = clock_monotonic_ns();
	began_cpu_ns = clock_process_cpu_ns();
}

static void end(void)
{
	times_ns[n_times++] = clock_monotonic_ns() - began_ns;
}

static double percentile_ms(double p)
{
	sort_u64(times_ns, n_times);
	return (double)times_ns[(uint32_t)(p * (n_times - 1))] / 1e6;
}

static void bench_connect(void)
{
	double cpu_ms = 0;

	n_times = 0;
	for (int i = 0; i < N_CONNECTS; i++) {
		if (i > 0)
			crew_down(&crew);
		begin();
		crew_up(&crew, fixture.hosts, SSHD_MAX, &fixture.key, NULL);
		crew_connect(&crew);
		end();
		cpu_ms += (double)(clock_process_cpu_ns() - began_cpu_ns) / 1e6;
	}
	printf("connect to %d hosts      p50 %7.1f ms   controller's CPU %.1f ms\n",
	    SSHD_MAX, percentile_ms(0.5), cpu_ms / N_CONNECTS);
}

static void bench_upload(void)
{
	static char bytes[FILE_BYTES];
	char path[128];
	struct fleet_file file = {path, "big", 0644, UINT32_MAX};

	for (int is_again = 0; is_again < 2; is_again++) {
		snprintf(path, sizeof(path), "%s/big", fixture.folder);
		if (!is_again) {
			FILE *out = fopen(path, "we");

			for (size_t i = 0; i < sizeof(bytes); i++)
				bytes[i] = (char)((i * 2654435761u) >> 9);
			fwrite(bytes, 1, sizeof(bytes), out);
			fclose(out);
		}
		n_times = 0;
		begin();
		crew_upload(&crew, &file, 1);
		end();
		printf(
		    "upload 20 MB to %d hosts %s %7.1f ms   controller's CPU %.1f ms\n",
		    SSHD_MAX, is_again ? "again" : "     ", percentile_ms(0),
		    (double)(clock_process_cpu_ns() - began_cpu_ns) / 1e6);
	}
}

static void bench_commands(void)
{
	n_times = 0;
	for (int i = 0; i < N_COMMANDS; i++) {
		struct work work = {0};

		begin();
		work_start(&work, &crew, 0, (const char *[]){"e3", "exit", "0", NULL});
		work_wait(&work);
		end();
	}
	printf("a command, start to end p50 %7.2f ms   p99 %.2f ms\n", percentile_ms(0.5),
	    percentile_ms(0.99));
}

static void on_pong(struct work *work, const char *line, size_t len)
{
	(void)line, (void)len;
	end();
	if (n_times == N_PINGS) {
		fleet_command_end_input(work->command);
		return;
	}
	begin();
	fleet_command_write(work->command, "ping\n", 5);
}

static void bench_pings(void)
{
	struct work work = {.on_line = on_pong};

	n_times = 0;
	work_start(&work, &crew, 0, (const char *[]){"e3", "echo", NULL});
	begin();
	fleet_command_write(work.command, "ping\n", 5);
	work_wait(&work);
	printf("a line there and back   p50 %7.3f ms   p99 %.3f ms\n", percentile_ms(0.5),
	    percentile_ms(0.99));
}

static void bench_flood(void)
{
	struct work work = {0};

	n_times = 0;
	begin();
	work_start(
	    &work, &crew, 0, (const char *[]){"e3", "say", "20", "10000000", NULL});
	work_wait(&work);
	end();
	printf("200 MB of lines of 10 MB    %7.0f MB/s  controller's CPU %.0f ms\n",
	    (double)work.n_bytes / 1e3 / percentile_ms(0),
	    (double)(clock_process_cpu_ns() - began_cpu_ns) / 1e6);
}

static void bench(void **state)
{
	(void)state;
	fixture_need();
	bench_connect();
	crew_upload_program(&crew);
	bench_upload();
	bench_commands();
	bench_pings();
	bench_flood();
	crew_down(&crew);
}

static int up(void **state)
{
	(void)state;
	fixture_up(SSHD_MAX, "");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(bench)};

	return cmocka_run_group_tests(tests, up, fixture_down);
}
