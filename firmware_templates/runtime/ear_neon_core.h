/* EAR_NEON tells whether the core has the vectors of aarch64, whose intrinsics are declared then. */
#ifndef EAR_NEON_CORE_H
#define EAR_NEON_CORE_H

#if defined(__aarch64__) && defined(__ARM_NEON) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define EAR_NEON 1
#include <arm_neon.h>
#else
#define EAR_NEON 0
#endif

#endif
