/* SPDX-License-Identifier: MIT */
/* What a machine adds to a rehearsal. Run in the root of the sources, with
 * E3_PLUGIN_PATH. Computing is measured, so times have room above. */
#include "harness/control/rehearsal.h"
#include "base/units.h"
#include "harness/control/machine_cost.h"
#include "harness/control/run_inputs.h"
#include "tests/tap.h"

#include <string.h>

#define ROUNDS   20u
#define ROOM_NS  (200 * NS_PER_MS)
#define HAS_ROOM 10u /* cores */

static const char text[] =
    "{\"$schema\": \"e3/scenario/v1\", \"name\": \"t\",\n"
    "\"parties\": {\"count\": 3, \"regions\": [\"ams\", \"lon\"]},\n"
    "\"network\": {\"matrix\": \"matrices/azure-2026-07.json\"},\n"
    "\"transports\": [{\"plugin\": \"tcp\"}],\n"
    "\"workloads\": [{\"name\": \"rounds\", \"sizes\": [20]}]}\n";

static struct scenario *scenario;
static struct plan *plan;
static uint64_t network_ns;

static uint64_t time_of(enum rehearsal_time time, const struct machine_cost *machine)
{
	struct run_inputs inputs = {0};
	struct rehearsal out;
	struct error err = {0};

	if (rehearse(plan, &plan->cells[0], &inputs, time, machine, &out, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(out.parties[0].rounds, ROUNDS);
	return out.virtual_ns;
}

static void takes(const struct machine_cost *machine, uint64_t least_ns)
{
	assert_in_range(
	    time_of(REHEARSAL_MACHINE, machine), least_ns, least_ns + ROOM_NS);
}

static int set_up(void **state)
{
	struct error err = {0};

	(void)state;
	if (scenario_parse("scenarios/t.json", text, strlen(text), &scenario, &err) < 0 ||
	    plan_create(scenario, NULL, &plan, &err) < 0)
		fail_msg("%s", err.text);
	network_ns = time_of(REHEARSAL_NETWORK, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	plan_free(plan);
	scenario_free(scenario);
	return 0;
}

static void nothing_costs_nothing(void **state)
{
	struct machine_cost machine = {.cores = HAS_ROOM};

	(void)state;
	takes(&machine, network_ns);
}

static void every_round_passes_once(void **state)
{
	struct machine_cost machine = {.cores = HAS_ROOM, .pass_ns = 20 * NS_PER_MS};

	(void)state;
	takes(&machine, network_ns + ROUNDS * 20 * NS_PER_MS);
}

/* 10 ms at each end: a party gives two and takes two, and what it takes comes (6 ms of
 * way) while it is busy. What passing holds of CPU time is not counted twice. */
static void ends_pay_for_messages(void **state)
{
	struct machine_cost machine = {
	    .cores = HAS_ROOM, .pass_ns = 20 * NS_PER_MS, .message_ns = 20 * NS_PER_MS};

	(void)state;
	takes(&machine, ROUNDS * 40 * NS_PER_MS);
}

/* Three parties on one core, each 20 ms giving and 20 ms taking. */
static void cores_are_shared(void **state)
{
	struct machine_cost machine = {.cores = 1, .message_ns = 20 * NS_PER_MS};

	(void)state;
	takes(&machine, ROUNDS * 3 * 40 * NS_PER_MS);
}

/* Of each sender two messages a round, between those of two others. */
static void the_emulator_takes_turns(void **state)
{
	struct machine_cost machine = {.cores = HAS_ROOM, .carry_ns = 10 * NS_PER_MS};
	uint64_t took_ns = time_of(REHEARSAL_MACHINE, &machine);

	(void)state;
	assert_in_range(took_ns, ROUNDS * 2 * 3 * 10 * NS_PER_MS,
	    network_ns + ROUNDS * 2 * 3 * 10 * NS_PER_MS + ROOM_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_costs_nothing),
	    cmocka_unit_test(every_round_passes_once),
	    cmocka_unit_test(ends_pay_for_messages),
	    cmocka_unit_test(cores_are_shared),
	    cmocka_unit_test(the_emulator_takes_turns),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
