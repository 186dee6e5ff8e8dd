/* SPDX-License-Identifier: MIT */
/*
 * Vectors live on a stack of chunks that keeps its memory until mpc_finish(): pages that
 * were touched once are used again, so the kernel does not have to clear them each time
 * (that was a third of the time of large computations). Under a sanitizer every vector
 * has a chunk of its own that is freed on release, so that stray accesses are seen.
 */
#include "engine/mpc_memory.h"

#include <stdlib.h>
#include <sys/mman.h>

#define CACHE_LINE  64u
#define HUGE_PAGE   ((size_t)2 << 20)
#define FIRST_CHUNK ((size_t)256 << 10)
#define CHUNK_MAX   ((size_t)32 << 20)

#if defined(__SANITIZE_ADDRESS__)
#define IS_SEPARATE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SEPARATE 1
#endif
#endif
#ifndef IS_SEPARATE
#define IS_SEPARATE 0
#endif

/* Begins a chunk; vectors follow from the next cache line on. */
struct mpc_chunk {
	struct mpc_chunk *older, *newer;
	size_t bytes, used; /* with this header */
};

/* Stands on the cache line before a vector. */
struct mpc_memory {
	struct mpc_memory *older;
	struct mpc_chunk *chunk;
};

_Static_assert(sizeof(struct mpc_chunk) <= CACHE_LINE, "a header fits its line");

static size_t whole(size_t bytes, size_t unit)
{
	return (bytes + unit - 1) / unit * unit;
}

void *mpc_pages(size_t *bytes)
{
	const size_t unit =
	    *bytes < 2 * HUGE_PAGE || IS_SEPARATE ? CACHE_LINE : HUGE_PAGE;
	const size_t all = whole(*bytes, unit);
	void *pages = aligned_alloc(unit, all);

	if (pages == NULL)
		return NULL;
#ifdef MADV_HUGEPAGE
	if (unit == HUGE_PAGE)
		madvise(pages, all, MADV_HUGEPAGE);
#endif
	*bytes = all;
	return pages;
}

/* A chunk after `top` with room for `need` bytes. */
static struct mpc_chunk *chunk_create(struct mpc_chunk *top, size_t need)
{
	size_t bytes = top == NULL ? FIRST_CHUNK : 2 * top->bytes;
	struct mpc_chunk *chunk;

	if (bytes > CHUNK_MAX)
		bytes = CHUNK_MAX;
	if (bytes < need + CACHE_LINE || IS_SEPARATE)
		bytes = need + CACHE_LINE;
	chunk = mpc_pages(&bytes);
	if (chunk == NULL)
		return NULL;
	*chunk = (struct mpc_chunk){.older = top, .bytes = bytes, .used = CACHE_LINE};
	if (top != NULL)
		top->newer = chunk;
	return chunk;
}

static int has_room(const struct mpc_chunk *chunk, size_t need)
{
	return chunk != NULL && chunk->bytes - chunk->used >= need;
}

/* The chunk that takes `need` bytes next: the topmost in use, the unused one above it, or
 * a new one in its place. */
static struct mpc_chunk *chunk_for(struct mpc_chunk *top, size_t need)
{
	if (has_room(top, need))
		return top;
	if (top != NULL && top->newer != NULL) {
		if (has_room(top->newer, need))
			return top->newer;
		mpc_memory_free(top->newer);
		top->newer = NULL;
	}
	return chunk_create(top, need);
}

uint64_t *mpc_vector(struct mpc *mpc, size_t n)
{
	const size_t need = CACHE_LINE + whole(field_bytes(&mpc->field, n), CACHE_LINE);
	struct mpc_chunk *chunk = chunk_for(mpc->chunk, need);
	struct mpc_memory *memory;

	if (chunk == NULL)
		return NULL;
	memory = (struct mpc_memory *)((unsigned char *)chunk + chunk->used);
	chunk->used += need;
	*memory = (struct mpc_memory){.older = mpc->vectors, .chunk = chunk};
	mpc->chunk = chunk;
	mpc->vectors = memory;
	return (uint64_t *)((unsigned char *)memory + CACHE_LINE);
}

struct mpc_memory *mpc_mark(const struct mpc *mpc)
{
	return mpc->vectors;
}

void mpc_release(struct mpc *mpc, struct mpc_memory *mark)
{
	while (mpc->vectors != mark) {
		struct mpc_memory *memory = mpc->vectors;
		struct mpc_chunk *chunk = memory->chunk;

		mpc->vectors = memory->older;
		chunk->used = (size_t)((unsigned char *)memory - (unsigned char *)chunk);
		if (chunk->used > CACHE_LINE)
			continue;
		if (chunk->older != NULL)
			mpc->chunk = chunk->older;
		if (IS_SEPARATE && chunk->older != NULL) {
			chunk->older->newer = NULL;
			mpc_memory_free(chunk);
		}
	}
}

void mpc_memory_free(struct mpc_chunk *chunk)
{
	while (chunk != NULL) {
		struct mpc_chunk *newer = chunk->newer;

		free(chunk);
		chunk = newer;
	}
}
