/* The backends there are. */
#pragma once

#include "graph/backend.h"

extern const AimfBackend aimf_backend_reference;
extern const AimfBackend aimf_backend_onednn;
