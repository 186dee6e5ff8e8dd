/* SPDX-License-Identifier: MIT */
#include "engine/mpc.h"

#include "engine/keys.h"
#include "engine/mpc_memory.h"
#include "engine/tables.h"

#include <stdlib.h>
#include <string.h>

#define CACHE_LINE 64u

static int start(struct mpc *mpc, struct network *net, uint64_t seed, struct error *err)
{
	int rc;

	mpc->net = net;
	mpc->n_parties = net->n_parties;
	mpc->self = net->self;
	mpc->threshold = (net->n_parties - 1) / 2;
	mpc->n_dealers = 2 * mpc->threshold + 1;
	if (mpc->field.limbs == 1 && mpc->field.p[0] <= net->n_parties)
		return error_set(err, -EINVAL,
		    "a field of %llu elements is too small for %u parties",
		    (unsigned long long)mpc->field.p[0], net->n_parties);
	mpc->scratch = aligned_alloc(
	    CACHE_LINE, (size_t)FIELD_ROWS_MAX * MPC_BLOCK_WORDS * sizeof(uint64_t));
	mpc->halves = aligned_alloc(CACHE_LINE, MPC_BLOCK_WORDS * sizeof(uint64_t));
	mpc->sets = calloc(MPC_SETS_MAX, sizeof(*mpc->sets));
	if (mpc->scratch == NULL || mpc->halves == NULL || mpc->sets == NULL)
		return mpc_no_memory(err);
	rc = tables_create(
	    &mpc->tables, &mpc->field, mpc->n_parties, mpc->threshold, mpc->self, err);
	for (size_t i = 0; i < mpc_block(mpc) && rc == 0; i++)
		memcpy(mpc->halves + i * mpc->field.limbs, mpc->tables->half,
		    field_bytes(&mpc->field, 1));
	if (rc == 0)
		rc = keys_agree(mpc, seed, err);
	memset(&mpc->counters, 0, sizeof(mpc->counters));
	return rc;
}

int mpc_init(struct mpc *mpc, struct network *net, uint32_t field_bits, uint64_t seed,
    struct error *err)
{
	int rc;

	memset(mpc, 0, sizeof(*mpc));
	rc = field_init(&mpc->field, field_bits, err);
	return rc < 0 ? rc : start(mpc, net, seed, err);
}

int mpc_init_field(struct mpc *mpc, struct network *net, const struct field *field,
    uint64_t seed, struct error *err)
{
	memset(mpc, 0, sizeof(*mpc));
	mpc->field = *field;
	return start(mpc, net, seed, err);
}

static int exchange_nothing(
    struct network *net, struct network_round *round, struct error *err)
{
	(void)net, (void)err;
	round->arrived = 0;
	return 0;
}

static int flush_nothing(struct network *net, struct error *err)
{
	(void)net, (void)err;
	return 0;
}

static void mark_nothing(struct network *net, const char *name)
{
	(void)net, (void)name;
}

int mpc_warm_up(struct error *err)
{
	static const struct network_ops ops = {
	    .exchange = exchange_nothing, .flush = flush_nothing, .mark = mark_nothing};
	struct network alone = {.ops = &ops, .self = 0, .n_parties = 1};
	unsigned char key[PRG_KEY_BYTES] = {0};
	struct mpc mpc;
	int rc = mpc_init(&mpc, &alone, 61, 0, err);

	if (rc == 0)
		rc = prg_derive(key, key, 0, 0, err);
	mpc_finish(&mpc);
	return rc;
}

void mpc_finish(struct mpc *mpc)
{
	prg_finish(&mpc->own);
	for (uint32_t p = 0; p < NETWORK_PARTIES_MAX; p++) {
		prg_finish(&mpc->deal_to[p]);
		prg_finish(&mpc->deal_from[p]);
		prg_finish(&mpc->zero[p]);
	}
	for (uint32_t s = 0; s < mpc->n_sets; s++)
		prg_finish(&mpc->sets[s]);
	free(mpc->sets);
	mpc_release(mpc, NULL);
	mpc_memory_free(mpc->chunk);
	tables_destroy(mpc->tables);
	free(mpc->out[0].base);
	free(mpc->out[1].base);
	free(mpc->in.base);
	free(mpc->scratch);
	free(mpc->halves);
	memset(mpc, 0, sizeof(*mpc));
}

int mpc_no_memory(struct error *err)
{
	return error_set(err, -ENOMEM, "no memory for a vector of shares");
}

static int frames_reserve(struct mpc_frames *frames, size_t bytes, struct error *err)
{
	/* One line more, so that there always is a place to point at. */
	bytes += CACHE_LINE;
	if (bytes <= frames->bytes)
		return 0;
	free(frames->base);
	frames->bytes = 0;
	frames->base = mpc_pages(&bytes);
	if (frames->base == NULL)
		return error_set(
		    err, -ENOMEM, "no memory for frames of %zu bytes", bytes);
	frames->bytes = bytes;
	return 0;
}

int mpc_frames(struct mpc *mpc, size_t out_bytes, size_t in_bytes, unsigned char **out,
    unsigned char **in, struct error *err)
{
	int rc = frames_reserve(&mpc->out[mpc->current], out_bytes, err);

	if (rc == 0)
		rc = frames_reserve(&mpc->in, in_bytes, err);
	if (rc < 0)
		return rc;
	*out = mpc->out[mpc->current].base;
	*in = mpc->in.base;
	return 0;
}

int mpc_exchange(struct mpc *mpc, struct network_round *round, struct error *err)
{
	size_t sent = 0, due = 0;

	for (uint32_t p = 0; p < mpc->n_parties; p++) {
		if (p == mpc->self)
			continue;
		sent += round->out[p].len;
		due += round->in[p].len;
	}
	if (sent + due == 0) {
		round->arrived = 0;
		return 0;
	}
	mpc->counters.rounds++;
	mpc->counters.elements += sent / field_bytes(&mpc->field, 1);
	mpc->current ^= 1;
	return network_exchange(mpc->net, round, err);
}

int mpc_check(const struct mpc *mpc, uint32_t from, const void *elements, size_t n,
    struct error *err)
{
	size_t bad = mpc->field.ops->check(&mpc->field, elements, n);

	if (bad == n)
		return 0;
	return error_set(err, -EPROTO,
	    "party %u sent an element outside the field: its engine differs, or the "
	    "transport changed it",
	    from);
}
