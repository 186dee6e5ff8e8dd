/* SPDX-License-Identifier: MIT */
#include "harness/result/rtt_heatmap.h"

#include "base/units.h"
#include "engine/network.h"
#include "harness/measure/taint.h"
#include "harness/result/clean_text.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#define HOSTS         NETWORK_PARTIES_MAX
#define LABEL_BYTES   24
#define COLUMN_WIDTH  7u
#define RTT_TOLERANCE 0.01

enum pair_state { PAIR_NOT_MEASURED, PAIR_LOST, PAIR_OFF, PAIR_GOOD };

struct map {
	uint32_t n_hosts;
	char labels[HOSTS][LABEL_BYTES];
	char regions[HOSTS][LABEL_BYTES];
	uint32_t label_width;
	enum pair_state state[HOSTS][HOSTS];
	double rtt_ms[HOSTS][HOSTS];
	double least_ms, greatest_ms;
};

static const cJSON *item(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* An index below HOSTS; -1. */
static int host_of(const cJSON *pair, const char *key)
{
	const cJSON *number = item(pair, key);

	return cJSON_IsNumber(number) && number->valuedouble >= 0 &&
		       number->valuedouble < HOSTS
		   ? number->valueint
		   : -1;
}

static int is_off(double rtt_ns, double configured_ns)
{
	double limit = configured_ns * RTT_TOLERANCE;

	if (limit < taint_limit(TAINT_RTT_OFF))
		limit = taint_limit(TAINT_RTT_OFF);
	return fabs(rtt_ns - configured_ns) > limit;
}

static void read_pair(struct map *map, const cJSON *pair)
{
	int from = host_of(pair, "from"), to = host_of(pair, "to");
	const cJSON *p50 = item(item(pair, "rtt_ns"), "p50");
	const cJSON *configured = item(pair, "configured_rtt_ns");
	double rtt_ms;

	if (from < 0 || to < 0 || from == to)
		return;
	map->n_hosts = (uint32_t)from >= map->n_hosts ? (uint32_t)from + 1 : map->n_hosts;
	map->n_hosts = (uint32_t)to >= map->n_hosts ? (uint32_t)to + 1 : map->n_hosts;
	map->state[from][to] = PAIR_LOST;
	if (!cJSON_IsNumber(p50) || !(p50->valuedouble >= 0))
		return;
	rtt_ms = p50->valuedouble / (double)NS_PER_MS;
	map->rtt_ms[from][to] = rtt_ms;
	map->state[from][to] = cJSON_IsNumber(configured) &&
				       is_off(p50->valuedouble, configured->valuedouble)
				   ? PAIR_OFF
				   : PAIR_GOOD;
	map->least_ms = fmin(map->least_ms, rtt_ms);
	map->greatest_ms = fmax(map->greatest_ms, rtt_ms);
}

static void read_labels(struct map *map, const cJSON *hosts)
{
	for (uint32_t h = 0; h < map->n_hosts; h++) {
		const char *region = cJSON_GetStringValue(
		    item(cJSON_GetArrayItem(hosts, (int)h), "region"));
		char text[64];

		clean_text_copy(
		    map->regions[h], COLUMN_WIDTH, region == NULL ? "" : region);
		snprintf(
		    text, sizeof(text), "%u %.*s", h, 20, region == NULL ? "" : region);
		clean_text_copy(map->labels[h], LABEL_BYTES, text);
		if (clean_text_columns(map->labels[h]) > map->label_width)
			map->label_width = (uint32_t)clean_text_columns(map->labels[h]);
	}
}

/* Short and long round trips are apart by factors: a share of the logarithm. */
static double share_of(const struct map *map, double rtt_ms)
{
	double least = fmax(map->least_ms, 0.1), greatest = fmax(map->greatest_ms, 0.1);

	if (greatest <= least)
		return 0;
	return log(fmax(rtt_ms, least) / least) / log(greatest / least);
}

static void pad(FILE *out, uint32_t n)
{
	while (n-- > 0)
		fputc(' ', out);
}

/* Right-aligned and a mark behind; a plain line has no blank at its end. */
static void print_value(const struct map *map, uint32_t to, const char *text, char mark,
    FILE *out, const struct terminal *terminal)
{
	uint32_t columns = (uint32_t)clean_text_columns(text) + 1;
	int is_last = to + 1 == map->n_hosts && terminal->colors == COLORS_NONE;

	pad(out, columns < COLUMN_WIDTH ? COLUMN_WIDTH - columns : 0);
	fputs(text, out);
	if (mark != ' ' || !is_last)
		fputc(mark, out);
}

static void print_pair(const struct map *map, uint32_t from, uint32_t to, FILE *out,
    const struct terminal *terminal)
{
	char text[32], heat[TERMINAL_HEAT_BYTES];
	double rtt_ms = map->rtt_ms[from][to];
	enum pair_state state = map->state[from][to];

	if (from == to || state <= PAIR_LOST) {
		fputs(terminal_style(terminal, STYLE_DIM), out);
		print_value(map, to,
		    from == to           ? "."
		    : state == PAIR_LOST ? "lost"
					 : "?",
		    ' ', out, terminal);
		fputs(terminal_plain(terminal, STYLE_DIM), out);
		return;
	}
	snprintf(
	    text, sizeof(text), "%.*f", rtt_ms < 9.995 ? 2 : rtt_ms < 999.95, rtt_ms);
	fputs(terminal_heat(terminal, share_of(map, rtt_ms), heat), out);
	print_value(map, to, text, state == PAIR_OFF ? '!' : ' ', out, terminal);
	fputs(terminal_plain(terminal, STYLE_BOLD), out);
}

static void print_map(const struct map *map, FILE *out, const struct terminal *terminal)
{
	pad(out, map->label_width + 2);
	for (uint32_t to = 0; to < map->n_hosts; to++)
		print_value(map, to, map->regions[to], ' ', out, terminal);
	fputc('\n', out);
	for (uint32_t from = 0; from < map->n_hosts; from++) {
		fprintf(out, "  %s", map->labels[from]);
		pad(out,
		    map->label_width - (uint32_t)clean_text_columns(map->labels[from]));
		for (uint32_t to = 0; to < map->n_hosts; to++)
			print_pair(map, from, to, out, terminal);
		fputc('\n', out);
	}
}

static int has_state(const struct map *map, enum pair_state state)
{
	for (uint32_t from = 0; from < map->n_hosts; from++)
		for (uint32_t to = 0; to < map->n_hosts; to++)
			if (from != to && map->state[from][to] == state)
				return 1;
	return 0;
}

void rtt_heatmap_print(const cJSON *document, FILE *out, const struct terminal *terminal)
{
	struct map map = {.least_ms = INFINITY};
	const cJSON *pair;

	cJSON_ArrayForEach(pair, item(item(document, "calibration"), "pairs"))
	    read_pair(&map, pair);
	if (map.n_hosts == 0)
		return;
	read_labels(&map, item(item(item(document, "provenance"), "inventory"), "hosts"));
	fprintf(out, "\n%sMeasured round-trip time%s, p50 in ms, row to column\n",
	    terminal_style(terminal, STYLE_BOLD), terminal_plain(terminal, STYLE_BOLD));
	print_map(&map, out, terminal);
	if (has_state(&map, PAIR_OFF))
		fputs("  ! more than max(0.5 ms, 1 %) off the configured one\n", out);
	if (has_state(&map, PAIR_LOST))
		fputs("  lost: no echo came back\n", out);
}
