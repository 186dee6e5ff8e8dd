/* SPDX-License-Identifier: MIT */
#include "testbed/wan_link.h"
#include "base/units.h"
#include "testbed/wan.h"

#include <math.h>

#define BURST_NS     (NS_PER_MS / 4)
#define RATE_MIN_BPS UINT64_C(1000)
#define RATE_MAX_BPS UINT64_C(1000000000000)

int wan_link_check(const struct testbed_link *shape, struct error *err)
{
	if (shape->one_way_ns > WAN_DELAY_MAX_NS || shape->jitter_ns > WAN_DELAY_MAX_NS)
		return error_set(err, -EINVAL, "delay and jitter are 60 s at most");
	if (!(shape->loss >= 0 && shape->loss <= 1))
		return error_set(err, -EINVAL, "loss is a probability, 0 to 1");
	if (shape->rate_bps != 0 &&
	    (shape->rate_bps < RATE_MIN_BPS || shape->rate_bps > RATE_MAX_BPS))
		return error_set(
		    err, -EINVAL, "rate is 1 kbit/s to 1 Tbit/s, or 0 for no limit");
	return 0;
}

/* Geometric: one logarithm for each lost segment instead of one draw for each segment. */
static void draw_passing(struct wan_link *link)
{
	double p = link->shape.loss, count;

	link->passing = UINT64_MAX;
	if (p >= 1)
		link->passing = 0;
	if (p <= 0 || p >= 1)
		return;
	count = log1p(-random_stream_unit(&link->loss_stream)) / log1p(-p);
	if (count < 0x1p63)
		link->passing = (uint64_t)count;
}

void wan_link_init(struct wan_link *link, const struct testbed_link *shape, uint64_t seed,
    uint32_t from, uint32_t to)
{
	struct random_stream pair;

	/* An odd factor that isn't splitmix64's step: neighbours must not share a state. */
	random_stream_seed(
	    &pair, seed ^ ((uint64_t)from << 32 | to) * UINT64_C(0xd1342543de82ef95));
	*link = (struct wan_link){.spare_gauss = NAN, .passing = UINT64_MAX};
	random_stream_seed(&link->loss_stream, random_stream_next(&pair));
	random_stream_seed(&link->jitter_stream, random_stream_next(&pair));
	wan_link_change(link, shape);
}

void wan_link_change(struct wan_link *link, const struct testbed_link *shape)
{
	uint64_t queue =
	    shape->rate_bps / BITS_PER_BYTE / (NS_PER_S / WAN_QUEUE_DEFAULT_NS);
	int is_new_loss = shape->loss != link->shape.loss;

	link->shape = *shape;
	if (shape->queue_bytes == 0)
		link->shape.queue_bytes =
		    queue > WAN_QUEUE_DEFAULT_MIN ? queue : WAN_QUEUE_DEFAULT_MIN;
	if (is_new_loss)
		draw_passing(link);
}

static uint64_t link_time_ns(const struct wan_link *link, uint64_t bytes)
{
	return bytes * BITS_PER_BYTE * NS_PER_S / link->shape.rate_bps;
}

static int has_room(const struct wan_link *link, uint64_t now_ns, uint32_t bytes)
{
	double waiting_bytes;

	if (link->busy_until_ns <= now_ns)
		return 1;
	waiting_bytes = (double)(link->busy_until_ns - now_ns) *
			(double)link->shape.rate_bps / BITS_PER_BYTE / (double)NS_PER_S;
	return waiting_bytes + bytes <= (double)link->shape.queue_bytes;
}

enum wan_fate wan_link_segment(
    struct wan_link *link, uint64_t now_ns, uint32_t bytes, uint64_t *left_ns)
{
	if (link->passing == 0) {
		draw_passing(link);
		return WAN_LOST;
	}
	if (link->passing != UINT64_MAX)
		link->passing--;
	if (link->shape.rate_bps == 0) {
		*left_ns = now_ns;
		return WAN_PASSES;
	}
	if (!has_room(link, now_ns, bytes))
		return WAN_NO_ROOM;
	if (link->busy_until_ns < now_ns)
		link->busy_until_ns = now_ns;
	link->busy_until_ns += link_time_ns(link, bytes);
	*left_ns = link->busy_until_ns;
	return WAN_PASSES;
}

/* Marsaglia's polar method (SIAM Review 6(3), 1964). */
static double draw_gauss(struct wan_link *link)
{
	double u, v, s, value = link->spare_gauss;

	link->spare_gauss = NAN;
	if (!isnan(value))
		return value;
	do {
		u = 2 * random_stream_unit(&link->jitter_stream) - 1;
		v = 2 * random_stream_unit(&link->jitter_stream) - 1;
		s = u * u + v * v;
	} while (s >= 1 || s == 0);
	s = sqrt(-2 * log(s) / s);
	link->spare_gauss = v * s;
	return u * s;
}

uint64_t wan_link_due(struct wan_link *link, uint64_t left_ns)
{
	uint64_t due_ns = left_ns + link->shape.one_way_ns;

	if (link->shape.jitter_ns > 0) {
		double delay = (double)link->shape.one_way_ns +
			       draw_gauss(link) * (double)link->shape.jitter_ns;

		due_ns = left_ns + (delay > 0 ? (uint64_t)delay : 0);
	}
	if (due_ns < link->last_due_ns)
		due_ns = link->last_due_ns;
	link->last_due_ns = due_ns;
	return due_ns;
}

uint32_t wan_link_burst(const struct wan_link *link, uint32_t bytes)
{
	uint64_t each_ns;

	if (link->shape.rate_bps == 0)
		return UINT32_MAX;
	each_ns = link_time_ns(link, bytes);
	return each_ns == 0         ? UINT32_MAX
	       : each_ns > BURST_NS ? 1
				    : (uint32_t)(BURST_NS / each_ns);
}
