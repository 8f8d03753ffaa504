#include "ear_sums_mve.h"

EAR_SUMS_FUNCTION(
    ear_sums3_mve, 3,
    EAR_SUMS_COLUMN("q0", 0) EAR_SUMS_COLUMN("q1", 1) EAR_SUMS_COLUMN("q2", 2)
    EAR_SUMS_OTHER("q3", 0) EAR_SUMS_OTHER("q4", 1) EAR_SUMS_OTHER("q5", 2),
    EAR_SUMS_FIRST(3, "q0", "q3") EAR_SUMS_NEXT(3, 1, "", "q1", "q4")
    EAR_SUMS_NEXT(3, 2, "!", "q2", "q5"))
