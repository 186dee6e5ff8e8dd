/* SPDX-License-Identifier: MIT */
/* Sentences that are longer than a terminal is wide. Not for what holds a command or a
 * path: broken by the terminal itself, those can still be copied. */
#ifndef HARNESS_RESULT_TEXT_WRAP_H
#define HARNESS_RESULT_TEXT_WRAP_H

#include "harness/result/terminal.h"

/* Print clean text (clean_text_is()) and a newline, broken at blanks where the terminal
 * ends; further lines are indented by `indent`. A word that fits no line stays whole.
 * Without a limit of columns: one line. */
void text_wrap(
    const char *text, uint32_t indent, FILE *out, const struct terminal *terminal);

#endif
