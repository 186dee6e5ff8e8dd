/* SPDX-License-Identifier: MIT */
/* Help, made from the tables of the commands; nothing is written twice. */
#ifndef HARNESS_COMMAND_HELP_H
#define HARNESS_COMMAND_HELP_H

#include "harness/command/command.h"

#include <stdio.h>

void help_overview(FILE *out);                               /* `e3 help` */
void help_command(FILE *out, const struct command *command); /* `e3 help NAME` */

#endif
