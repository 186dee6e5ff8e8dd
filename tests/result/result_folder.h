/* SPDX-License-Identifier: MIT */
/* Results of made-up runs in a folder of their own. */
#ifndef TESTS_RESULT_FOLDER_H
#define TESTS_RESULT_FOLDER_H

#include "harness/result/result.h"

#include <stdint.h>

/* cmocka set-up and tear-down: a fresh folder, and its end. */
int result_folder_make(void **state);
int result_folder_remove(void **state);
/* Its path. */
const char *result_folder(void);

/* Files in `path` whose names begin with no dot; 0 if it can't be read. */
uint32_t result_folder_files(const char *path);
/* A result of two hosts, in `where`; NULL and `err` if that can't be. */
struct result *result_folder_create(const char *where, struct error *err);
/* Three blocks of 17 rounds at 20 ms, among three parties, with 1, 2, 3 ms of work. */
void result_folder_add_blocks(struct result *r, const char *transport);

#endif
