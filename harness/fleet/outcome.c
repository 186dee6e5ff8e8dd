/* SPDX-License-Identifier: MIT */
#include "harness/fleet/outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const texts[] = {
#define OUTCOME_TEXT(name, text) [OUTCOME_##name] = text,
    OUTCOMES(OUTCOME_TEXT)
#undef OUTCOME_TEXT
};

static const int codes[] = {
    [OUTCOME_OK] = 0,
    [OUTCOME_EXIT] = -EREMOTEIO,
    [OUTCOME_SIGNAL] = -EREMOTEIO,
    [OUTCOME_TIMEOUT] = -ETIMEDOUT,
    [OUTCOME_UNREACHABLE] = -EHOSTUNREACH,
    [OUTCOME_AUTH] = -EACCES,
    [OUTCOME_HOSTKEY] = -EKEYREJECTED,
    [OUTCOME_LOST] = -ECONNRESET,
    [OUTCOME_CANCELLED] = -ECANCELED,
    [OUTCOME_SKIPPED] = -ECANCELED,
};

char *outcome_text(const struct outcome *outcome, char *out)
{
	const char *text = texts[outcome->kind];

	if (outcome->kind == OUTCOME_EXIT || outcome->kind == OUTCOME_SIGNAL)
		snprintf(out, 24, "%s:%d", text, outcome->number);
	else
		snprintf(out, 24, "%s", text);
	return out;
}

void outcome_set(
    struct outcome *outcome, enum outcome_kind kind, int number, const char *fmt, ...)
{
	va_list args;

	memset(outcome, 0, sizeof(*outcome));
	outcome->kind = kind;
	outcome->number = number;
	outcome->error.code = codes[kind];
	if (kind == OUTCOME_OK)
		return;
	va_start(args, fmt);
	vsnprintf(outcome->error.text, sizeof(outcome->error.text), fmt, args);
	va_end(args);
}

void stderr_tail_add(struct stderr_tail *tail, const char *bytes, size_t len)
{
	size_t kept;

	if (len > STDERR_TAIL_BYTES) {
		bytes += len - STDERR_TAIL_BYTES;
		len = STDERR_TAIL_BYTES;
	}
	kept = tail->len;
	if (kept > STDERR_TAIL_BYTES - len)
		kept = STDERR_TAIL_BYTES - len;
	memmove(tail->text, tail->text + tail->len - kept, kept);
	for (size_t i = 0; i < len; i++)
		tail->text[kept + i] = (char)(bytes[i] ? bytes[i] : '?');
	tail->len = kept + len;
	tail->text[tail->len] = '\0';
}

void stderr_tail_last_line(const struct stderr_tail *tail, char *out, size_t out_bytes)
{
	size_t end = tail->len, begin;

	while (end > 0 && strchr(" \t\r\n", tail->text[end - 1]))
		end--;
	begin = end;
	while (begin > 0 && tail->text[begin - 1] != '\n')
		begin--;
	snprintf(out, out_bytes, "%.*s", (int)(end - begin), tail->text + begin);
}
