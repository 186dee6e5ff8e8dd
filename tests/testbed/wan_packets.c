/* SPDX-License-Identifier: MIT */
#include "tests/testbed/wan_packets.h"
#include "base/random.h"

#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <string.h>

#define VNET       ((uint32_t)sizeof(struct virtio_net_hdr))
#define GSO_UDP_L4 5

static uint32_t get16(const unsigned char *at)
{
	return (uint32_t)at[0] * 256 + at[1];
}

static void put16(unsigned char *at, uint32_t value)
{
	at[0] = (unsigned char)(value / 256);
	at[1] = (unsigned char)value;
}

static uint32_t get32(const unsigned char *at)
{
	return get16(at) << 16 | get16(at + 2);
}

static void put32(unsigned char *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

/* RFC 1071: ones' complement sum, an odd byte padded with zero. */
static uint32_t sum(uint32_t start, const unsigned char *at, uint32_t bytes)
{
	uint64_t total = start;

	for (uint32_t i = 0; i < bytes; i++)
		total += i % 2 == 0 ? (uint64_t)at[i] * 256 : at[i];
	while (total > 0xffff)
		total = total % 65536 + total / 65536;
	return (uint32_t)total;
}

static uint32_t pseudo_header(const unsigned char *ip, uint32_t transport_bytes)
{
	unsigned char text[12];

	memcpy(text, ip + 12, 8);
	text[8] = 0;
	text[9] = ip[9];
	put16(text + 10, transport_bytes);
	return sum(0, text, sizeof(text));
}

static uint32_t ip_header(const unsigned char *ip)
{
	return (ip[0] % 16) * 4u;
}

static uint32_t checksum_at(const unsigned char *ip)
{
	return ip_header(ip) + (ip[9] == IPPROTO_TCP ? 16 : 6);
}

uint32_t wan_packets_make(const struct wan_packet_kind *kind, unsigned char *out)
{
	uint32_t ip_bytes = 20 + kind->ip_option_bytes;
	uint32_t transport_bytes = kind->is_udp ? 8 : 20 + kind->tcp_option_bytes;
	uint32_t total = ip_bytes + transport_bytes + kind->payload_bytes;
	unsigned char *ip = out + VNET, *transport = ip + ip_bytes;
	struct virtio_net_hdr vnet = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
	    .csum_start = (uint16_t)ip_bytes,
	    .csum_offset = kind->is_udp ? 6 : 16,
	    .hdr_len = (uint16_t)(ip_bytes + transport_bytes),
	    .gso_size = (uint16_t)kind->segment_bytes};
	struct random_stream stream;

	random_stream_seed(&stream, kind->seed);
	for (uint32_t i = 0; i < total; i++)
		ip[i] = (unsigned char)random_stream_next(&stream);
	if (kind->segment_bytes > 0)
		vnet.gso_type = kind->is_udp ? GSO_UDP_L4 : VIRTIO_NET_HDR_GSO_TCPV4;
	if (kind->segment_bytes > 0 && !kind->is_udp && (kind->tcp_flags & 0x80))
		vnet.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	memcpy(out, &vnet, sizeof(vnet));
	ip[0] = (unsigned char)(0x40 + ip_bytes / 4);
	put16(ip + 2, total);
	put16(ip + 6, 0x4000);
	ip[9] = kind->is_udp ? IPPROTO_UDP : IPPROTO_TCP;
	put16(ip + 10, 0);
	put16(ip + 10, 0xffff - sum(0, ip, ip_bytes));
	if (kind->is_udp) {
		put16(transport + 4, total - ip_bytes);
	} else {
		transport[12] = (unsigned char)(transport_bytes / 4 << 4);
		transport[13] = kind->tcp_flags;
	}
	put16(ip + checksum_at(ip), pseudo_header(ip, total - ip_bytes));
	return VNET + total;
}

uint32_t wan_packets_segment(const unsigned char *packet, uint32_t packet_bytes,
    uint32_t index, unsigned char *out)
{
	const unsigned char *ip = packet + VNET;
	uint32_t ip_bytes = ip_header(ip), total = packet_bytes - VNET, headers, begin,
		 end;
	unsigned char *transport = out + ip_bytes;
	struct virtio_net_hdr vnet;
	int is_tcp = ip[9] == IPPROTO_TCP;

	memcpy(&vnet, packet, sizeof(vnet));
	headers = ip_bytes + (is_tcp ? ip[ip_bytes + 12] / 16 * 4u : 8);
	if (vnet.gso_type == 0)
		vnet.gso_size = (uint16_t)(total - headers);
	begin = headers + index * vnet.gso_size;
	end = begin + vnet.gso_size < total ? begin + vnet.gso_size : total;
	if (index > 0 && begin >= total)
		return 0;
	memcpy(out, ip, headers);
	memcpy(out + headers, ip + begin, end - begin);
	put16(out + 2, headers + end - begin);
	put16(out + 4, (get16(ip + 4) + index) % 65536);
	put16(out + 10, 0);
	put16(out + 10, 0xffff - sum(0, out, ip_bytes));
	if (is_tcp) {
		put32(transport + 4, get32(transport + 4) + index * vnet.gso_size);
		if (index > 0)
			transport[13] &= 0x7f; /* CWR */
		if (end < total)
			transport[13] &= 0xf6; /* FIN, PSH */
	} else {
		put16(transport + 4, headers + end - begin - ip_bytes);
	}
	put16(out + checksum_at(out), 0);
	put16(out + checksum_at(out),
	    0xffff - sum(pseudo_header(out, headers + end - begin - ip_bytes), transport,
			 headers + end - begin - ip_bytes));
	return headers + end - begin;
}

void wan_packets_complete(unsigned char *ip, uint32_t ip_bytes, uint32_t checksum_offset)
{
	uint32_t start = ip_header(ip);

	put16(
	    ip + start + checksum_offset, 0xffff - sum(0, ip + start, ip_bytes - start));
}

int wan_packets_is_right(const unsigned char *ip, uint32_t ip_bytes)
{
	uint32_t start = ip_header(ip);

	return sum(0, ip, start) == 0xffff && sum(pseudo_header(ip, ip_bytes - start),
						  ip + start, ip_bytes - start) == 0xffff;
}
