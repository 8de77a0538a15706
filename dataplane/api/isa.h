/* The instruction sets that the media kernels are written for. Chosen once at start, held by the
 * worker. */
#ifndef DP_API_ISA_H
#define DP_API_ISA_H

enum dp_isa {
	DP_ISA_C = 0,  /* the reference, any machine */
	DP_ISA_AVX2,   /* AVX2 */
	DP_ISA_AVX512, /* AVX-512 F, BW, VL */
	DP_ISA_COUNT
};

/* The best that this machine runs. */
static inline enum dp_isa
dp_isa_best(void)
{
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512vl"))
		return DP_ISA_AVX512;
	return __builtin_cpu_supports("avx2") ? DP_ISA_AVX2 : DP_ISA_C;
}

static inline const char *
dp_isa_name(enum dp_isa isa)
{
	static const char *const names[] = {"c", "avx2", "avx512"};

	return isa < DP_ISA_COUNT ? names[isa] : "c";
}

#endif
