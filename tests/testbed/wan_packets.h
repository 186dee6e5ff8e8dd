/* SPDX-License-Identifier: MIT */
/* Packets as a TUN device hands them over, made and cut in the plainest way, to compare
 * with. */
#ifndef TESTS_WAN_PACKETS_H
#define TESTS_WAN_PACKETS_H

#include <stdint.h>

struct wan_packet_kind {
	int is_udp;
	uint32_t ip_option_bytes, tcp_option_bytes; /* multiples of 4, 40 at most */
	uint32_t segment_bytes;                     /* 0 = no superpacket */
	uint32_t payload_bytes;
	uint8_t tcp_flags;
	uint64_t seed; /* of addresses, sequence number, payload ... */
};

/* vnet header, IPv4, TCP or UDP with partial checksum, payload. Returns the length; `out`
 * takes WAN_PACKET_MAX_BYTES. */
uint32_t wan_packets_make(const struct wan_packet_kind *kind, unsigned char *out);

/* What a card puts on the wire of `packet` as segment `index`: an IP packet with all its
 * checksums. Returns its length, 0 past the last. */
uint32_t wan_packets_segment(const unsigned char *packet, uint32_t packet_bytes,
    uint32_t index, unsigned char *out);

/* Adds to the partial checksum of a whole IP packet, at `checksum_offset` of its
 * transport header, what a card adds. */
void wan_packets_complete(unsigned char *ip, uint32_t ip_bytes, uint32_t checksum_offset);

/* Are the IP and the transport checksum of a whole IP packet right? */
int wan_packets_is_right(const unsigned char *ip, uint32_t ip_bytes);

#endif
