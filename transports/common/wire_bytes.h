/* SPDX-License-Identifier: MIT */
/* Little-endian integers on the wire. */
#ifndef TRANSPORTS_COMMON_WIRE_BYTES_H
#define TRANSPORTS_COMMON_WIRE_BYTES_H

#include <stdint.h>

static inline uint32_t wire_load_32(const unsigned char *from)
{
	return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 |
	       (uint32_t)from[3] << 24;
}

static inline void wire_store_32(unsigned char *to, uint32_t value)
{
	to[0] = (unsigned char)value;
	to[1] = (unsigned char)(value >> 8);
	to[2] = (unsigned char)(value >> 16);
	to[3] = (unsigned char)(value >> 24);
}

#endif
