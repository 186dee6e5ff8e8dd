/* SPDX-License-Identifier: MIT */
#include "testbed/wan_store.h"

#include "testbed/wan_segment.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define ITEMS_MIN 64u

_Static_assert(sizeof(struct wan_packet) == WAN_SLOT_BYTES, "a slot is a packet");
_Static_assert(
    WAN_HEAD_BYTES + WAN_PACKET_BLOCKS * WAN_BLOCK_BYTES >= WAN_PACKET_MAX_BYTES,
    "the largest packet fits");

static int pool_init(struct wan_pool *pool, uint64_t item_bytes, uint64_t bytes)
{
	uint64_t n_items = bytes / item_bytes;
	void *memory;

	if (n_items < ITEMS_MIN)
		n_items = ITEMS_MIN;
	if (n_items >= WAN_NONE)
		n_items = WAN_NONE - 1;
	memory = mmap(NULL, n_items * item_bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return -ENOMEM;
	*pool = (struct wan_pool){.memory = memory,
	    .item_bytes = item_bytes,
	    .n_items = (uint32_t)n_items,
	    .first_free = WAN_NONE};
	return 0;
}

static void pool_finish(struct wan_pool *pool)
{
	if (pool->memory != NULL)
		munmap(pool->memory, pool->n_items * pool->item_bytes);
	*pool = (struct wan_pool){0};
}

static void *pool_item(const struct wan_pool *pool, uint32_t item)
{
	return pool->memory + item * pool->item_bytes;
}

/* A free item holds the number of the next free one. */
static uint32_t pool_take(struct wan_pool *pool)
{
	uint32_t item = pool->first_free;

	if (item != WAN_NONE) {
		memcpy(&pool->first_free, pool_item(pool, item), sizeof(item));
		return item;
	}
	return pool->n_touched < pool->n_items ? pool->n_touched++ : WAN_NONE;
}

static void pool_free(struct wan_pool *pool, uint32_t item)
{
	memcpy(pool_item(pool, item), &pool->first_free, sizeof(item));
	pool->first_free = item;
}

static uint32_t blocks_of(uint32_t bytes)
{
	return bytes <= WAN_HEAD_BYTES
		   ? 0
		   : (bytes - WAN_HEAD_BYTES + WAN_BLOCK_BYTES - 1) / WAN_BLOCK_BYTES;
}

static int take_blocks(struct wan_store *store, uint32_t *blocks, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		blocks[i] = pool_take(&store->blocks);
		if (blocks[i] != WAN_NONE)
			continue;
		while (i-- > 0)
			pool_free(&store->blocks, blocks[i]);
		return -ENOMEM;
	}
	return 0;
}

int wan_store_init(struct wan_store *store, uint64_t bytes)
{
	*store = (struct wan_store){.next = WAN_NONE};
	if (pool_init(&store->slots, WAN_SLOT_BYTES, bytes / 2) < 0 ||
	    pool_init(&store->blocks, WAN_BLOCK_BYTES, bytes / 2) < 0) {
		wan_store_finish(store);
		return -ENOMEM;
	}
	store->next = pool_take(&store->slots);
	return take_blocks(store, wan_store_next(store)->blocks, WAN_PACKET_BLOCKS);
}

void wan_store_finish(struct wan_store *store)
{
	pool_finish(&store->slots);
	pool_finish(&store->blocks);
}

uint32_t wan_store_capacity(const struct wan_store *store)
{
	return store->slots.n_items;
}

struct wan_packet *wan_store_packet(const struct wan_store *store, uint32_t packet)
{
	return pool_item(&store->slots, packet);
}

struct wan_packet *wan_store_next(const struct wan_store *store)
{
	return wan_store_packet(store, store->next);
}

static int pieces_of(const struct wan_store *store, const struct wan_packet *packet,
    uint32_t bytes, struct iovec pieces[WAN_PIECES])
{
	uint32_t n_blocks = blocks_of(bytes);

	pieces[0] =
	    (struct iovec){(void *)packet->head, n_blocks == 0 ? bytes : WAN_HEAD_BYTES};
	bytes -= (uint32_t)pieces[0].iov_len;
	for (uint32_t i = 0; i < n_blocks; i++) {
		uint32_t length = bytes < WAN_BLOCK_BYTES ? bytes : WAN_BLOCK_BYTES;

		pieces[i + 1] =
		    (struct iovec){pool_item(&store->blocks, packet->blocks[i]), length};
		bytes -= length;
	}
	return (int)n_blocks + 1;
}

int wan_store_room(const struct wan_store *store, struct iovec pieces[WAN_PIECES])
{
	return pieces_of(store, wan_store_next(store),
	    WAN_HEAD_BYTES + WAN_PACKET_BLOCKS * WAN_BLOCK_BYTES, pieces);
}

int wan_store_content(const struct wan_store *store, const struct wan_packet *packet,
    struct iovec pieces[WAN_PIECES])
{
	return pieces_of(store, packet, packet->bytes, pieces);
}

uint32_t wan_store_keep(struct wan_store *store)
{
	struct wan_packet *kept = wan_store_next(store), *fresh;
	uint32_t n_used = blocks_of(kept->bytes), id = store->next;
	uint32_t slot = pool_take(&store->slots);

	if (slot == WAN_NONE)
		return WAN_NONE;
	fresh = wan_store_packet(store, slot);
	if (take_blocks(store, fresh->blocks, n_used) < 0) {
		pool_free(&store->slots, slot);
		return WAN_NONE;
	}
	memcpy(fresh->blocks + n_used, kept->blocks + n_used,
	    (WAN_PACKET_BLOCKS - n_used) * sizeof(*kept->blocks));
	store->next = slot;
	return id;
}

void wan_store_free(struct wan_store *store, uint32_t packet)
{
	const struct wan_packet *p = wan_store_packet(store, packet);

	for (uint32_t i = 0; i < blocks_of(p->bytes); i++)
		pool_free(&store->blocks, p->blocks[i]);
	pool_free(&store->slots, packet);
}

/* Skips to `*offset` in pieces; returns how much stands there in one piece. */
static uint32_t run_at(const struct iovec *pieces, uint32_t offset, unsigned char **at)
{
	while (offset >= pieces->iov_len)
		offset -= (uint32_t)pieces++->iov_len;
	*at = (unsigned char *)pieces->iov_base + offset;
	return (uint32_t)pieces->iov_len - offset;
}

static void copy_pieces(const struct iovec *to, uint32_t to_offset,
    const struct iovec *from, uint32_t from_offset, uint32_t bytes)
{
	while (bytes > 0) {
		unsigned char *target, *source;
		uint32_t room = run_at(to, to_offset, &target);
		uint32_t length = run_at(from, from_offset, &source);

		length = length < room ? length : room;
		length = length < bytes ? length : bytes;
		memcpy(target, source, length);
		to_offset += length;
		from_offset += length;
		bytes -= length;
	}
}

uint32_t wan_store_slice(struct wan_store *store, const unsigned char *header,
    uint32_t header_bytes, uint32_t offset, uint32_t bytes)
{
	struct iovec to[WAN_PIECES], from[WAN_PIECES];
	uint32_t id = pool_take(&store->slots);
	struct wan_packet *packet;

	if (id == WAN_NONE)
		return WAN_NONE;
	packet = wan_store_packet(store, id);
	packet->bytes = header_bytes + bytes;
	if (take_blocks(store, packet->blocks, blocks_of(packet->bytes)) < 0) {
		pool_free(&store->slots, id);
		return WAN_NONE;
	}
	memcpy(packet->head, header, header_bytes);
	wan_store_content(store, packet, to);
	wan_store_content(store, wan_store_next(store), from);
	copy_pieces(to, header_bytes, from, offset, bytes);
	return id;
}
