/* The devices there are, and which backend computes on each. */
#include "backend/onednn/onednn.h"
#include "backend/reference/reference.h"

#include "backend/host_device.h"
#include "base/instruction_set.h"

static void describe_cpu(AimfDeviceInfo *info)
{
    host_device_describe(info);
    info->engine = aimf_backend_onednn.version();
    info->bf16 = aimf_instruction_set() >= AIMF_ISA_AVX512_BF16;
}

static void describe_reference(AimfDeviceInfo *info)
{
    host_device_describe(info);
    info->engine = aimf_backend_reference.version();
    info->threads = 1;
}

static const AimfDeviceClass cpu = {
    .name = "cpu",
    .backend = &aimf_backend_onednn,
    .describe = describe_cpu,
    HOST_DEVICE_CLASS,
};

static const AimfDeviceClass reference = {
    .name = "reference",
    .backend = &aimf_backend_reference,
    .describe = describe_reference,
    HOST_DEVICE_CLASS,
};

const AimfDeviceClass *const aimf_device_classes[] = { &cpu, &reference, NULL };
