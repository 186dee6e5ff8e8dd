/* SPDX-License-Identifier: MIT */
#include "harness/party/party.h"
#include "base/clock.h"
#include "engine/workload.h"
#include "harness/measure/pressure.h"
#include "harness/party/file_bytes.h"
#include "harness/party/idx_file.h"
#include "harness/party/state_folder.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define MODEL_BYTES_MAX (64u << 20)

struct inputs {
	unsigned char *model;
	struct idx_file images;
};

static int read_inputs(const struct party_plan *plan, struct inputs *inputs,
    struct workload_task *task, struct error *err)
{
	char path[PATH_MAX];
	int rc = 0;

	if (plan->model_file != NULL) {
		rc = state_folder_sibling(plan->model_file, path, sizeof(path), err);
		if (rc == 0)
			rc = file_bytes_read(path, MODEL_BYTES_MAX, &inputs->model,
			    &task->model_bytes, err);
		task->model = inputs->model;
	}
	if (rc == 0 && plan->images_file != NULL) {
		rc = state_folder_sibling(plan->images_file, path, sizeof(path), err);
		if (rc == 0)
			rc = idx_file_read(&inputs->images, path, plan->n_images, err);
		task->images = inputs->images.bytes;
	}
	/* Their number is public: parties without the file know it from the plan. */
	task->n_images = plan->n_images;
	if (rc == 0 && task->images != NULL &&
	    (inputs->images.n_items < plan->n_images || inputs->images.rows != 28 ||
		inputs->images.cols != 28))
		rc = error_set(err, -EINVAL,
		    "%s: %u images of %u x %u where %u of 28 x 28 are needed",
		    plan->images_file, inputs->images.n_items, inputs->images.rows,
		    inputs->images.cols, plan->n_images);
	return rc;
}

struct usage {
	struct rusage rusage;
	struct pressure_process scheduling, helpers; /* helpers: wireguard-go, say */
};

/* What a reading takes itself lies outside of the two: looking for helpers takes longest.
 */
static void usage_before(struct usage *out)
{
	*out = (struct usage){0};
	pressure_children("", 0, &out->helpers);
	pressure_process("", 0, &out->scheduling);
	getrusage(RUSAGE_SELF, &out->rusage);
}

static void usage_after(struct usage *out)
{
	*out = (struct usage){0};
	getrusage(RUSAGE_SELF, &out->rusage);
	pressure_process("", 0, &out->scheduling);
	pressure_children("", 0, &out->helpers);
}

static uint64_t timeval_ns(struct timeval t)
{
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_usec * 1000;
}

static void add_process(
    cJSON *report, const struct usage *before, const struct usage *after)
{
	cJSON *process = cJSON_AddObjectToObject(report, "process");

	cJSON_AddNumberToObject(process, "cpu_user_ns",
	    (double)(timeval_ns(after->rusage.ru_utime) -
		     timeval_ns(before->rusage.ru_utime)));
	cJSON_AddNumberToObject(process, "cpu_sys_ns",
	    (double)(timeval_ns(after->rusage.ru_stime) -
		     timeval_ns(before->rusage.ru_stime)));
	cJSON_AddNumberToObject(process, "helpers_cpu_ns",
	    after->helpers.cpu_ns > before->helpers.cpu_ns
		? (double)(after->helpers.cpu_ns - before->helpers.cpu_ns)
		: 0);
	cJSON_AddNumberToObject(
	    process, "rss_max_bytes", (double)after->rusage.ru_maxrss * 1024);
	cJSON_AddNumberToObject(process, "runqueue_ns",
	    (double)(after->scheduling.runqueue_ns - before->scheduling.runqueue_ns));
	cJSON_AddNumberToObject(process, "context_switches",
	    (double)(after->rusage.ru_nivcsw + after->rusage.ru_nvcsw -
		     before->rusage.ru_nivcsw - before->rusage.ru_nvcsw));
}

static void add_output(cJSON *report, const struct workload_output *output)
{
	cJSON *json = cJSON_AddObjectToObject(report, "output");
	cJSON *values = cJSON_AddArrayToObject(json, "values");

	for (uint32_t i = 0; i < output->n_values; i++)
		cJSON_AddItemToArray(
		    values, cJSON_CreateNumber((double)output->values[i]));
	cJSON_AddNumberToObject(json, "attempts", output->attempts);
}

static void add_facts(struct party *party, cJSON *report)
{
	char facts[2048] = "", *line, *rest = facts;
	cJSON *json = cJSON_AddObjectToObject(report, "facts");

	if (party->plugin->table.endpoint_facts == NULL ||
	    party->plugin->table.endpoint_facts(party->endpoint, facts, sizeof(facts)) <
		0)
		return;
	while ((line = strsep(&rest, "\n")) != NULL) {
		char *value = strchr(line, '=');

		if (value == NULL)
			continue;
		*value++ = '\0';
		cJSON_AddStringToObject(json, line, value);
	}
}

static void send_report(struct party *party, const struct workload_output *output,
    uint64_t run_ns, const struct usage *before)
{
	cJSON *report = party_message("report");
	struct usage after;

	usage_after(&after);
	cJSON_AddNumberToObject(report, "party", party->plan.self);
	cJSON_AddNumberToObject(
	    cJSON_AddObjectToObject(report, "phases_ns"), "run", (double)run_ns);
	add_process(report, before, &after);
	add_facts(party, report);
	add_output(report, output);
	cJSON_AddItemToObject(report, "channels", mesh_channels_json(party->mesh));
	cJSON_AddItemToObject(report, "measured", recorder_json(party->recorder));
	console_send(&party->console, report);
}

static int run_workload(struct party *party, const struct workload_task *task,
    struct workload_output *output, struct error *err)
{
	const struct workload *workload = workload_find(party->plan.workload);
	struct network *net = mesh_network(party->mesh);
	struct usage before;
	uint64_t began_ns, run_ns;
	int rc;

	if (workload == NULL)
		return error_set(err, -ENOTSUP, "no workload '%s' in this engine",
		    party->plan.workload);
	usage_before(&before);
	if (party->prober != NULL)
		prober_go(party->prober);
	began_ns = clock_monotonic_ns();
	recorder_cpu(party->recorder, clock_process_cpu_ns());
	recorder_phase(party->recorder, "run", began_ns);
	rc = workload->run(net, task, output, err);
	if (rc == 0)
		rc = network_flush(net, err);
	run_ns = clock_monotonic_ns() - began_ns;
	recorder_cpu(party->recorder, clock_process_cpu_ns());
	recorder_finish(party->recorder, clock_monotonic_ns());
	if (party->prober != NULL)
		prober_quiet(party->prober);
	if (rc == 0)
		send_report(party, output, run_ns, &before);
	return rc;
}

int party_work(struct party *party, struct error *err)
{
	struct workload_output *output = calloc(1, sizeof(*output));
	struct inputs inputs = {0};
	struct workload_task task = {
	    .size = party->plan.size,
	    .mode = party->plan.mode,
	    .field_bits = party->plan.field_bits,
	    .seed = party->plan.seed,
	};
	int rc = output == NULL ? error_set(err, -ENOMEM, "out of memory")
				: read_inputs(&party->plan, &inputs, &task, err);

	if (rc == 0)
		rc = run_workload(party, &task, output, err);
	free(inputs.model);
	idx_file_finish(&inputs.images);
	free(output);
	return rc;
}
