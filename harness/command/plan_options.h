/* SPDX-License-Identifier: MIT */
/*
 * The options that choose cells, shared by the commands that take a scenario:
 *
 *	struct run_options { struct plan_filter filter; ... };
 *	static const struct option_rule run_rules[] = {
 *	    PLAN_OPTIONS(struct run_options, filter), ..., {0}};
 */
#ifndef HARNESS_COMMAND_PLAN_OPTIONS_H
#define HARNESS_COMMAND_PLAN_OPTIONS_H

#include "harness/command/command.h"
#include "harness/scenario/plan.h"

#define PLAN_OPTIONS(type, filter)                                                       \
	{.name = "parties",                                                              \
	    .argument = "N",                                                             \
	    .help = "only cells of N parties",                                           \
	    .kind = OPTION_NUMBER,                                                       \
	    .offset = offsetof(type, filter.parties),                                    \
	    .min = 1,                                                                    \
	    .max = NETWORK_PARTIES_MAX},                                                 \
	    {.name = "transport",                                                        \
		.argument = "NAME",                                                      \
		.help = "only cells over this transport",                                \
		.kind = OPTION_TEXT,                                                     \
		.offset = offsetof(type, filter.transport)},                             \
	    {.name = "workload",                                                         \
		.argument = "NAME",                                                      \
		.help = "only cells of this workload",                                   \
		.kind = OPTION_TEXT,                                                     \
		.offset = offsetof(type, filter.workload)},                              \
	    {.name = "mode",                                                             \
		.argument = "MODE",                                                      \
		.help = "only cells of this mode of a workload",                         \
		.kind = OPTION_TEXT,                                                     \
		.offset = offsetof(type, filter.mode)},                                  \
	    {.name = "size",                                                             \
		.argument = "SIZE",                                                      \
		.help = "only cells of this size, as the scenario writes it",            \
		.kind = OPTION_TEXT,                                                     \
		.offset = offsetof(type, filter.size)},                                  \
	    {.name = "no-reruns",                                                        \
		.help = "run no block again because it was tainted",                     \
		.kind = OPTION_FLAG,                                                     \
		.offset = offsetof(type, filter.has_no_reruns)},                         \
	{                                                                                \
		.name = "blocks", .argument = "N",                                       \
		.help = "run every cell N times instead of what the scenario says",      \
		.kind = OPTION_NUMBER, .offset = offsetof(type, filter.blocks),          \
		.min = 1, .max = SCENARIO_BLOCKS_MAX                                     \
	}

/* Read the scenario at `path`, plan what the filter chooses and give that to `use` with
 * the command's options. Returns what `use` does; if that is negative, or it didn't come
 * so far, the exit status of a command whose error was printed. */
int plan_options_use(const char *path, const struct plan_filter *filter,
    int (*use)(const struct plan *plan, const void *options, struct error *err),
    const void *options);

#endif
