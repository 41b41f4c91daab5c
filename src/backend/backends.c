#include "backend/backends.h"

const AimfBackend *const aimf_backends[] = { &aimf_backend_onednn, &aimf_backend_reference, NULL };
