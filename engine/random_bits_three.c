/* SPDX-License-Identifier: MIT */
#include "engine/random_bits_three.h"

#include "engine/share_block.h"
#include "engine/tables.h"

#include <string.h>

/* What one party holds of one third of the batch. */
struct third {
	size_t begin, n;
	uint32_t b;
	uint64_t *out;
};

static struct third third_of(const struct mpc *mpc, uint64_t *out, size_t n, uint32_t b)
{
	size_t begin = n / 3 * b + n % 3 * b / 3;
	size_t end = n / 3 * (b + 1) + n % 3 * (b + 1) / 3;

	return (struct third){begin, end - begin, b, share_at(mpc, out, begin)};
}

static uint32_t after(uint32_t party, uint32_t steps)
{
	return (party + steps) % 3;
}

/* A block of signs +-1, a bit of the stream each. */
static void signs(const struct mpc *mpc, uint64_t *out, struct prg *prg, size_t n)
{
	unsigned char bits[MPC_BLOCK_WORDS / 8];
	int64_t sign[MPC_BLOCK_WORDS];

	prg_bytes(prg, bits, (n + 7) / 8);
	for (size_t i = 0; i < n; i++)
		sign[i] = 1 - 2 * (bits[i / 8] >> i % 8 & 1);
	mpc->field.ops->from_i64(&mpc->field, out, sign, n);
}

/* As B: x_c = u - x_a into the frame for C. */
static void split(struct mpc *mpc, const struct third *third, uint64_t *frame)
{
	const struct field *f = &mpc->field;

	for (size_t at = 0; at < third->n; at += mpc_block(mpc)) {
		size_t n = share_block_at(mpc, at, third->n);
		uint64_t *to = share_at(mpc, frame, at), *x_a = mpc_scratch(mpc, 0);

		signs(mpc, to, &mpc->own, n);
		f->ops->sample(f, &mpc->deal_to[after(third->b, 1)], x_a, n);
		f->ops->sub(f, to, to, x_a, n);
	}
}

/* As A or C: deal v x / 2; our share into `own`, that of the party two after us into
 * the frame. x is x_c, or NULL for x_a, which we derive. */
static int deal(struct mpc *mpc, const struct third *third, uint64_t *frame,
    const uint64_t *x, struct error *err)
{
	uint32_t peer = after(third->b, x == NULL ? 2 : 1);
	const struct field *f = &mpc->field;
	uint64_t coef[4 * FIELD_LIMBS_MAX];

	/* Columns: v x, the derived share. Rows: two after us, us. */
	memcpy(coef, mpc->tables->deal, field_bytes(f, 4));
	field_mul(f, coef, coef, mpc->tables->half, 1);
	field_mul(
	    f, share_at(mpc, coef, 2), share_at(mpc, coef, 2), mpc->tables->half, 1);
	for (size_t at = 0; at < third->n; at += mpc_block(mpc)) {
		size_t n = share_block_at(mpc, at, third->n);
		uint64_t *in[2] = {mpc_scratch(mpc, 0), mpc_scratch(mpc, 1)};
		uint64_t *out[2] = {
		    share_at(mpc, frame, at), share_at(mpc, third->out, at)};

		signs(mpc, in[0], &mpc->zero[peer], n);
		if (x == NULL)
			f->ops->sample(f, &mpc->deal_from[third->b], in[1], n);
		else if (mpc_check(mpc, third->b, share_of(mpc, x, at), n, err) < 0)
			return -EPROTO;
		field_mul(f, in[0], in[0], x == NULL ? in[1] : share_of(mpc, x, at), n);
		f->ops->sample(f, &mpc->deal_to[after(mpc->self, 1)], in[1], n);
		f->ops->combine(f, out, 2, (const uint64_t *const *)in, 2, coef, n);
	}
	return 0;
}

/* The shares of the sum: what A and C dealt, and 1/2. `received` is from the one whose
 * share for us came by message. */
static int add_up(struct mpc *mpc, const struct third *third, const uint64_t *received,
    struct error *err)
{
	/* Dealers A and C; who of them stands before us lets us derive. */
	uint32_t derived_from = after(mpc->self, 2), sender = after(mpc->self, 1);
	const struct field *f = &mpc->field;

	for (size_t at = 0; at < third->n; at += mpc_block(mpc)) {
		size_t n = share_block_at(mpc, at, third->n);
		uint64_t *out = share_at(mpc, third->out, at);
		const uint64_t *in[3] = {mpc->halves};
		unsigned n_in = 1;

		if (mpc->self != third->b)
			in[n_in++] = out;
		if (derived_from != third->b) {
			f->ops->sample(
			    f, &mpc->deal_from[derived_from], mpc_scratch(mpc, 0), n);
			in[n_in++] = mpc_scratch(mpc, 0);
		}
		if (sender != third->b) {
			in[n_in++] = share_of(mpc, received, at);
			if (mpc_check(mpc, sender, in[n_in - 1], n, err) < 0)
				return -EPROTO;
		}
		f->ops->sum(f, out, in, n_in, n);
	}
	return 0;
}

/* The round of x_c, B to C, for each third; ours as C is received into x_c. */
static int first_round(
    struct mpc *mpc, uint64_t *out, size_t n, uint64_t *x_c, struct error *err)
{
	struct third as_b = third_of(mpc, out, n, mpc->self);
	struct third as_c = third_of(mpc, out, n, after(mpc->self, 1));
	size_t out_bytes = field_bytes(&mpc->field, as_b.n);
	struct network_round round = {0};
	unsigned char *to, *unused;
	int rc = mpc_frames(mpc, out_bytes, 0, &to, &unused, err);

	if (rc < 0)
		return rc;
	split(mpc, &as_b, (uint64_t *)to);
	round.out[after(mpc->self, 2)] = (struct network_out){to, out_bytes};
	round.in[after(mpc->self, 1)] =
	    (struct network_in){x_c, field_bytes(&mpc->field, as_c.n)};
	return mpc_exchange(mpc, &round, err);
}

/* In the second round everyone sends to the party two after it, as A (the third of that
 * party), then as C (the third of the next). */
int share_bits_of_three(struct mpc *mpc, uint64_t *out, size_t n, struct error *err)
{
	struct third as_a = third_of(mpc, out, n, after(mpc->self, 2));
	struct third as_b = third_of(mpc, out, n, mpc->self);
	struct third as_c = third_of(mpc, out, n, after(mpc->self, 1));
	size_t out_bytes = field_bytes(&mpc->field, as_a.n + as_c.n);
	size_t in_bytes = field_bytes(&mpc->field, as_b.n + as_a.n);
	struct network_round round = {0};
	unsigned char *to, *from;
	struct mpc_memory *mark = mpc_mark(mpc);
	uint64_t *x_c = mpc_vector(mpc, as_c.n);
	int rc = x_c == NULL ? mpc_no_memory(err) : first_round(mpc, out, n, x_c, err);

	if (rc == 0)
		rc = mpc_frames(mpc, out_bytes, in_bytes, &to, &from, err);
	if (rc == 0)
		rc = deal(mpc, &as_a, (uint64_t *)to, NULL, err);
	if (rc == 0)
		rc = deal(mpc, &as_c, share_at(mpc, (uint64_t *)to, as_a.n), x_c, err);
	if (rc == 0) {
		round.out[after(mpc->self, 2)] = (struct network_out){to, out_bytes};
		round.in[after(mpc->self, 1)] = (struct network_in){from, in_bytes};
		rc = mpc_exchange(mpc, &round, err);
	}
	/* In the order in which the party before us dealt. */
	if (rc == 0)
		rc = add_up(mpc, &as_c, NULL, err);
	if (rc == 0)
		rc = add_up(mpc, &as_b, (uint64_t *)from, err);
	if (rc == 0)
		rc = add_up(mpc, &as_a, share_at(mpc, (uint64_t *)from, as_b.n), err);
	mpc_release(mpc, mark);
	return rc;
}
