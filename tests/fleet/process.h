/* SPDX-License-Identifier: MIT */
/* Other processes, as /proc/PID/stat tells of them, and the time to wait for them. */
#ifndef TESTS_FLEET_PROCESS_H
#define TESTS_FLEET_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define WAIT_MS 30000

uint64_t test_now_ms(void);

/* 0 when there is no such process. */
pid_t process_parent(pid_t pid);

/* Wait until the process has ended, be it buried or not; false after WAIT_MS. */
bool process_gone(pid_t pid);
/* Wait until it sleeps in the kernel, as in pause(); false after WAIT_MS. */
bool process_asleep(pid_t pid);

#endif
