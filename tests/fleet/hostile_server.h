/* SPDX-License-Identifier: MIT */
/* A TCP server that is no sshd, in a process of its own. */
#ifndef TESTS_FLEET_HOSTILE_SERVER_H
#define TESTS_FLEET_HOSTILE_SERVER_H

#include <stdint.h>
#include <sys/types.h>

enum hostile_manner {
	HOSTILE_SILENT,         /* accepts, says nothing */
	HOSTILE_DEAF,           /* listens, never accepts */
	HOSTILE_HANGS_UP,       /* closes what it accepts */
	HOSTILE_BANNER_ONLY,    /* an SSH banner, then nothing */
	HOSTILE_BANNER_HANG_UP, /* an SSH banner, then closes */
	HOSTILE_BANNER_ENDLESS, /* lines without end, none of them SSH */
	HOSTILE_LINE_ENDLESS,   /* one line without end */
	HOSTILE_GARBAGE,        /* random bytes without end */
	HOSTILE_BANNER_GARBAGE, /* an SSH banner, then random bytes without end */
	HOSTILE_HUGE_PACKET,    /* an SSH banner, then a packet of 4 GiB */
	HOSTILE_MANNERS
};

/* Listens on 127.0.0.1; ends with the caller's process, or when killed. */
pid_t hostile_server_start(enum hostile_manner manner, uint16_t port);
void hostile_server_stop(pid_t pid);

#endif
