/* SPDX-License-Identifier: MIT */
#include "harness/control/run_report.h"
#include "harness/command/version.h"
#include "harness/control/run.h"
#include "harness/measure/environment.h"
#include "harness/result/clean_text.h"
#include "harness/result/summary.h"

#include <cjson/cJSON.h>
#include <gmp.h>
#include <libssh2.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <unistd.h>
#include <uv.h>
#include <zlib.h>

/* What hosts run beside E3's own program; a missing one is left out. */
static void add_programs(cJSON *versions)
{
	static const char *const ssh[] = {"ssh", "-V", NULL};
	static const char *const wg[] = {"wg", "--version", NULL};
	static const char *const wireguard_go[] = {"wireguard-go", "--version", NULL};
	cJSON *program, *next;

	environment_add_tool(versions, "openssh", ssh);
	environment_add_tool(versions, "wireguard-tools", wg);
	environment_add_tool(versions, "wireguard-go", wireguard_go);
	for (program = versions->child; program != NULL; program = next) {
		next = program->next;
		if (!cJSON_IsString(program))
			cJSON_Delete(cJSON_DetachItemViaPointer(versions, program));
	}
}

cJSON *run_versions(void)
{
	cJSON *versions = cJSON_CreateObject();

	cJSON_AddStringToObject(versions, "e3", version_text());
	cJSON_AddStringToObject(versions, "compiler", __VERSION__);
	cJSON_AddStringToObject(versions, "libuv", uv_version_string());
	cJSON_AddStringToObject(versions, "libssh2", libssh2_version(0));
	cJSON_AddStringToObject(versions, "cjson", cJSON_Version());
	cJSON_AddStringToObject(versions, "gmp", gmp_version);
	cJSON_AddStringToObject(
	    versions, "openssl", OpenSSL_version(OPENSSL_VERSION_STRING));
	cJSON_AddStringToObject(versions, "zlib", zlibVersion());
	add_programs(versions);
	return versions;
}

static void print_json(const cJSON *document, const char *path)
{
	cJSON *summary = summary_json(document, path);
	char *text = cJSON_Print(clean_text_json(summary));

	if (text != NULL)
		puts(text);
	cJSON_free(text);
	cJSON_Delete(summary);
}

void run_report_print(const cJSON *document, const char *path, int is_json)
{
	struct terminal terminal;

	if (is_json) {
		print_json(document, path);
		return;
	}
	terminal_detect(STDOUT_FILENO, &terminal);
	summary_print(document, path, stdout, &terminal);
}

void run_report(struct run *run, int is_written)
{
	run_report_print(result_document(run->result),
	    is_written ? result_path(run->result) : NULL, run->options->is_json);
}
