/* SPDX-License-Identifier: MIT */
/* What the place where text goes can show; and how to ask it for colours. */
#ifndef HARNESS_RESULT_TERMINAL_H
#define HARNESS_RESULT_TERMINAL_H

#include <stdint.h>
#include <stdio.h>

enum terminal_colors { COLORS_NONE, COLORS_256, COLORS_TRUE };

struct terminal {
	int is_tty;
	uint32_t columns; /* 0 = any number */
	enum terminal_colors colors;
	int has_utf8; /* box drawing and bars; else ASCII */
};

enum style { STYLE_PLAIN, STYLE_DIM, STYLE_BOLD, STYLE_GOOD, STYLE_WARN, STYLE_BAD };

/* Of an open file: plain ASCII without colours or limits unless it is a terminal. Heeds
 * NO_COLOR (no-color.org), TERM, COLORTERM, COLUMNS, and LC_ALL, LC_CTYPE, LANG. */
void terminal_detect(int fd, struct terminal *out);

/* The escape code that begins a style, and the one that ends it: "" without colours. */
const char *terminal_style(const struct terminal *terminal, enum style style);
const char *terminal_plain(const struct terminal *terminal, enum style style);

/* Background for a share from 0 (good) to 1 (bad), with a readable foreground, into `out`
 * (at least TERMINAL_HEAT_BYTES); "" without colours. Ends with STYLE_BOLD's plain. */
#define TERMINAL_HEAT_BYTES 48
const char *terminal_heat(const struct terminal *terminal, double share, char *out);

#endif
