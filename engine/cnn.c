/* SPDX-License-Identifier: MIT */
#include "engine/cnn.h"

#include "base/units.h"
#include "engine/cnn_clear.h"
#include "engine/cnn_layers.h"

#define FIELD_BITS_NEEDED 61u

#define ROUNDS_ABOUT     62u /* keys, 13 of sharing the inputs, 48 of layers */
#define ROUNDS_OF_TWO    14u /* t = 0: the layers need none */
#define MODEL_BYTES      UINT64_C(26200000) /* 3.27 M weights of 8 bytes */
#define IMAGE_PEER_BYTES UINT64_C(6000000)  /* random bits, resharing, openings */

/* The inputs that are this party's, and nothing of the others'. */
struct own_inputs {
	struct cnn_model model;
	int has_model;
	const unsigned char *images;
};

static int take_model(struct own_inputs *own, const struct cnn_shape *shape,
    const struct workload_task *task, struct error *err)
{
	int rc;

	if (task->model == NULL)
		return error_set(err, -EINVAL,
		    "cnn-mnist: party 0 owns the model and has been given none");
	rc = cnn_model_parse(&own->model, task->model, task->model_bytes, err);
	if (rc < 0)
		return rc;
	if (!cnn_shape_equal(&own->model.shape, shape))
		return error_set(err, -EINVAL,
		    "cnn-mnist: the model has another shape than the one agreed: "
		    "side %u, %u and %u channels, %u hidden",
		    shape->side, shape->n_channels1, shape->n_channels2, shape->n_hidden);
	own->has_model = 1;
	return 0;
}

static int take_inputs(struct own_inputs *own, const struct network *net,
    const struct cnn_shape *shape, const struct workload_task *task, uint32_t n_images,
    struct error *err)
{
	const uint32_t image_owner = net->n_parties > 1 ? 1 : 0;
	int rc = net->self == 0 ? take_model(own, shape, task, err) : 0;

	if (rc < 0)
		return rc;
	if (net->self == image_owner) {
		if (task->images == NULL || task->n_images < n_images)
			return error_set(err, -EINVAL,
			    "cnn-mnist: a batch of %u needs as many images: party %u, "
			    "who owns them, has been given %zu",
			    n_images, image_owner,
			    task->images == NULL ? 0 : task->n_images);
		own->images = task->images;
	}
	return 0;
}

static int take_output(const struct cnn_run *run, const uint32_t *which,
    const uint64_t *logits, struct workload_output *out, struct error *err)
{
	const uint32_t n_outputs = run->shape->n_outputs;
	int64_t values[CNN_OUTPUTS_MAX * CNN_BATCH_MAX], *to = out->values;

	if (field_to_i64(
		&run->mpc->field, values, logits, (size_t)n_outputs * run->n_images) < 0)
		return error_set(err, -EBADMSG,
		    "cnn-mnist: a logit is no integer of 64 bits: the run went wrong");
	for (uint32_t image = 0; image < run->n_images; image++) {
		*to++ = which[image];
		for (uint32_t i = 0; i < n_outputs; i++)
			*to++ = values[i * run->n_images + image];
	}
	out->n_values = (uint32_t)(to - out->values);
	out->attempts = 1;
	return 0;
}

/* Inputs, random bits, layers: the computation proper. */
static int compute(struct cnn_run *run, const struct own_inputs *own,
    struct workload_output *out, struct error *err)
{
	struct compare_need needs[CNN_NEEDS];
	uint32_t which[CNN_BATCH_MAX];
	uint64_t *logits =
	    mpc_vector(run->mpc, (size_t)run->shape->n_outputs * run->n_images);
	int rc;

	if (logits == NULL)
		return mpc_no_memory(err);
	rc = cnn_input(run->mpc, run->shape, own->has_model ? &own->model : NULL,
	    own->images, run->n_images, &run->shares, err);
	if (rc < 0)
		return rc;
	network_mark(run->mpc->net, "bits");
	cnn_layers_needs(run->shape, run->n_images, needs);
	rc = compare_create(&run->compare, run->mpc, needs, CNN_NEEDS, err);
	if (rc == 0)
		rc = cnn_layers_run(run, which, logits, err);
	if (rc == 0)
		rc = take_output(run, which, logits, out, err);
	return rc;
}

/* Whether there is a computation of this field and batch. */
static int takes(uint32_t field_bits, uint32_t n_images, struct error *err)
{
	if (field_bits < FIELD_BITS_NEEDED)
		return error_set(err, -EINVAL,
		    "cnn-mnist: its comparisons need a field of %u bits or more, not %u",
		    FIELD_BITS_NEEDED, field_bits);
	if (n_images < 1 || n_images > CNN_BATCH_MAX)
		return error_set(err, -EINVAL,
		    "cnn-mnist: a batch has 1 to %u images, not %u", CNN_BATCH_MAX,
		    n_images);
	return 0;
}

int cnn_run_shape(struct network *net, const struct cnn_shape *shape,
    const struct workload_task *task, uint32_t n_images, struct workload_output *out,
    struct error *err)
{
	struct own_inputs own = {0};
	struct mpc mpc = {0};
	struct cnn_run run = {.mpc = &mpc, .shape = shape, .n_images = n_images};
	int rc = takes(task->field_bits, n_images, err);

	if (rc < 0)
		return rc;
	rc = take_inputs(&own, net, shape, task, n_images, err);
	if (rc == 0)
		rc = mpc_init(&mpc, net, task->field_bits, task->seed, err);
	if (rc == 0)
		rc = compute(&run, &own, out, err);
	if (rc == 0)
		rc = network_flush(net, err);
	compare_destroy(run.compare);
	mpc_finish(&mpc);
	return rc;
}

static int check_image(const struct cnn_model *model, const unsigned char *image,
    const int64_t *values, struct error *err)
{
	struct cnn_scores scores;
	struct error why;
	int rc = cnn_clear_classify(model, image, &scores, &why);

	if (rc < 0)
		return error_set(
		    err, rc == -ERANGE ? -EBADMSG : rc, "in the clear: %s", why.text);
	if (values[0] != scores.best)
		return error_set(err, -EBADMSG, "class %lld, but %u in the clear",
		    (long long)values[0], scores.best);
	for (uint32_t i = 0; i < model->shape.n_outputs; i++)
		if (values[1 + i] != scores.logits[i])
			return error_set(err, -EBADMSG,
			    "logit %u is %lld, but %lld in the clear", i,
			    (long long)values[1 + i], (long long)scores.logits[i]);
	return 0;
}

int cnn_check(const struct workload_task *task, uint32_t n_images,
    const struct workload_output *out, struct error *err)
{
	struct cnn_model model;
	size_t pixels, n_each;
	int rc = cnn_model_parse(&model, task->model, task->model_bytes, err);

	if (rc < 0)
		return rc;
	pixels = (size_t)model.shape.side * model.shape.side;
	n_each = 1 + (size_t)model.shape.n_outputs;
	if (task->n_images < n_images || out->n_values != n_each * n_images)
		return error_set(err, -EBADMSG,
		    "cnn-mnist: %u values for %u images, %zu are right", out->n_values,
		    n_images, n_each * n_images);
	for (uint32_t i = 0; i < n_images; i++) {
		rc = check_image(
		    &model, task->images + i * pixels, out->values + i * n_each, err);
		if (rc < 0) {
			error_wrap(err, "cnn-mnist: image %u", i);
			return rc;
		}
	}
	return 0;
}

static int run_standard(struct network *net, const struct workload_task *task,
    struct workload_output *out, struct error *err)
{
	uint32_t n_images = 0;
	int rc = workload_size(&workload_cnn, task->size, &n_images, err);

	if (rc < 0)
		return rc;
	return cnn_run_shape(net, &cnn_shape_standard, task, n_images, out, err);
}

static int accepts(const struct workload_task *task, struct error *err)
{
	uint32_t n_images = 0;
	int rc = workload_size(&workload_cnn, task->size, &n_images, err);

	return rc < 0 ? rc : takes(task->field_bits, n_images, err);
}

static int check_standard(const struct workload_task *task,
    const struct workload_output *out, struct error *err)
{
	uint32_t n_images = 0;
	int rc = workload_size(&workload_cnn, task->size, &n_images, err);

	return rc < 0 ? rc : cnn_check(task, n_images, out, err);
}

/* About 0.02 CPU seconds a party, its square for the openings; two cores. */
static struct workload_estimate estimate(const struct workload_case *of)
{
	uint64_t m = of->parties;

	return (struct workload_estimate){.rounds = m < 3 ? ROUNDS_OF_TWO : ROUNDS_ABOUT,
	    .bytes = m < 3 ? MODEL_BYTES : MODEL_BYTES + of->size * IMAGE_PEER_BYTES,
	    .compute_ns = (of->size * m * (m + 7) * 10 + m * 100) * NS_PER_MS / 2};
}

static const char *const modes[] = {"default", NULL};

const struct workload workload_cnn = {
    .name = "cnn-mnist",
    .summary = "classify digit images with a model, both secret: few rounds, large "
	       "messages",
    .modes = modes,
    .size_unit = "batch",
    .sizes = {1, 2, 4},
    .parties_min = 1,
    .parties_max = NETWORK_PARTIES_MAX,
    .accepts = accepts,
    .estimate = estimate,
    .run = run_standard,
    .check = check_standard,
};
