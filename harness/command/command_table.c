/* SPDX-License-Identifier: MIT */
#include "harness/command/command_table.h"

/* In the order of `e3 help`. */
const struct command *const commands[] = {
    &command_run,
    &command_recover,
    &command_plan,
    &command_cost,
    &command_list,
    &command_doctor,
    &command_up,
    &command_down,
    &command_calibrate,
    &command_schema,
    &command_help,
    &command_lease,
    &command_party,
    &command_facts,
    &command_connect,
    NULL,
};
