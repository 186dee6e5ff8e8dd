/* SPDX-License-Identifier: MIT */
/* What a prober takes runs out, piece by piece: it is not started, and leaves nothing. */
#include "base/clock.h"
#include "base/units.h"
#include "harness/link/prober.h"
#include "harness/measure/recorder.h"
#include "tests/link/scripted_transport.h"
#include "tests/tap.h"

#include <dirent.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define PARTIES     3u
#define PIECES_MAX  64u
#define PATIENCE_NS (60 * NS_PER_S)

/* Allocations until one fails; counted on the thread that asks for it. */
static _Thread_local uint32_t n_left = UINT32_MAX;

void *__real_calloc(size_t n, size_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);

void *__wrap_calloc(size_t n, size_t bytes)
{
	if (n_left != UINT32_MAX && n_left-- == 0)
		return NULL;
	return __real_calloc(n, bytes);
}

static int no_endpoint(const struct e3_host *host, e3_party self, uint32_t n_parties,
    const char *const *options, struct e3_endpoint **out)
{
	(void)host, (void)self, (void)n_parties, (void)options, (void)out;
	return -EIO;
}

static atomic_int n_changes;

static void on_changed(void *user)
{
	(void)user;
	atomic_fetch_add(&n_changes, 1);
}

static struct e3_transport table;
static const struct prober_config config = {.transport = &table,
    .n_parties = PARTIES,
    .rate_hz = 20,
    .bytes = PROBER_BYTES_MIN,
    .on_changed = on_changed};

/* Without epolls: libuv 1.44 keeps its own when there is nothing for the rest of a loop. */
static uint32_t n_open_files(void)
{
	DIR *folder = opendir("/proc/self/fd");
	const struct dirent *entry;
	uint32_t n = 0;

	assert_non_null(folder);
	while ((entry = readdir(folder)) != NULL) {
		char to[PATH_MAX] = "";

		if (readlinkat(dirfd(folder), entry->d_name, to, sizeof(to) - 1) > 0)
			n += strstr(to, "[eventpoll]") == NULL;
	}
	closedir(folder);
	return n;
}

/* It does start in the end; returns after how many failures. */
static uint32_t start_at_last(int code, void (*allow)(uint32_t n))
{
	struct prober *prober = NULL;
	uint32_t n_files = n_open_files(), n;
	int rc = code;

	for (n = 0; rc < 0 && n < PIECES_MAX; n++) {
		struct error err = {0};

		allow(n);
		rc = prober_start(&config, &prober, &err);
		allow(UINT32_MAX);
		if (rc == 0)
			break;
		assert_int_equal(rc, code);
		assert_non_null(strstr(err.text, "probes"));
		assert_null(prober);
		assert_int_equal(n_open_files(), n_files);
	}
	assert_int_equal(rc, 0);
	prober_stop(prober);
	assert_int_equal(n_open_files(), n_files);
	return n;
}

static void allow_memory(uint32_t n)
{
	n_left = n;
}

static void memory_runs_out(void **state)
{
	(void)state;
	assert_true(start_at_last(-ENOMEM, allow_memory) >= 2);
}

static rlim_t highest_file(void)
{
	DIR *folder = opendir("/proc/self/fd");
	const struct dirent *entry;
	rlim_t highest = 0;

	assert_non_null(folder);
	while ((entry = readdir(folder)) != NULL)
		if (strtoull(entry->d_name, NULL, 10) > highest &&
		    atoi(entry->d_name) != dirfd(folder))
			highest = strtoull(entry->d_name, NULL, 10);
	closedir(folder);
	return highest;
}

/* So many descriptors more than there are. */
static void allow_files(uint32_t n)
{
	static struct rlimit all;
	struct rlimit some;

	if (all.rlim_max == 0)
		assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	some = all;
	if (n != UINT32_MAX)
		some.rlim_cur = highest_file() + 1 + n;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &some), 0);
}

static void descriptors_run_out(void **state)
{
	(void)state;
	assert_true(start_at_last(-EMFILE, allow_files) >= 2);
}

static void a_failure_is_told_at_once(void **state)
{
	uint64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
	struct prober *prober;
	struct error err = {0};

	(void)state;
	atomic_store(&n_changes, 0);
	assert_int_equal(prober_start(&config, &prober, &err), 0);
	while (atomic_load(&n_changes) == 0 && clock_monotonic_ns() < until_ns)
		usleep(1000);
	assert_true(prober_state(prober, &err) < 0);
	assert_true(err.text[0] != '\0');
	prober_stop(prober);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(memory_runs_out),
	    cmocka_unit_test(descriptors_run_out),
	    cmocka_unit_test(a_failure_is_told_at_once),
	};
	uv_loop_t first;

	/* What was inherited would leave gaps to be filled. */
	closefrom(STDERR_FILENO + 1);
	/* The first loop of a process takes descriptors that stay. */
	if (uv_loop_init(&first) < 0 || uv_loop_close(&first) < 0)
		return 1;
	table = scripted_table(1024, 0);
	table.endpoint_create = no_endpoint;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
