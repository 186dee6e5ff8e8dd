/* SPDX-License-Identifier: MIT */
#include "harness/control/path_model.h"
#include "base/units.h"

#define INITIAL_WINDOW_BYTES UINT64_C(14480) /* ten segments of 1448 */
#define FRAME_BYTES          4u /* length of a message, transports/common/frame */

uint64_t path_delay_ns(struct path *path, uint64_t sent_ns, uint64_t bytes)
{
	uint64_t left = bytes + FRAME_BYTES;

	if (path->window_bytes == 0)
		path->window_bytes = INITIAL_WINDOW_BYTES;
	if (path->free_ns < sent_ns)
		path->free_ns = sent_ns;
	if (path->rate_bps > 0)
		path->free_ns += left * BITS_PER_BYTE * NS_PER_S / path->rate_bps;
	while (left > path->window_bytes) {
		left -= path->window_bytes;
		path->window_bytes *= 2;
		path->free_ns += path->rtt_ns;
	}
	return path->free_ns + path->one_way_ns - sent_ns;
}
