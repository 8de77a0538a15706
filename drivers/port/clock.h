/* The one clock of the media plane: monotonic nanoseconds from the TSC. */
#ifndef DRV_CLOCK_H
#define DRV_CLOCK_H

#include <stdint.h>
#include <rte_cycles.h>

/* Nanoseconds since an arbitrary start, the same on all cores. 128-bit product: no drift, no
 * overflow. */
static inline uint64_t
drv_now_ns(void)
{
	return (uint64_t)((unsigned __int128)rte_get_tsc_cycles() * 1000000000u / rte_get_tsc_hz());
}

#endif
