/* SPDX-License-Identifier: MIT */
/* Which kernels for 2^61-1 this build has and this CPU can run. */
#include "engine/field_m61.h"

#include <string.h>

#ifdef __x86_64__
static int cpu_has_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}

static int cpu_has_ifma(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512ifma");
}
#endif

static int cpu_has_all(void)
{
	return 1;
}

/* Fastest first. */
static const struct family {
	const char *name;
	const struct field_ops *ops;
	int (*runs_here)(void);
} families[] = {
#ifdef __x86_64__
    {"ifma", &field_m61_ifma, cpu_has_ifma},
    {"avx2", &field_m61_avx2, cpu_has_avx2},
#endif
    {"portable", &field_m61_portable, cpu_has_all},
};

#define N_FAMILIES (sizeof(families) / sizeof(families[0]))

const struct field_ops *field_m61_best(void)
{
	for (size_t i = 0; i + 1 < N_FAMILIES; i++)
		if (families[i].runs_here())
			return families[i].ops;
	return &field_m61_portable;
}

const struct field_ops *field_m61_kernels(const char *family, const char **why)
{
	const char *reason = "this build is for another kind of processor";
	const struct field_ops *ops = NULL;

	for (size_t i = 0; i < N_FAMILIES; i++) {
		if (strcmp(families[i].name, family) != 0)
			continue;
		if (families[i].runs_here())
			ops = families[i].ops;
		else
			reason = "this CPU lacks the instructions";
	}
	if (why != NULL)
		*why = reason;
	return ops;
}
