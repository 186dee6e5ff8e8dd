/* SPDX-License-Identifier: MIT */
#include "harness/measure/taint.h"

#include "base/units.h"

#include <cjson/cJSON.h>
#include <stdio.h>

#define SENTENCE_BYTES 256

struct taint_rule {
	const char *code;
	enum taint_unit unit;
	double limit;
};

static const struct taint_rule rules[] = {
#define TAINT_RULE(name, code, unit, limit, sentence) {code, unit, limit},
    TAINTS(TAINT_RULE)
#undef TAINT_RULE
};

double taint_limit(enum taint_code code)
{
	return rules[code].limit;
}

static char *value_text(char *out, enum taint_unit unit, double value)
{
	switch (unit) {
	case TAINT_SHARE:
		snprintf(out, UNITS_TEXT_BYTES, "%.*f %%", value < 0.0995 ? 1 : 0,
		    value * 100);
		break;
	case TAINT_NS:
		units_duration(out, (uint64_t)value);
		break;
	case TAINT_COUNT:
		snprintf(out, UNITS_TEXT_BYTES, "%.0f", value);
		break;
	}
	return out;
}

/* One printf a code, so that the compiler checks every sentence. */
static void sentence_of(
    char *out, enum taint_code code, const char *value, const char *limit)
{
	switch (code) {
#define TAINT_SENTENCE(name, text, unit, bound, sentence)                                \
	case TAINT_##name:                                                               \
		snprintf(out, SENTENCE_BYTES, sentence, value, limit);                   \
		break;
		TAINTS(TAINT_SENTENCE)
#undef TAINT_SENTENCE
	case TAINT_CODES:
		break;
	}
}

int taint_check_limit(
    cJSON *taints, enum taint_code code, double value, double limit, const char *of)
{
	char value_is[UNITS_TEXT_BYTES], limit_is[UNITS_TEXT_BYTES];
	char words[SENTENCE_BYTES], sentence[2 * SENTENCE_BYTES];
	cJSON *taint;

	if (!(value > limit))
		return 0;
	sentence_of(words, code, value_text(value_is, rules[code].unit, value),
	    value_text(limit_is, rules[code].unit, limit));
	snprintf(sentence, sizeof(sentence), "%s%s%s", of == NULL ? "" : of,
	    of == NULL ? "" : ": ", words);
	taint = cJSON_CreateObject();
	cJSON_AddStringToObject(taint, "code", rules[code].code);
	cJSON_AddNumberToObject(taint, "value", value);
	cJSON_AddNumberToObject(taint, "limit", limit);
	if (of == NULL)
		cJSON_AddNullToObject(taint, "of");
	else
		cJSON_AddStringToObject(taint, "of", of);
	cJSON_AddStringToObject(taint, "sentence", sentence);
	cJSON_AddItemToArray(taints, taint);
	return 1;
}

int taint_check(cJSON *taints, enum taint_code code, double value, const char *of)
{
	return taint_check_limit(taints, code, value, taint_limit(code), of);
}
