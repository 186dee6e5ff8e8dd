/* SPDX-License-Identifier: MIT */
/*
 * Options of a transport: key, value, key, value, ..., NULL, read by a table of rules
 * into the plugin's own struct. What is wrong is logged as one sentence that names the
 * key.
 */
#ifndef TRANSPORTS_COMMON_OPTION_LIST_H
#define TRANSPORTS_COMMON_OPTION_LIST_H

#include <e3/host.h>

struct option_list_rule {
	const char *key;
	size_t offset;              /* of a uint32_t, or of a char[text_bytes] */
	uint32_t min, max;          /* a number; or the index of a choice */
	const char *const *choices; /* NULL-terminated; the value becomes its index */
	size_t text_bytes;          /* > 0: text of at most text_bytes - 1 characters */
};

/* `rules` ends with .key = NULL. `options` may be NULL. 0, or -EINVAL having logged.
 * `out` keeps its values where no option says otherwise. */
int option_list_read(const struct e3_host *host, const char *transport,
    const struct option_list_rule *rules, const char *const *options, void *out);

/* As option_list_read(), without a host: -EINVAL with the sentence in `reason`. `scratch`
 * is what the rules' offsets are of. For e3_transport.options_check. */
int option_list_check(const char *transport, const struct option_list_rule *rules,
    const char *const *options, void *scratch, char *reason, size_t reason_bytes);

#endif
