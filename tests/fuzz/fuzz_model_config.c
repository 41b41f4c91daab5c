/* Configurations of Stable Diffusion's networks and of the scheduler, as diffusers and transformers write them. */
#include "fuzz/support_fuzz.h"
#include "model/sd_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    const char *path = fuzz_write("config.json", data + 1, size - 1);
    AimfClipTextConfig text = { 0 };
    AimfUnetConfig unet = { 0 };
    AimfVaeConfig vae = { 0 };
    AimfSdSchedule schedule = { 0 };
    GError *error = NULL;
    switch (*data % 4) {
    case 0:
        fuzz_check(aimf_clip_text_config_read(path, &text, &error), &error);
        break;
    case 1:
        fuzz_check(aimf_unet_config_read(path, &unet, &error), &error);
        break;
    case 2:
        fuzz_check(aimf_vae_config_read(path, &vae, &error), &error);
        break;
    case 3:
        fuzz_check(aimf_sd_schedule_read(path, &schedule, &error), &error);
        break;
    }
    return 0;
}
