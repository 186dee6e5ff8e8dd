/* SPDX-License-Identifier: MIT */
#include "harness/party/party_message.h"
#include "base/bytes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const fault_texts[] = {
#define PARTY_FAULT_TEXT(name, text) [PARTY_FAULT_##name] = text,
    PARTY_FAULTS(PARTY_FAULT_TEXT)
#undef PARTY_FAULT_TEXT
};

const char *party_fault_text(enum party_fault fault)
{
	return fault_texts[fault];
}

enum party_fault party_fault_parse(const char *text)
{
	for (size_t i = 0; i < sizeof(fault_texts) / sizeof(*fault_texts); i++)
		if (strcmp(fault_texts[i], text) == 0)
			return (enum party_fault)i;
	return PARTY_FAULT_FAILED;
}

enum party_fault party_fault_of(int code)
{
	switch (code) {
	case -ENOTSUP:
		return PARTY_FAULT_UNSUPPORTED;
	case -ETIMEDOUT:
		return PARTY_FAULT_TIMEOUT;
	case -ECONNRESET:
		return PARTY_FAULT_LOST;
	case -ECANCELED:
		return PARTY_FAULT_CANCELLED;
	default:
		return PARTY_FAULT_FAILED;
	}
}

cJSON *party_message(const char *type)
{
	cJSON *message = cJSON_CreateObject();

	if (message != NULL)
		cJSON_AddStringToObject(message, "t", type);
	return message;
}

const char *party_message_text(const cJSON *message, const char *key, struct error *err)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(message, key);

	if (!cJSON_IsString(item)) {
		error_set(err, -EPROTO, "message lacks the text '%s'", key);
		return NULL;
	}
	return item->valuestring;
}

int party_message_number(
    const cJSON *message, const char *key, uint64_t max, uint64_t *out, struct error *err)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(message, key);

	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) ||
	    item->valuedouble > (double)max ||
	    item->valuedouble != floor(item->valuedouble))
		return error_set(err, -EPROTO,
		    "message lacks the number '%s' (0 .. %llu)", key,
		    (unsigned long long)max);
	*out = (uint64_t)item->valuedouble;
	return 0;
}

void party_message_set_bytes(
    cJSON *message, const char *key, const void *bytes, size_t len)
{
	char *text = malloc(BYTES_BASE64_CHARS(len) + 1);

	if (text == NULL)
		return;
	bytes_to_base64(text, bytes, len);
	cJSON_AddStringToObject(message, key, text);
	free(text);
}

int64_t party_message_bytes(
    const cJSON *message, const char *key, void *out, size_t max, struct error *err)
{
	const char *text = party_message_text(message, key, err);
	int64_t len;

	if (text == NULL)
		return -EPROTO;
	len = bytes_from_base64(out, max, text);
	if (len < 0)
		return error_set(
		    err, -EPROTO, "'%s' is no base64 of at most %zu bytes", key, max);
	return len;
}
