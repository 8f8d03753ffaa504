#include "ear_sums_mve.h"

EAR_SUMS_FUNCTION(
    ear_sums5_mve, 5,
    EAR_SUMS_COLUMN("q0", 0) EAR_SUMS_COLUMN("q1", 1) EAR_SUMS_COLUMN("q2", 2)
    EAR_SUMS_COLUMN("q3", 3) EAR_SUMS_COLUMN("q4", 4) EAR_SUMS_OTHER("q5", 0),
    EAR_SUMS_FIRST(5, "q0", "q5") EAR_SUMS_NEXT_READ(5, 1, "", "q1")
    EAR_SUMS_NEXT_READ(5, 2, "", "q2") EAR_SUMS_NEXT_READ(5, 3, "", "q3")
    EAR_SUMS_NEXT_READ(5, 4, "!", "q4"))
