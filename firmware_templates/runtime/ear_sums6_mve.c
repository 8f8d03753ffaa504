#include "ear_sums_mve.h"

EAR_SUMS_FUNCTION(
    ear_sums6_mve, 6,
    EAR_SUMS_COLUMN("q0", 0) EAR_SUMS_COLUMN("q1", 1) EAR_SUMS_COLUMN("q2", 2)
    EAR_SUMS_COLUMN("q3", 3) EAR_SUMS_COLUMN("q4", 4) EAR_SUMS_COLUMN("q5", 5),
    EAR_SUMS_FIRST_READ(6, "q0") EAR_SUMS_NEXT_READ(6, 1, "", "q1")
    EAR_SUMS_NEXT_READ(6, 2, "", "q2") EAR_SUMS_NEXT_READ(6, 3, "", "q3")
    EAR_SUMS_NEXT_READ(6, 4, "", "q4") EAR_SUMS_NEXT_READ(6, 5, "!", "q5"))
