/* SPDX-License-Identifier: MIT */
/* What a person sees while a run goes on: a line per block, with elapsed and remaining
 * time. On a terminal the line of the block under way is redrawn twice a second. */
#ifndef HARNESS_CONTROL_PROGRESS_H
#define HARNESS_CONTROL_PROGRESS_H

#include <stdint.h>
#include <stdio.h>
#include <uv.h>

struct progress {
	FILE *out; /* NULL: quiet */
	int is_terminal, has_timer;
	uv_timer_t timer;
	uint64_t began_ns, estimate_ns; /* of all blocks */
	uint64_t done_estimate_ns;      /* of the blocks that have ended */
	uint64_t blocks_began_ns;
	uint32_t n_done, n_total;
	uint64_t block_began_ns, block_estimate_ns;
	char label[160];
	const char *stage; /* of the block under way; NULL between blocks */
};

void progress_init(struct progress *progress, uv_loop_t *loop, FILE *out);
/* Something other than blocks is done ("4 hosts up", ...). */
void progress_note(struct progress *progress, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void progress_plan(struct progress *progress, uint32_t n_blocks, uint64_t estimate_ns);
void progress_block(struct progress *progress, const char *label, uint64_t estimate_ns);
/* The block that is done will be run once more. */
void progress_again(struct progress *progress);
void progress_running(struct progress *progress); /* connected: the workload runs */
/* `words`: how it ended, in few words. */
void progress_block_done(struct progress *progress, const char *words);
/* Run the loop once afterwards to let the handle close. Zeroed is fine. */
void progress_finish(struct progress *progress);

#endif
