/* SPDX-License-Identifier: MIT */
/* From what a result came: everything that is needed to run it again. */
#ifndef HARNESS_RESULT_PROVENANCE_H
#define HARNESS_RESULT_PROVENANCE_H

#include "harness/result/result.h"

/* {"versions","argv","seed","scenario":{"path","sha256","document"},"matrix":{"sha256",
 * "document"}|null,"inventory"}. Takes config->versions and
 * config->inventory. NULL when out of memory or a text is no JSON. */
struct cJSON *provenance_json(const struct result_config *config);

#endif
