#include "ear_sums_mve.h"

EAR_SUMS_FUNCTION(
    ear_sums2_mve, 2,
    EAR_SUMS_COLUMN("q0", 0) EAR_SUMS_COLUMN("q1", 1) EAR_SUMS_OTHER("q2", 0)
    EAR_SUMS_OTHER("q3", 1),
    EAR_SUMS_FIRST(2, "q0", "q2") EAR_SUMS_NEXT(2, 1, "!", "q1", "q3"))
