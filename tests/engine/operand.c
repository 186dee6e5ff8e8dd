/* SPDX-License-Identifier: MIT */
/* Intel's manual, volume 2: chapter 2 (formats), appendix A (opcode maps). */
#include "tests/engine/operand.h"

#include <string.h>

struct instruction {
	uint32_t map;    /* 0 = one byte, 1 = 0F, 2 = 0F 38, 3 = 0F 3A */
	uint32_t x, b;   /* the fourth bit of index and base */
	int is_vector;   /* VEX or EVEX */
	uint32_t opcode; /* of its map */
	const unsigned char *modrm;
};

static int is_prefix(unsigned char byte)
{
	static const unsigned char prefixes[] = {
	    0x66, 0x67, 0xF2, 0xF3, 0xF0, 0x2E, 0x36, 0x3E, 0x26, 0x64, 0x65};

	return memchr(prefixes, byte, sizeof(prefixes)) != NULL;
}

static void take_vector(struct instruction *i, const unsigned char *code)
{
	uint32_t fields = code[1];

	i->is_vector = 1;
	i->map = code[0] == 0xC5 ? 1 : fields & (code[0] == 0x62 ? 7 : 31);
	i->x = code[0] != 0xC5 && (fields & 0x40) == 0;
	i->b = code[0] != 0xC5 && (fields & 0x20) == 0;
	code += code[0] == 0x62 ? 4 : code[0] == 0xC4 ? 3 : 2;
	i->opcode = code[0];
	i->modrm = code + 1;
}

static void take_scalar(struct instruction *i, const unsigned char *code)
{
	if ((*code & 0xF0) == 0x40) {
		i->x = *code >> 1 & 1;
		i->b = *code & 1;
		code++;
	}
	if (*code == 0x0F) {
		code++;
		i->map = *code == 0x38 ? 2 : *code == 0x3A ? 3 : 1;
		code += i->map > 1;
	}
	i->opcode = *code;
	i->modrm = code + 1;
}

static int has_modrm_one_byte(uint32_t opcode)
{
	if (opcode < 0x40)
		return (opcode & 7) < 4;
	return opcode == 0x63 || opcode == 0x69 || opcode == 0x6B ||
	       (opcode >= 0x80 && opcode <= 0x8F) || opcode == 0xC0 || opcode == 0xC1 ||
	       opcode == 0xC6 || opcode == 0xC7 || (opcode >= 0xD0 && opcode <= 0xD3) ||
	       (opcode >= 0xD8 && opcode <= 0xDF) || opcode == 0xF6 || opcode == 0xF7 ||
	       opcode >= 0xFE;
}

static int has_modrm_two_bytes(uint32_t opcode)
{
	return !((opcode >= 0x05 && opcode <= 0x0B) || opcode == 0x0E ||
		 (opcode >= 0x30 && opcode <= 0x37) || opcode == 0x77 ||
		 (opcode >= 0x80 && opcode <= 0x8F) ||
		 (opcode >= 0xA0 && opcode <= 0xA2) ||
		 (opcode >= 0xA8 && opcode <= 0xAA) || opcode >= 0xFF ||
		 (opcode >= 0xC8 && opcode <= 0xCF));
}

/* Whether its ModRM byte names a place that it reads or writes: LEA only computes it, a
 * long NOP does nothing. */
static int has_memory(const struct instruction *i)
{
	if (i->map == 0 && (i->opcode == 0x8D || !has_modrm_one_byte(i->opcode)))
		return 0;
	if (i->map == 1 && !has_modrm_two_bytes(i->opcode))
		return 0;
	if (i->map == 1 && !i->is_vector && i->opcode >= 0x19 && i->opcode <= 0x1F)
		return 0;
	return *i->modrm >> 6 != 3;
}

/* MOVS, CMPS; LODS; STOS, SCAS: by rsi and rdi, by rsi, by rdi. */
static int is_string(const struct instruction *i)
{
	return i->map == 0 && !i->is_vector &&
	       ((i->opcode >= 0xA4 && i->opcode <= 0xA7) ||
		   (i->opcode >= 0xAA && i->opcode <= 0xAF));
}

static uint64_t mix(uint64_t digest, uint64_t value)
{
	digest = (digest ^ value) * UINT64_C(0x9E3779B97F4A7C15);
	return digest ^ digest >> 29;
}

uint64_t operand_address(
    const unsigned char *code, const struct operand_registers *r, int *is_gather)
{
	struct instruction i = {0};
	uint64_t numbered[16], digest = mix(0, r->rsp);
	uint32_t mod, rm;

	memcpy(numbered, r, sizeof(numbered));
	while (is_prefix(*code))
		code++;
	if (*code == 0xC4 || *code == 0xC5 || *code == 0x62)
		take_vector(&i, code);
	else
		take_scalar(&i, code);
	*is_gather = i.is_vector && i.map == 2 &&
		     ((i.opcode & 0xFC) == 0x90 || (i.opcode & 0xFC) == 0xA0);
	if (is_string(&i)) {
		int has_rsi = i.opcode <= 0xA7 || (i.opcode & 0xFE) == 0xAC;
		int has_rdi = (i.opcode & 0xFE) != 0xAC;

		digest = mix(digest, r->rcx);
		digest = has_rsi ? mix(digest, r->rsi) : digest;
		return has_rdi ? mix(digest, r->rdi) : digest;
	}
	if (!has_memory(&i))
		return digest;
	mod = *i.modrm >> 6;
	rm = *i.modrm & 7;
	if (rm == 4) {
		uint32_t index = (i.modrm[1] >> 3 & 7) | i.x << 3;
		uint32_t base = i.modrm[1] & 7;

		if (index != 4 && !*is_gather)
			digest = mix(digest, numbered[index]);
		return base == 5 && mod == 0 ? digest
					     : mix(digest, numbered[base | i.b << 3]);
	}
	/* Without a register: an offset from the instruction. */
	return rm == 5 && mod == 0 ? digest : mix(digest, numbered[rm | i.b << 3]);
}
