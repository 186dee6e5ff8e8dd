/* SPDX-License-Identifier: MIT */
#include "transports/common/option_list.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_BYTES 400

static void add_name(char names[NAMES_BYTES], const char *name)
{
	size_t used = strlen(names);

	snprintf(names + used, NAMES_BYTES - used, "%s%s", used > 0 ? ", " : "", name);
}

static int unknown_key(const struct e3_host *host, const char *transport,
    const struct option_list_rule *rules, const char *key)
{
	char names[NAMES_BYTES] = "";

	for (; rules->key != NULL; rules++)
		add_name(names, rules->key);
	host->log(host->ctx, E3_LOG_ERROR,
	    "transport %s has no option '%.64s'; it has: %s", transport, key,
	    names[0] != '\0' ? names : "none");
	return -EINVAL;
}

static int read_choice(const struct e3_host *host, const char *transport,
    const struct option_list_rule *rule, const char *value, uint32_t *out)
{
	char names[NAMES_BYTES] = "";

	for (uint32_t i = 0; rule->choices[i] != NULL; i++) {
		if (strcmp(rule->choices[i], value) == 0) {
			*out = i;
			return 0;
		}
		add_name(names, rule->choices[i]);
	}
	host->log(host->ctx, E3_LOG_ERROR,
	    "transport %s: option %s is '%.64s', must be one of: %s", transport,
	    rule->key, value, names);
	return -EINVAL;
}

static int read_number(const struct e3_host *host, const char *transport,
    const struct option_list_rule *rule, const char *value, uint32_t *out)
{
	size_t digits = strspn(value, "0123456789");
	unsigned long number = strtoul(value, NULL, 10);

	if (digits == 0 || digits > 10 || value[digits] != '\0' || number < rule->min ||
	    number > rule->max) {
		host->log(host->ctx, E3_LOG_ERROR,
		    "transport %s: option %s is '%.64s', must be a whole number from %u "
		    "to "
		    "%u",
		    transport, rule->key, value, rule->min, rule->max);
		return -EINVAL;
	}
	*out = (uint32_t)number;
	return 0;
}

static int read_text(const struct e3_host *host, const char *transport,
    const struct option_list_rule *rule, const char *value, char *out)
{
	if (strlen(value) >= rule->text_bytes) {
		host->log(host->ctx, E3_LOG_ERROR,
		    "transport %s: option %s has more than %zu characters", transport,
		    rule->key, rule->text_bytes - 1);
		return -EINVAL;
	}
	strcpy(out, value);
	return 0;
}

static int read_one(const struct e3_host *host, const char *transport,
    const struct option_list_rule *rules, const char *key, const char *value, void *out)
{
	const struct option_list_rule *rule = rules;
	char *at;

	while (rule->key != NULL && strcmp(rule->key, key) != 0)
		rule++;
	if (rule->key == NULL)
		return unknown_key(host, transport, rules, key);
	at = (char *)out + rule->offset;
	if (rule->text_bytes > 0)
		return read_text(host, transport, rule, value, at);
	if (rule->choices != NULL)
		return read_choice(host, transport, rule, value, (uint32_t *)(void *)at);
	return read_number(host, transport, rule, value, (uint32_t *)(void *)at);
}

int option_list_read(const struct e3_host *host, const char *transport,
    const struct option_list_rule *rules, const char *const *options, void *out)
{
	for (; options != NULL && options[0] != NULL; options += 2) {
		int rc;

		if (options[1] == NULL) {
			host->log(host->ctx, E3_LOG_ERROR,
			    "transport %s: option %.64s has no value", transport,
			    options[0]);
			return -EINVAL;
		}
		rc = read_one(host, transport, rules, options[0], options[1], out);
		if (rc < 0)
			return rc;
	}
	return 0;
}

struct reason {
	char *text;
	size_t bytes;
};

__attribute__((format(printf, 3, 4))) static void keep_reason(
    void *ctx, uint32_t level, const char *fmt, ...)
{
	const struct reason *reason = ctx;
	va_list args;

	(void)level;
	va_start(args, fmt);
	vsnprintf(reason->text, reason->bytes, fmt, args);
	va_end(args);
}

int option_list_check(const char *transport, const struct option_list_rule *rules,
    const char *const *options, void *scratch, char *reason, size_t reason_bytes)
{
	struct reason kept = {.text = reason, .bytes = reason_bytes};
	const struct e3_host host = {
	    .struct_size = sizeof(host), .ctx = &kept, .log = keep_reason};

	return option_list_read(&host, transport, rules, options, scratch);
}
