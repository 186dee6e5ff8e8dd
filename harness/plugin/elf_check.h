/* SPDX-License-Identifier: MIT */
/*
 * Whether a file can be a whole shared object of this machine. dlopen() maps segments
 * without comparing them with the file's size: half a file would end the process by
 * SIGBUS.
 */
#ifndef HARNESS_PLUGIN_ELF_CHECK_H
#define HARNESS_PLUGIN_ELF_CHECK_H

#include "base/error.h"

/* 0, the errno of opening or reading it, or -EPROTO with a sentence that names the file.
 */
int elf_check(const char *path, struct error *err);

#endif
