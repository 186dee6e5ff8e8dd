/* SPDX-License-Identifier: MIT */
/* Words for a remote shell: every byte arrives as it is, whatever the user's shell. */
#ifndef HARNESS_FLEET_QUOTE_H
#define HARNESS_FLEET_QUOTE_H

/* The words, NULL-terminated, as one line for a shell; plain words stay bare, so that
 * `exec` keeps its meaning. To be freed; NULL when out of memory. */
char *quote_words(const char *const *words);

#endif
