/* SPDX-License-Identifier: MIT */
#include "engine/keys.h"

#include "base/bytes.h"
#include "engine/tables.h"

#include <openssl/crypto.h>
#include <string.h>

#define LABEL_DEAL 1u
#define LABEL_ZERO 2u

size_t keys_frame_bytes(uint32_t m, uint32_t t, uint32_t from, uint32_t to)
{
	size_t keys = 1;

	if (from >= to)
		return 0;
	for (uint32_t set = tables_first_set(m, t); set != 0;
	     set = tables_next_set(m, set))
		keys += (set & -set) == 1u << from && (set >> to & 1) == 1;
	return keys * PRG_KEY_BYTES;
}

/* The streams that hang on the key of the pair {self, peer}. */
static int pair_init(
    struct mpc *mpc, uint32_t peer, const unsigned char *pair_key, struct error *err)
{
	uint32_t self = mpc->self;
	struct {
		struct prg *prg;
		uint64_t label, index;
	} streams[] = {
	    {&mpc->deal_to[peer], LABEL_DEAL, self * NETWORK_PARTIES_MAX + peer},
	    {&mpc->deal_from[peer], LABEL_DEAL, peer * NETWORK_PARTIES_MAX + self},
	    {&mpc->zero[peer], LABEL_ZERO, 0},
	};

	for (int i = 0; i < 3; i++) {
		unsigned char key[PRG_KEY_BYTES];
		int rc =
		    prg_derive(key, pair_key, streams[i].label, streams[i].index, err);

		if (rc == 0)
			rc = prg_init(streams[i].prg, key, err);
		OPENSSL_cleanse(key, sizeof(key));
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Where the next key for each peer stands in its frame. */
struct key_frames {
	unsigned char *at[NETWORK_PARTIES_MAX];
};

/* Choose the keys of which self is the lowest holder: into the frames, and in use. */
static int make_keys(struct mpc *mpc, struct key_frames *out, struct error *err)
{
	unsigned char key[PRG_KEY_BYTES];
	uint32_t m = mpc->n_parties, n = 0;
	int rc = 0;

	for (uint32_t p = mpc->self + 1; p < m && rc == 0; p++) {
		prg_bytes(&mpc->own, key, sizeof(key));
		memcpy(out->at[p], key, sizeof(key));
		out->at[p] += sizeof(key);
		rc = pair_init(mpc, p, key, err);
	}
	for (uint32_t set = tables_first_set(m, mpc->threshold); set != 0 && rc == 0;
	     set = tables_next_set(m, set)) {
		if ((set >> mpc->self & 1) == 0)
			continue;
		n++;
		mpc->n_sets = n;
		if ((set & -set) != 1u << mpc->self)
			continue;
		prg_bytes(&mpc->own, key, sizeof(key));
		for (uint32_t p = mpc->self + 1; p < m; p++) {
			if ((set >> p & 1) == 0)
				continue;
			memcpy(out->at[p], key, sizeof(key));
			out->at[p] += sizeof(key);
		}
		rc = prg_init(&mpc->sets[n - 1], key, err);
	}
	OPENSSL_cleanse(key, sizeof(key));
	return rc;
}

static int take_keys(struct mpc *mpc, struct key_frames *in, struct error *err)
{
	uint32_t m = mpc->n_parties, n = 0;
	int rc = 0;

	for (uint32_t p = 0; p < mpc->self && rc == 0; p++) {
		rc = pair_init(mpc, p, in->at[p], err);
		in->at[p] += PRG_KEY_BYTES;
	}
	for (uint32_t set = tables_first_set(m, mpc->threshold); set != 0 && rc == 0;
	     set = tables_next_set(m, set)) {
		uint32_t lowest = (uint32_t)__builtin_ctz(set);

		if ((set >> mpc->self & 1) == 0)
			continue;
		n++;
		if (lowest == mpc->self)
			continue;
		rc = prg_init(&mpc->sets[n - 1], in->at[lowest], err);
		in->at[lowest] += PRG_KEY_BYTES;
	}
	return rc;
}

static int own_init(struct mpc *mpc, uint64_t seed, struct error *err)
{
	unsigned char key[PRG_KEY_BYTES];

	bytes_store_le64(key, seed);
	bytes_store_le64(key + 8, mpc->self);
	return prg_init(&mpc->own, key, err);
}

int keys_agree(struct mpc *mpc, uint64_t seed, struct error *err)
{
	struct network_round round = {0};
	struct key_frames out_frames, in_frames;
	unsigned char *out, *in;
	size_t out_bytes = 0, in_bytes = 0;
	uint32_t m = mpc->n_parties;
	int rc;

	network_mark(mpc->net, "keys");
	for (uint32_t p = 0; p < m; p++) {
		round.out[p].len = keys_frame_bytes(m, mpc->threshold, mpc->self, p);
		round.in[p].len = keys_frame_bytes(m, mpc->threshold, p, mpc->self);
		out_bytes += round.out[p].len;
		in_bytes += round.in[p].len;
	}
	rc = mpc_frames(mpc, out_bytes, in_bytes, &out, &in, err);
	if (rc < 0)
		return rc;
	for (uint32_t p = 0; p < m; p++) {
		round.out[p].base = out_frames.at[p] = out;
		round.in[p].base = in_frames.at[p] = in;
		out += round.out[p].len;
		in += round.in[p].len;
	}
	rc = own_init(mpc, seed, err);
	if (rc == 0)
		rc = make_keys(mpc, &out_frames, err);
	if (rc == 0)
		rc = mpc_exchange(mpc, &round, err);
	if (rc == 0)
		rc = take_keys(mpc, &in_frames, err);
	return rc < 0 ? error_wrap(err, "keys") : 0;
}
