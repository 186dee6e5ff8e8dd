/* SPDX-License-Identifier: MIT */
#include "harness/scenario/inventory.h"

#include "harness/scenario/json_reader.h"

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#define SCHEMA       "e3/inventory/v1"
#define HOST_KEY     "ssh-ed25519 "
#define SECRET_FILE  "file:"
#define SSH_PORT     22
#define BASE64_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="

static int read_address(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
	const char *text = cJSON_GetStringValue(at->value);
	unsigned char numeric[16];

	if (text == NULL || strlen(text) >= rule->bytes ||
	    (inet_pton(AF_INET, text, numeric) != 1 &&
		inet_pton(AF_INET6, text, numeric) != 1))
		return json_error(at, err,
		    "expected a numeric address, \"203.0.113.7\" or \"2001:db8::7\"");
	strcpy(field, text);
	return 0;
}

static int read_host_key(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
	const char *text = cJSON_GetStringValue(at->value);
	size_t head = strlen(HOST_KEY);

	if (text == NULL || strncmp(text, HOST_KEY, head) != 0 ||
	    strlen(text) >= rule->bytes || text[head] == '\0' ||
	    text[head + strspn(text + head, BASE64_CHARS)] != '\0')
		return json_error(at, err,
		    "expected \"ssh-ed25519 AAAA...\", as in /etc/ssh/"
		    "ssh_host_ed25519_key.pub of the host, without the comment");
	strcpy(field, text);
	return 0;
}

static int read_user(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
	const char *text = cJSON_GetStringValue(at->value);
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_.-";

	if (text == NULL || text[0] == '\0' || strlen(text) >= rule->bytes ||
	    text[strspn(text, allowed)] != '\0' || text[0] == '-')
		return json_error(at, err,
		    "expected the name of an account (lower-case letters, digits and "
		    "\"_.-\")");
	strcpy(field, text);
	return 0;
}

static int read_backend(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
	const char *text = cJSON_GetStringValue(at->value);

	(void)rule;
	if (text == NULL || (strcmp(text, "ssh") != 0 && strcmp(text, "emulated") != 0))
		return json_error(at, err, "expected \"ssh\" or \"emulated\"");
	strcpy(field, text);
	return 0;
}

static int read_secret(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
	const char *text = cJSON_GetStringValue(at->value);
	size_t head = strlen(SECRET_FILE);

	if (text == NULL || strncmp(text, SECRET_FILE, head) != 0 || text[head] == '\0' ||
	    strlen(text + head) >= rule->bytes)
		return json_error(
		    at, err, "expected \"file:PATH\": secrets stand elsewhere");
	strcpy(field, text + head);
	return 0;
}

static int read_identity(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
	const struct json_rule rules[] = {
	    {.key = "secret_ref",
		.is_required = 1,
		.read = read_secret,
		.bytes = rule->bytes},
	    {0},
	};

	return json_read_object(at, rules, field, err);
}

#define HOST(name)                                                                       \
	.offset = offsetof(struct inventory_host, name),                                 \
	.bytes = sizeof(((struct inventory_host *)NULL)->name)

static int read_host(const struct json_scope *at, void *into, struct error *err)
{
	static const struct json_rule rules[] = {
	    {.key = "name", .is_required = 1, .read = json_read_name, HOST(name)},
	    {.key = "region", .read = json_read_name, HOST(region)},
	    {.key = "address", .read = read_address, HOST(address)},
	    {.key = "port", .read = json_read_u32, HOST(port), .min = 1, .max = 65535},
	    {.key = "user", .read = read_user, HOST(user)},
	    {.key = "host_key", .read = read_host_key, HOST(host_key)},
	    {0},
	};
	struct inventory *inventory = into;
	struct inventory_host *host = &inventory->hosts[inventory->n_hosts];
	int rc;

	host->port = SSH_PORT;
	rc = json_read_object(at, rules, host, err);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < inventory->n_hosts; i++)
		if (strcmp(inventory->hosts[i].name, host->name) == 0)
			return json_error(
			    at, err, "the host '%s' stands here twice", host->name);
	inventory->n_hosts++;
	return 0;
}

static int read_hosts(const struct json_scope *at, const struct json_rule *rule,
    void *field, struct error *err)
{
	(void)rule;
	return json_read_array(at, 1, INVENTORY_HOSTS_MAX, read_host, field, err);
}

#define FIELD(name)                                                                      \
	.offset = offsetof(struct inventory, name),                                      \
	.bytes = sizeof(((struct inventory *)NULL)->name)

static const struct json_rule inventory_rules[] = {
    {.key = "$schema", .is_required = 1, .read = json_read_constant, .expect = SCHEMA},
    {.key = "backend", .is_required = 1, .read = read_backend, FIELD(backend)},
    {.key = "identity", .read = read_identity, FIELD(identity_path)},
    {.key = "up", .read = json_read_name, FIELD(up)},
    {.key = "hosts", .is_required = 1, .read = read_hosts},
    {0},
};

/* A host that is reached over SSH says how. */
static int check_reachable(
    const struct json_scope *root, const struct inventory *inventory, struct error *err)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(root->value, "hosts");
	struct json_scope hosts = json_member(root, member);

	if (strcmp(inventory->backend, "ssh") != 0)
		return 0;
	for (uint32_t i = 0; i < inventory->n_hosts; i++) {
		const struct inventory_host *host = &inventory->hosts[i];
		const char *missing = host->address[0] == '\0'    ? "address"
				      : host->user[0] == '\0'     ? "user"
				      : host->host_key[0] == '\0' ? "host_key"
								  : NULL;
		struct json_scope at =
		    json_item(&hosts, cJSON_GetArrayItem(member, (int)i), i);

		if (missing != NULL)
			return json_error(&at, err, "the key '%s' is missing", missing);
	}
	return 0;
}

int inventory_read(const char *path, struct inventory *out, struct error *err)
{
	struct json_document document = {0};
	struct inventory inventory = {0};
	struct json_scope root;
	int rc = json_document_read(path, &document, err);

	if (rc < 0)
		return rc;
	root = json_root(&document);
	rc = json_read_object(&root, inventory_rules, &inventory, err);
	if (rc == 0)
		rc = check_reachable(&root, &inventory, err);
	if (rc == 0)
		*out = inventory;
	json_document_finish(&document);
	return rc;
}

static cJSON *host_json(const struct inventory_host *host)
{
	cJSON *json = cJSON_CreateObject();

	cJSON_AddStringToObject(json, "name", host->name);
	if (host->region[0] != '\0')
		cJSON_AddStringToObject(json, "region", host->region);
	if (host->address[0] == '\0')
		return json;
	cJSON_AddStringToObject(json, "address", host->address);
	cJSON_AddNumberToObject(json, "port", host->port);
	cJSON_AddStringToObject(json, "user", host->user);
	cJSON_AddStringToObject(json, "host_key", host->host_key);
	return json;
}

struct cJSON *inventory_json(const struct inventory *inventory)
{
	char secret[sizeof(inventory->identity_path) + sizeof(SECRET_FILE)];
	cJSON *json = cJSON_CreateObject(), *hosts;

	cJSON_AddStringToObject(json, "$schema", SCHEMA);
	cJSON_AddStringToObject(json, "backend", inventory->backend);
	if (inventory->identity_path[0] != '\0') {
		snprintf(
		    secret, sizeof(secret), SECRET_FILE "%s", inventory->identity_path);
		cJSON_AddStringToObject(
		    cJSON_AddObjectToObject(json, "identity"), "secret_ref", secret);
	}
	if (inventory->up[0] != '\0')
		cJSON_AddStringToObject(json, "up", inventory->up);
	hosts = cJSON_AddArrayToObject(json, "hosts");
	for (uint32_t i = 0; i < inventory->n_hosts; i++)
		cJSON_AddItemToArray(hosts, host_json(&inventory->hosts[i]));
	return json;
}
