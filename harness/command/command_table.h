/* SPDX-License-Identifier: MIT */
/* Every command of E3: each defined in the file of its name, listed in command_table.c.
 */
#ifndef HARNESS_COMMAND_COMMAND_TABLE_H
#define HARNESS_COMMAND_COMMAND_TABLE_H

#include "harness/command/command.h"

extern const struct command command_calibrate;
extern const struct command command_connect;
extern const struct command command_cost;
extern const struct command command_doctor;
extern const struct command command_down;
extern const struct command command_facts;
extern const struct command command_help;
extern const struct command command_lease;
extern const struct command command_list;
extern const struct command command_party;
extern const struct command command_plan;
extern const struct command command_recover;
extern const struct command command_run;
extern const struct command command_schema;
extern const struct command command_up;

#endif
