/* SPDX-License-Identifier: MIT */
#include "harness/control/progress.h"
#include "base/clock.h"
#include "base/units.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#define REDRAW_MS 500u

/* Estimates are corrected by how long the blocks so far took against theirs. */
static uint64_t remaining_ns(const struct progress *progress)
{
	uint64_t now_ns = clock_monotonic_ns(), left_ns, running_ns;
	double correction = 1;

	if (progress->estimate_ns <= progress->done_estimate_ns)
		return 0;
	left_ns = progress->estimate_ns - progress->done_estimate_ns;
	if (progress->done_estimate_ns > 0)
		correction = (double)((progress->stage != NULL ? progress->block_began_ns
							       : now_ns) -
				      progress->blocks_began_ns) /
			     (double)progress->done_estimate_ns;
	left_ns = (uint64_t)((double)left_ns * correction);
	running_ns = progress->stage != NULL ? now_ns - progress->block_began_ns : 0;
	return left_ns > running_ns ? left_ns - running_ns : 0;
}

static void clock_text(char *out, size_t bytes, uint64_t ns)
{
	uint64_t s = (ns + NS_PER_S / 2) / NS_PER_S;

	snprintf(out, bytes, "%llu:%02llu", (unsigned long long)(s / 60),
	    (unsigned long long)(s % 60));
}

static void draw(struct progress *progress, const char *words, const char *end)
{
	char elapsed[24], remaining[24], left[48] = "";

	if (progress->out == NULL)
		return;
	clock_text(elapsed, sizeof(elapsed), clock_monotonic_ns() - progress->began_ns);
	clock_text(remaining, sizeof(remaining), remaining_ns(progress));
	if (progress->n_done < progress->n_total)
		snprintf(left, sizeof(left), ", about %s left", remaining);
	fprintf(progress->out, "%s[%2u/%u] %-50s %-26s %5s%s%s",
	    progress->is_terminal ? "\r\033[2K" : "",
	    progress->n_done + (words == progress->stage), progress->n_total,
	    progress->label, words, elapsed, left, end);
	fflush(progress->out);
}

static void on_redraw(uv_timer_t *timer)
{
	struct progress *progress = timer->data;

	if (progress->stage != NULL)
		draw(progress, progress->stage, "");
}

void progress_init(struct progress *progress, uv_loop_t *loop, FILE *out)
{
	memset(progress, 0, sizeof(*progress));
	progress->out = out;
	progress->began_ns = clock_monotonic_ns();
	progress->is_terminal = out != NULL && isatty(fileno(out));
	if (!progress->is_terminal)
		return;
	uv_timer_init(loop, &progress->timer);
	progress->timer.data = progress;
	progress->has_timer = 1;
	uv_timer_start(&progress->timer, on_redraw, REDRAW_MS, REDRAW_MS);
}

void progress_note(struct progress *progress, const char *fmt, ...)
{
	va_list args;

	if (progress->out == NULL)
		return;
	va_start(args, fmt);
	vfprintf(progress->out, fmt, args);
	va_end(args);
	fputc('\n', progress->out);
	fflush(progress->out);
}

void progress_plan(struct progress *progress, uint32_t n_blocks, uint64_t estimate_ns)
{
	progress->n_total = n_blocks;
	progress->estimate_ns = estimate_ns;
	progress->blocks_began_ns = clock_monotonic_ns();
}

void progress_block(struct progress *progress, const char *label, uint64_t estimate_ns)
{
	snprintf(progress->label, sizeof(progress->label), "%s", label);
	progress->block_began_ns = clock_monotonic_ns();
	progress->block_estimate_ns = estimate_ns;
	progress->stage = "connecting";
	if (progress->is_terminal)
		draw(progress, progress->stage, "");
}

void progress_again(struct progress *progress)
{
	progress->n_total++;
	progress->estimate_ns += progress->block_estimate_ns;
}

void progress_running(struct progress *progress)
{
	progress->stage = "running";
	if (progress->is_terminal)
		draw(progress, progress->stage, "");
}

void progress_block_done(struct progress *progress, const char *words)
{
	progress->stage = NULL;
	progress->n_done++;
	progress->done_estimate_ns += progress->block_estimate_ns;
	draw(progress, words, "\n");
}

void progress_finish(struct progress *progress)
{
	if (progress->has_timer)
		uv_close((uv_handle_t *)&progress->timer, NULL);
	progress->has_timer = 0;
}
