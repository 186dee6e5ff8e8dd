/* SPDX-License-Identifier: MIT */
#include "harness/result/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_DEFAULT 80
#define COLUMNS_MIN     20
#define COLUMNS_MAX     1000

static const char *setting(const char *name)
{
	const char *value = getenv(name);

	return value == NULL ? "" : value;
}

static uint32_t columns_of(int fd)
{
	struct winsize size = {0};
	int columns = atoi(setting("COLUMNS"));

	if (columns <= 0 && ioctl(fd, TIOCGWINSZ, &size) == 0)
		columns = size.ws_col;
	if (columns <= 0)
		columns = COLUMNS_DEFAULT;
	if (columns < COLUMNS_MIN)
		columns = COLUMNS_MIN;
	return (uint32_t)(columns > COLUMNS_MAX ? COLUMNS_MAX : columns);
}

static enum terminal_colors colors_of(void)
{
	const char *kind = setting("COLORTERM"), *term = setting("TERM");

	if (setting("NO_COLOR")[0] != '\0' || term[0] == '\0' ||
	    strcmp(term, "dumb") == 0)
		return COLORS_NONE;
	if (strcmp(kind, "truecolor") == 0 || strcmp(kind, "24bit") == 0)
		return COLORS_TRUE;
	return COLORS_256;
}

/* The first of the three that is set decides, as in setlocale(3). */
static int has_utf8(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *value = setting(names[i]);

		if (value[0] != '\0')
			return strcasestr(value, "UTF-8") != NULL ||
			       strcasestr(value, "utf8") != NULL;
	}
	return 0;
}

void terminal_detect(int fd, struct terminal *out)
{
	*out = (struct terminal){.is_tty = isatty(fd)};
	if (!out->is_tty)
		return;
	out->columns = columns_of(fd);
	out->colors = colors_of();
	out->has_utf8 = has_utf8() && strcmp(setting("TERM"), "dumb") != 0;
}

const char *terminal_style(const struct terminal *terminal, enum style style)
{
	static const char *const codes[] = {[STYLE_PLAIN] = "",
	    [STYLE_DIM] = "\033[2m",
	    [STYLE_BOLD] = "\033[1m",
	    [STYLE_GOOD] = "\033[32m",
	    [STYLE_WARN] = "\033[33m",
	    [STYLE_BAD] = "\033[1;31m"};

	return terminal->colors == COLORS_NONE ? "" : codes[style];
}

const char *terminal_plain(const struct terminal *terminal, enum style style)
{
	return terminal->colors == COLORS_NONE || style == STYLE_PLAIN ? "" : "\033[0m";
}

/* Green over yellow to red, light enough for dark text. */
static void heat(double share, int rgb[3])
{
	static const int stops[][3] = {{99, 190, 123}, {177, 213, 128}, {255, 235, 132},
	    {251, 170, 119}, {248, 105, 107}};
	int last = (int)(sizeof(stops) / sizeof(*stops)) - 1;
	double at = (share < 0 ? 0 : share > 1 ? 1 : share) * last;
	int below = at >= last ? last - 1 : (int)at;

	for (int i = 0; i < 3; i++)
		rgb[i] = stops[below][i] +
			 (int)((at - below) * (stops[below + 1][i] - stops[below][i]));
}

const char *terminal_heat(const struct terminal *terminal, double share, char *out)
{
	int rgb[3];

	heat(share, rgb);
	if (terminal->colors == COLORS_TRUE)
		snprintf(out, TERMINAL_HEAT_BYTES, "\033[38;2;20;20;20;48;2;%d;%d;%dm",
		    rgb[0], rgb[1], rgb[2]);
	else if (terminal->colors == COLORS_256)
		/* 16 + the 6 x 6 x 6 cube, whose steps are 0, 95, 135, 175, 215, 255. */
		snprintf(out, TERMINAL_HEAT_BYTES, "\033[38;5;16;48;5;%dm",
		    16 + 36 * (rgb[0] < 75 ? 0 : (rgb[0] - 35) / 40) +
			6 * (rgb[1] < 75 ? 0 : (rgb[1] - 35) / 40) +
			(rgb[2] < 75 ? 0 : (rgb[2] - 35) / 40));
	else
		out[0] = '\0';
	return out;
}
