#include "ear_sums_mve.h"

EAR_SUMS_FUNCTION(
    ear_sums4_mve, 4,
    EAR_SUMS_COLUMN("q0", 0) EAR_SUMS_COLUMN("q1", 1) EAR_SUMS_COLUMN("q2", 2)
    EAR_SUMS_COLUMN("q3", 3) EAR_SUMS_OTHER("q4", 0) EAR_SUMS_OTHER("q5", 1),
    EAR_SUMS_FIRST(4, "q0", "q4") EAR_SUMS_NEXT(4, 1, "", "q1", "q5")
    EAR_SUMS_NEXT_READ(4, 2, "", "q2") EAR_SUMS_NEXT_READ(4, 3, "!", "q3"))
