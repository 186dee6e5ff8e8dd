/* SPDX-License-Identifier: MIT */
#include "testbed/wan_segment.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

/* Younger than the headers of Debian 12. */
#define GSO_UDP_L4 5u

#define IP_MIN_BYTES  20u
#define TCP_MIN_BYTES 20u
#define UDP_BYTES     8u

#define TCP_FIN 0x01u
#define TCP_PSH 0x08u
#define TCP_CWR 0x80u

_Static_assert(sizeof(struct virtio_net_hdr) == WAN_VNET_BYTES, "vnet header");

static uint32_t load_be16(const unsigned char *from)
{
	return (uint32_t)from[0] << 8 | from[1];
}

static uint32_t load_be32(const unsigned char *from)
{
	return load_be16(from) << 16 | load_be16(from + 2);
}

static void store_be16(unsigned char *to, uint32_t value)
{
	to[0] = (unsigned char)(value >> 8);
	to[1] = (unsigned char)value;
}

static void store_be32(unsigned char *to, uint32_t value)
{
	store_be16(to, value >> 16);
	store_be16(to + 2, value);
}

static uint32_t ip_header_bytes(const unsigned char *ip)
{
	return (ip[0] & 15u) * 4;
}

/* 0 when there is no such transport header within ip_bytes. */
static uint32_t transport_header_bytes(
    const unsigned char *ip, uint32_t ip_bytes, uint32_t gso_kind)
{
	uint32_t start = ip_header_bytes(ip), bytes = UDP_BYTES;
	bool is_tcp = gso_kind == VIRTIO_NET_HDR_GSO_TCPV4;

	if (ip[9] != (is_tcp ? IPPROTO_TCP : IPPROTO_UDP))
		return 0;
	if (is_tcp) {
		if (ip_bytes < start + TCP_MIN_BYTES)
			return 0;
		bytes = (ip[start + 12] >> 4) * 4u;
		if (bytes < TCP_MIN_BYTES)
			return 0;
	}
	return ip_bytes < start + bytes ? 0 : bytes;
}

static bool is_sound_ip(const unsigned char *ip, uint32_t ip_bytes)
{
	return ip_bytes >= IP_MIN_BYTES && ip[0] >> 4 == 4 &&
	       ip_header_bytes(ip) >= IP_MIN_BYTES && ip_header_bytes(ip) <= ip_bytes &&
	       load_be16(ip + 2) == ip_bytes;
}

static bool is_sound_checksum(const struct virtio_net_hdr *vnet, uint32_t ip_bytes)
{
	return !(vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) ||
	       (uint32_t)vnet->csum_start + vnet->csum_offset + 2 <= ip_bytes;
}

static int parse_superpacket(struct wan_segments *s, const struct virtio_net_hdr *vnet,
    const unsigned char *ip, uint32_t ip_bytes)
{
	uint32_t kind = vnet->gso_type & ~(uint32_t)VIRTIO_NET_HDR_GSO_ECN;
	uint32_t transport;

	if (kind != VIRTIO_NET_HDR_GSO_TCPV4 && kind != GSO_UDP_L4)
		return -EBADMSG;
	transport = transport_header_bytes(ip, ip_bytes, kind);
	/* A fragment is no superpacket, and a whole checksum would fit no segment. */
	if (transport == 0 || vnet->gso_size == 0 || (load_be16(ip + 6) & 0x3fff) != 0 ||
	    !(vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) ||
	    vnet->csum_start != ip_header_bytes(ip) ||
	    vnet->csum_offset != (kind == GSO_UDP_L4 ? 6 : 16))
		return -EBADMSG;
	s->header_bytes = ip_header_bytes(ip) + transport;
	s->payload_bytes = ip_bytes - s->header_bytes;
	s->segment_bytes = vnet->gso_size;
	if (s->payload_bytes > s->segment_bytes)
		s->n = (s->payload_bytes + s->segment_bytes - 1) / s->segment_bytes;
	return 0;
}

int wan_segments_parse(struct wan_segments *out, const unsigned char *head,
    uint32_t head_bytes, uint32_t total_bytes)
{
	const unsigned char *ip = head + WAN_VNET_BYTES;
	struct virtio_net_hdr vnet;
	struct wan_segments s = {.n = 1};
	uint32_t ip_bytes = total_bytes - WAN_VNET_BYTES;

	if (head_bytes < WAN_VNET_BYTES + IP_MIN_BYTES || total_bytes < head_bytes ||
	    total_bytes > WAN_PACKET_MAX_BYTES || !is_sound_ip(ip, ip_bytes))
		return -EBADMSG;
	memcpy(&vnet, head, sizeof(vnet));
	if (!is_sound_checksum(&vnet, ip_bytes))
		return -EBADMSG;
	s.header_bytes = ip_header_bytes(ip);
	s.payload_bytes = s.segment_bytes = ip_bytes - s.header_bytes;
	if (vnet.gso_type != VIRTIO_NET_HDR_GSO_NONE &&
	    parse_superpacket(&s, &vnet, ip, ip_bytes) < 0)
		return -EBADMSG;
	memcpy(&s.destination, ip + 16, sizeof(s.destination));
	*out = s;
	return 0;
}

uint32_t wan_segments_payload(
    const struct wan_segments *s, uint32_t first, uint32_t count, uint32_t *payload_bytes)
{
	uint32_t begin = first * s->segment_bytes;
	uint32_t end =
	    first + count == s->n ? s->payload_bytes : (first + count) * s->segment_bytes;

	*payload_bytes = end - begin;
	return WAN_VNET_BYTES + s->header_bytes + begin;
}

uint32_t wan_segments_bytes(const struct wan_segments *s, uint32_t first, uint32_t count)
{
	uint32_t payload;

	wan_segments_payload(s, first, count, &payload);
	return count * s->header_bytes + payload;
}

/* Ones' complement sum of 16-bit words (RFC 1071), of an even number of bytes. */
static uint32_t sum_words(const unsigned char *from, uint32_t bytes)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < bytes; i += 2)
		sum += load_be16(from + i);
	return sum;
}

static uint32_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

static void write_ip(unsigned char *ip, uint32_t ip_bytes, uint32_t first)
{
	store_be16(ip + 2, ip_bytes);
	store_be16(ip + 4, load_be16(ip + 4) + first);
	store_be16(ip + 10, 0);
	store_be16(ip + 10, ~fold(sum_words(ip, ip_header_bytes(ip))));
}

/* The sum over the pseudo header, not complemented: the kernel or the card adds the rest
 * (CHECKSUM_PARTIAL). */
static void write_partial_checksum(
    const unsigned char *ip, unsigned char *checksum, uint32_t transport_bytes)
{
	store_be16(checksum, fold(sum_words(ip + 12, 8) + ip[9] + transport_bytes));
}

/* The first segment alone tells that the window was reduced, the last alone ends. */
static void write_tcp(
    const struct wan_segments *s, unsigned char *tcp, uint32_t first, uint32_t count)
{
	store_be32(tcp + 4, load_be32(tcp + 4) + first * s->segment_bytes);
	if (first > 0)
		tcp[13] &= (unsigned char)~TCP_CWR;
	if (first + count < s->n)
		tcp[13] &= (unsigned char)~(TCP_FIN | TCP_PSH);
}

uint32_t wan_segments_header(const struct wan_segments *s, const unsigned char *head,
    uint32_t first, uint32_t count, unsigned char out[WAN_HEADER_MAX_BYTES])
{
	unsigned char *ip = out + WAN_VNET_BYTES, *transport;
	struct virtio_net_hdr vnet;
	uint32_t payload_bytes, ip_bytes;

	memcpy(out, head, WAN_VNET_BYTES + s->header_bytes);
	memcpy(&vnet, head, sizeof(vnet));
	wan_segments_payload(s, first, count, &payload_bytes);
	ip_bytes = s->header_bytes + payload_bytes;
	transport = ip + ip_header_bytes(ip);
	write_ip(ip, ip_bytes, first);
	if (ip[9] == IPPROTO_TCP)
		write_tcp(s, transport, first, count);
	else
		store_be16(transport + 4, ip_bytes - ip_header_bytes(ip));
	write_partial_checksum(
	    ip, transport + vnet.csum_offset, ip_bytes - ip_header_bytes(ip));
	vnet.hdr_len = (uint16_t)s->header_bytes;
	if (first > 0)
		vnet.gso_type &= (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
	if (count == 1) {
		vnet.gso_type = VIRTIO_NET_HDR_GSO_NONE;
		vnet.gso_size = 0;
	}
	memcpy(out, &vnet, sizeof(vnet));
	return WAN_VNET_BYTES + s->header_bytes;
}
