/* SPDX-License-Identifier: MIT */
/* Which E3 this is: the project's version and, built in a git work tree, its commit. */
#ifndef HARNESS_COMMAND_VERSION_H
#define HARNESS_COMMAND_VERSION_H

const char *version_number(void); /* "0.1.0" */
const char *version_commit(void); /* "f799179", "f799179-dirty", "unknown" */
const char *version_text(void);   /* "0.1.0 (f799179)" */

#endif
