/* The backends there are, and the devices on which they compute. */
#pragma once

#include "graph/backend.h"

extern const AimfBackend aimf_backend_reference;
extern const AimfBackend aimf_backend_onednn;

extern const AimfDeviceClass aimf_device_cpu;
extern const AimfDeviceClass aimf_device_reference;
