/* SPDX-License-Identifier: MIT */
#include "engine/cnn_gather.h"

#include <string.h>

#define KERNEL 5u
#define REACH  (KERNEL / 2)

struct cnn_place cnn_gather_place(size_t position, uint32_t n_images, uint32_t side)
{
	const uint32_t half = side / 2;
	const size_t quarter = (size_t)half * half, group = quarter * n_images;
	const uint32_t parity = (uint32_t)(position / group);
	const size_t within = position % group % quarter;

	return (struct cnn_place){
	    .image = (uint32_t)(position % group / quarter),
	    .y = 2 * (uint32_t)(within / half) + parity / 2,
	    .x = 2 * (uint32_t)(within % half) + parity % 2,
	};
}

void cnn_gather_column(uint64_t *out, const uint64_t *images, struct cnn_place place,
    uint32_t side, uint32_t n_channels, uint32_t limbs)
{
	const size_t pixel = (size_t)n_channels * limbs;
	const uint64_t *image = images + (size_t)place.image * side * side * pixel;
	const uint32_t first = place.x < REACH ? REACH - place.x : 0;
	const uint32_t end = place.x + REACH < side ? KERNEL : side + REACH - place.x;

	for (uint32_t ky = 0; ky < KERNEL; ky++, out += KERNEL * pixel) {
		const uint32_t y = place.y + ky; /* REACH below where it is */

		if (y < REACH || y >= side + REACH) {
			memset(out, 0, KERNEL * pixel * sizeof *out);
			continue;
		}
		memset(out, 0, first * pixel * sizeof *out);
		memcpy(out + first * pixel,
		    image +
			((size_t)(y - REACH) * side + place.x + first - REACH) * pixel,
		    (end - first) * pixel * sizeof *out);
		memset(out + end * pixel, 0, (KERNEL - end) * pixel * sizeof *out);
	}
}
