/* SPDX-License-Identifier: MIT */
/* A made-up result with a bit of everything: four parties, two transports, two workloads,
 * taints, an unsupported and a failed cell. The same every time, but for times and name.
 */
#ifndef TESTS_RESULT_MADE_DOCUMENT_H
#define TESTS_RESULT_MADE_DOCUMENT_H

#include "harness/result/result.h"

/* Aborts on failure. The caller finishes or destroys it. */
struct result *made_document(const char *folder);

#endif
