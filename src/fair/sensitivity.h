/* Sensitivities inside the library. */
#pragma once

#include <aimfair/fair.h>

/**
 * aimf_sensitivities_rank: domain ascending, bias descending, equal values in the model's order (Python's stable sort).
 */
void aimf_sensitivities_rank(AimfSensitivities *sensitivities);
