/* SPDX-License-Identifier: MIT */
/* Where in memory an instruction of x-86-64 reads or writes. */
#ifndef TESTS_ENGINE_OPERAND_H
#define TESTS_ENGINE_OPERAND_H

#include <stdint.h>

/* In the order of their numbers in instructions. */
struct operand_registers {
	uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14,
	    r15;
};

/* A digest of what the address of the instruction's memory operand is made of: base and
 * index (the constant in the instruction is left out), the stack pointer, and for string
 * instructions their registers. Sets *is_gather if a vector says where. */
uint64_t operand_address(
    const unsigned char *code, const struct operand_registers *r, int *is_gather);

#endif
