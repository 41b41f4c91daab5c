/* The backends there are. */
#include "backend/onednn/onednn.h"
#include "backend/reference/reference.h"

const AimfBackend *const aimf_backends[] = { &aimf_backend_onednn, &aimf_backend_reference, NULL };
