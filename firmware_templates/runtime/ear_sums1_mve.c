#include "ear_sums_mve.h"

EAR_SUMS_FUNCTION(
    ear_sums1_mve, 1,
    EAR_SUMS_COLUMN("q0", 0) EAR_SUMS_OTHER("q1", 0),
    EAR_SUMS_FIRST(1, "q0", "q1"))
