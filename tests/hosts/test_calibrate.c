/* SPDX-License-Identifier: MIT */
/* Echoes over the loopback device. */
#include "base/units.h"
#include "harness/measure/calibrate.h"

#include "tests/tap.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int run(const char *const *addresses, uint32_t n, uint32_t count,
    struct calibrate_pair *pairs, struct error *err)
{
	const struct calibrate_config config = {
	    .addresses = addresses,
	    .n_addresses = n,
	    .count = count,
	    .interval_ns = NS_PER_MS,
	    .patience_ns = 10 * NS_PER_S,
	};

	return calibrate_run(&config, pairs, err);
}

static void test_loopback(void **state)
{
	static const char *const addresses[] = {"127.0.0.1", "127.0.0.2", "127.0.0.1"};
	struct calibrate_pair pairs[3];
	struct error err = {0};
	int rc = run(addresses, 3, 40, pairs, &err);

	(void)state;
	if (rc == -EPERM || rc == -EACCES)
		skip_because("%s", err.text);
	assert_int_equal(rc, 0);
	for (int a = 0; a < 3; a++) {
		assert_int_equal(pairs[a].sent, 40);
		assert_int_equal(pairs[a].received, 40);
		assert_in_range(pairs[a].min_ns, 1, pairs[a].p50_ns);
		assert_in_range(pairs[a].p50_ns, pairs[a].min_ns, pairs[a].p99_ns);
		assert_in_range(pairs[a].p99_ns, pairs[a].p50_ns, 10 * NS_PER_S);
	}
}

static int has_ipv6(void)
{
	const struct sockaddr_in6 here = {
	    .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc = bind(fd, (const void *)&here, sizeof here);

	if (fd >= 0)
		close(fd);
	return rc == 0;
}

/* Both kinds at once, each answered by its own. */
static void test_ipv6(void **state)
{
	static const char *const addresses[] = {"::1", "127.0.0.1", "::1"};
	struct calibrate_pair pairs[3];
	struct error err = {0};
	int rc;

	(void)state;
	if (!has_ipv6())
		skip_because("this machine has no IPv6 on its loopback device");
	rc = run(addresses, 3, 40, pairs, &err);
	if (rc == -EPERM || rc == -EACCES)
		skip_because("%s", err.text);
	if (rc < 0)
		fail_msg("%s", err.text);
	for (int a = 0; a < 3; a++) {
		assert_int_equal(pairs[a].sent, 40);
		assert_int_equal(pairs[a].received, 40);
		assert_in_range(pairs[a].p50_ns, pairs[a].min_ns, 10 * NS_PER_S);
	}
}

static void test_bad_input(void **state)
{
	static const char *const name[] = {"host1"}, *const bad6[] = {"::1::2"};
	static const char *const good[] = {"127.0.0.1"};
	struct calibrate_pair pair;
	struct error err = {0};

	(void)state;
	assert_int_equal(run(name, 1, 1, &pair, &err), -EINVAL);
	assert_non_null(strstr(err.text, "'host1'"));
	assert_int_equal(run(bad6, 1, 1, &pair, &err), -EINVAL);
	assert_non_null(strstr(err.text, "'::1::2'"));
	assert_int_equal(run(good, 1, 0, &pair, &err), -EINVAL);
	assert_int_equal(run(good, 0, 1, &pair, &err), -EINVAL);
	assert_int_equal(run(good, 1, CALIBRATE_COUNT_MAX + 1, &pair, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_loopback),
	    cmocka_unit_test(test_ipv6),
	    cmocka_unit_test(test_bad_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
