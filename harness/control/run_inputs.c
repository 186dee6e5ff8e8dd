/* SPDX-License-Identifier: MIT */
#include "harness/control/run_inputs.h"
#include "harness/command/home.h"
#include "harness/party/file_bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODEL_BYTES_MAX (64u << 20)

static const char *const image_names[] = {"t10k-images-idx3-ubyte",
    "t10k-images-idx3-ubyte.gz", "t10k-images.idx3-ubyte", "train-images-idx3-ubyte",
    "train-images-idx3-ubyte.gz", "train-images.idx3-ubyte"};

static int find_images(struct run_inputs *inputs, const char *folder, struct error *err)
{
	for (size_t i = 0; i < sizeof(image_names) / sizeof(*image_names); i++) {
		snprintf(inputs->images_path, sizeof(inputs->images_path), "%s/%s",
		    folder, image_names[i]);
		if (access(inputs->images_path, R_OK) == 0)
			return 0;
	}
	return error_set(err, -ENOENT,
	    "--mnist %s: no MNIST images there (looked for t10k-images-idx3-ubyte and "
	    "train-images-idx3-ubyte, also .gz)",
	    folder);
}

static int own_file(const char *name, char *out, struct error *err)
{
	char home[PATH_MAX];
	int rc = home_folder(home, err);

	if (rc == 0 &&
	    (size_t)snprintf(out, PATH_MAX, "%s/data/cnn/%s", home, name) >= PATH_MAX)
		rc = error_set(
		    err, -ENAMETOOLONG, "%s/data/cnn/%s: path too long", home, name);
	return rc;
}

int run_inputs_read(struct run_inputs *inputs, const char *mnist_folder,
    uint32_t max_images, struct error *err)
{
	int rc = own_file("model.bin", inputs->model_path, err);

	if (rc == 0)
		rc = file_bytes_read(inputs->model_path, MODEL_BYTES_MAX, &inputs->model,
		    &inputs->model_bytes, err);
	if (rc == 0)
		rc = mnist_folder != NULL
			 ? find_images(inputs, mnist_folder, err)
			 : own_file("digits.idx", inputs->images_path, err);
	if (rc == 0)
		rc = idx_file_read(&inputs->images, inputs->images_path, max_images, err);
	if (rc == 0 && (inputs->images.rows != 28 || inputs->images.cols != 28))
		rc = error_set(err, -EINVAL, "%s: images of %u x %u, not 28 x 28",
		    inputs->images_path, inputs->images.rows, inputs->images.cols);
	if (rc == 0 && inputs->images.n_items < max_images)
		rc = error_set(err, -EINVAL, "%s: %u images, %u are needed",
		    inputs->images_path, inputs->images.n_items, max_images);
	return rc;
}

int run_inputs_are_for(const char *workload)
{
	return strcmp(workload, "cnn-mnist") == 0;
}

int run_inputs_for(struct run_inputs *inputs, const struct plan *plan,
    const char *mnist_folder, struct error *err)
{
	uint32_t n_images = 0;

	for (uint32_t c = 0; c < plan->n_cells; c++) {
		const struct plan_cell *cell = &plan->cells[c];

		if (run_inputs_are_for(plan_cell_workload(plan, cell)) &&
		    cell->size_number > n_images)
			n_images = cell->size_number;
	}
	return n_images == 0 ? 0 : run_inputs_read(inputs, mnist_folder, n_images, err);
}

struct workload_task run_inputs_task(const struct run_inputs *inputs,
    const struct plan *plan, const struct plan_cell *cell)
{
	int has_inputs = run_inputs_are_for(plan_cell_workload(plan, cell));

	return (struct workload_task){
	    .size = plan_cell_size(plan, cell),
	    .mode = cell->mode,
	    .field_bits = plan_cell_field_bits(plan, cell),
	    .seed = plan->scenario->seed,
	    .model = has_inputs ? inputs->model : NULL,
	    .model_bytes = has_inputs ? inputs->model_bytes : 0,
	    .images = has_inputs ? inputs->images.bytes : NULL,
	    .n_images = has_inputs ? cell->size_number : 0,
	};
}

void run_inputs_finish(struct run_inputs *inputs)
{
	free(inputs->model);
	idx_file_finish(&inputs->images);
	memset(inputs, 0, sizeof(*inputs));
}
