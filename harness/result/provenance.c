/* SPDX-License-Identifier: MIT */
#include "harness/result/provenance.h"

#include "base/bytes.h"
#include "harness/result/clean_text.h"

#include <cjson/cJSON.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define EXACT_MAX (UINT64_C(1) << 53)

/* The text as a document, and the hash of its bytes; null for no text. */
static int add_document(cJSON *json, const char *key, const char *path, const char *text)
{
	unsigned char digest[32];
	char hex[2 * sizeof(digest) + 1];
	cJSON *object, *document;

	if (text == NULL)
		return cJSON_AddNullToObject(json, key) != NULL;
	document = cJSON_Parse(text);
	if (document == NULL ||
	    EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL) != 1) {
		cJSON_Delete(document);
		return 0;
	}
	bytes_to_hex(hex, digest, sizeof(digest));
	object = cJSON_AddObjectToObject(json, key);
	if (path != NULL)
		cJSON_AddStringToObject(object, "path", path);
	cJSON_AddStringToObject(object, "sha256", hex);
	return cJSON_AddItemToObject(object, "document", document);
}

/* As text where a JSON number would not hold it. */
static void add_seed(cJSON *json, uint64_t seed)
{
	char text[24];

	if (seed <= EXACT_MAX) {
		cJSON_AddNumberToObject(json, "seed", (double)seed);
		return;
	}
	snprintf(text, sizeof(text), "%llu", (unsigned long long)seed);
	cJSON_AddStringToObject(json, "seed", text);
}

cJSON *provenance_json(const struct result_config *config)
{
	cJSON *json = cJSON_CreateObject(), *argv;

	cJSON_AddItemToObject(json, "versions", config->versions);
	argv = cJSON_AddArrayToObject(json, "argv");
	for (char *const *at = config->argv; *at != NULL; at++)
		cJSON_AddItemToArray(argv, cJSON_CreateString(*at));
	add_seed(json, config->seed);
	cJSON_AddItemToObject(json, "inventory", config->inventory);
	if (!add_document(
		json, "scenario", config->scenario_path, config->scenario_text) ||
	    !add_document(json, "matrix", NULL, config->matrix_text)) {
		cJSON_Delete(json);
		return NULL;
	}
	/* A command line and a path are any bytes. */
	return clean_text_json(json);
}
