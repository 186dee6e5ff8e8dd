/* SPDX-License-Identifier: MIT */
/*
 * Segments of what a TUN device hands over. With offload, the kernel of the sender gives
 * one "superpacket" of up to 64 KB that a network card would cut into segments (TSO: TCP
 * payload of gso_size each; USO: one UDP datagram each), and the kernel of the receiver
 * takes it whole. On a real wire each segment has a header and a fate of its own, so
 * counting, rates and losses are by segment, and a superpacket of which some segments are
 * lost goes on as the runs that survive.
 *
 * Layout (linux/virtio_net.h): struct virtio_net_hdr, then the IPv4 packet. Everything
 * read here was written by another namespace: nothing in it is believed unchecked.
 */
#ifndef TESTBED_WAN_SEGMENT_H
#define TESTBED_WAN_SEGMENT_H

#include <stdint.h>

#define WAN_VNET_BYTES       10u /* struct virtio_net_hdr */
#define WAN_HEADER_MAX_BYTES (WAN_VNET_BYTES + 60u + 60u)
#define WAN_PACKET_MAX_BYTES (WAN_VNET_BYTES + 65535u)

struct wan_segments {
	uint32_t n;             /* segments, >= 1 */
	uint32_t header_bytes;  /* IP and transport header: repeated in each */
	uint32_t payload_bytes; /* of all segments */
	uint32_t segment_bytes; /* payload of each but the last */
	uint32_t destination;   /* IPv4 address, network byte order */
};

/* Looks at a packet of `total_bytes` (vnet header included) of which the first
 * `head_bytes` stand at `head`; head_bytes is the smaller of total_bytes and at least
 * WAN_HEADER_MAX_BYTES. -EBADMSG for anything but a sound IPv4 packet; *out is untouched.
 * A packet that is no superpacket is one segment whose header is its IP header alone. */
int wan_segments_parse(struct wan_segments *out, const unsigned char *head,
    uint32_t head_bytes, uint32_t total_bytes);

/* Bytes on the wire, IP headers included, of `count` segments from `first` on. */
uint32_t wan_segments_bytes(const struct wan_segments *s, uint32_t first, uint32_t count);

/* Where the payload of the run begins in the packet (vnet header included) and its
 * length. */
uint32_t wan_segments_payload(const struct wan_segments *s, uint32_t first,
    uint32_t count, uint32_t *payload_bytes);

/* Writes the vnet header and the headers of the run of `count` segments from `first` on
 * (all within s->n) as a packet of its own: lengths, IP id and checksum, TCP sequence
 * number and flags, the partial transport checksum. `head` is what was parsed as a
 * superpacket, s->n > 1. Returns the bytes written: WAN_VNET_BYTES + s->header_bytes. */
uint32_t wan_segments_header(const struct wan_segments *s, const unsigned char *head,
    uint32_t first, uint32_t count, unsigned char out[WAN_HEADER_MAX_BYTES]);

#endif
