/* SPDX-License-Identifier: MIT */
#include "harness/link/loop_wait.h"

#include <errno.h>

struct alarm {
	uv_timer_t timer;
	int has_rung, is_closed;
};

static void on_alarm(uv_timer_t *timer)
{
	((struct alarm *)timer->data)->has_rung = 1;
}

static void on_closed(uv_handle_t *handle)
{
	((struct alarm *)handle->data)->is_closed = 1;
}

int loop_wait(
    uv_loop_t *loop, uint64_t deadline_ms, int (*is_done)(void *user), void *user)
{
	struct alarm alarm = {.timer.data = NULL};

	if (is_done(user))
		return 0;
	uv_timer_init(loop, &alarm.timer);
	alarm.timer.data = &alarm;
	uv_update_time(loop);
	uv_timer_start(&alarm.timer, on_alarm, deadline_ms, 0);
	while (!is_done(user) && !alarm.has_rung)
		uv_run(loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&alarm.timer, on_closed);
	while (!alarm.is_closed)
		uv_run(loop, UV_RUN_NOWAIT);
	return is_done(user) ? 0 : -ETIMEDOUT;
}
