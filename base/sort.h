/* SPDX-License-Identifier: MIT */
#ifndef BASE_SORT_H
#define BASE_SORT_H

#include <stddef.h>
#include <stdint.h>

/* Smallest first, in place. */
void sort_u64(uint64_t *values, size_t n);

#endif
