/* SPDX-License-Identifier: MIT */
/* Run a loop until something has happened or a deadline has passed. */
#ifndef HARNESS_LINK_LOOP_WAIT_H
#define HARNESS_LINK_LOOP_WAIT_H

#include <stdint.h>
#include <uv.h>

/* Runs `loop` until is_done(user) is true (asked after every turn): 0, or -ETIMEDOUT. */
int loop_wait(
    uv_loop_t *loop, uint64_t deadline_ms, int (*is_done)(void *user), void *user);

#endif
