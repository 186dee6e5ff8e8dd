/* SPDX-License-Identifier: MIT */
/*
 * Memory of the packets under way. A packet is a slot, which holds one of MTU size, and
 * as many larger blocks as the rest of a superpacket needs: readv() fills them and
 * writev() empties them, nothing is copied. Both kinds come from regions of fixed size
 * whose pages are touched when first used; what is free is reused last in, first out, so
 * that little traffic stays in the cache. Nothing is allocated after init.
 *
 * There is always a next packet to read into, also when memory is exhausted: it is read,
 * looked at, and only then kept, sliced, written at once, or overwritten by the next.
 */
#ifndef TESTBED_WAN_STORE_H
#define TESTBED_WAN_STORE_H

#include <stdint.h>
#include <sys/uio.h>

#define WAN_SLOT_BYTES    1600u /* an odd count of cache lines spreads over all sets */
#define WAN_HEAD_BYTES    (WAN_SLOT_BYTES - 48u)
#define WAN_BLOCK_BYTES   9216u
#define WAN_PACKET_BLOCKS 7u
#define WAN_PIECES        (WAN_PACKET_BLOCKS + 1u) /* what readv() takes without kmalloc */
#define WAN_NONE          UINT32_MAX

struct wan_packet {
	uint32_t bytes;      /* vnet header included */
	uint32_t wire_bytes; /* on the wire, and as how many segments: for the counters */
	uint32_t n_segments;
	uint32_t blocks[WAN_PACKET_BLOCKS]; /* those that `bytes` need are valid */
	uint8_t from, to;                   /* ports */
	unsigned char head[WAN_HEAD_BYTES] __attribute__((aligned(16)));
};

struct wan_pool {
	unsigned char *memory;
	uint64_t item_bytes;
	uint32_t n_items, n_touched, first_free;
};

struct wan_store {
	struct wan_pool slots, blocks;
	uint32_t next; /* a slot with all its blocks */
};

/* Half of `bytes` for slots and half for blocks, some packets at least. -ENOMEM when
 * there is no address space. */
int wan_store_init(struct wan_store *store, uint64_t bytes);
void wan_store_finish(struct wan_store *store);
/* How many packets can be under way. */
uint32_t wan_store_capacity(const struct wan_store *store);

/* The next packet, and the room for readv(). */
struct wan_packet *wan_store_next(const struct wan_store *store);
int wan_store_room(const struct wan_store *store, struct iovec pieces[WAN_PIECES]);

/* The next packet, `bytes` of it set, stays; another becomes the next. WAN_NONE when
 * memory is short: it will be overwritten. */
uint32_t wan_store_keep(struct wan_store *store);
/* A new packet: `header_bytes` (<= WAN_HEAD_BYTES) of `header`, then `bytes` of the next
 * packet from `offset` on. WAN_NONE when memory is short. */
uint32_t wan_store_slice(struct wan_store *store, const unsigned char *header,
    uint32_t header_bytes, uint32_t offset, uint32_t bytes);

struct wan_packet *wan_store_packet(const struct wan_store *store, uint32_t packet);
/* The pieces that hold its bytes. Returns their number. */
int wan_store_content(const struct wan_store *store, const struct wan_packet *packet,
    struct iovec pieces[WAN_PIECES]);
void wan_store_free(struct wan_store *store, uint32_t packet);

#endif
