/* Generation jobs and single files with pictures from a diffusion model. */
#include "diffusion/generation.h"

#include "base/file.h"

static gboolean make(gpointer diffusion, const AimfSampling *sampling, AimfPicture *pictures, guint n,
                     const AimfMonitor *monitor, GError **error)
{
    return aimf_diffusion_generate(diffusion, sampling, pictures, n, monitor, error);
}

gboolean aimf_generate(AimfDiffusion *diffusion, const AimfSampling *sampling, const AimfGeneration *generation,
                       AimfGenerationResult *result, const AimfMonitor *monitor, GError **error)
{
    const AimfPictureMaker maker = { .info = aimf_diffusion_info(diffusion), .make = make, .data = diffusion };
    return aimf_generate_with(&maker, sampling, generation, result, monitor, error);
}

gboolean aimf_picture_save(const AimfDiffusion *diffusion, const AimfSampling *sampling, const AimfPicture *picture,
                           const char *path, GError **error)
{
    AimfDiffusionInfo info = aimf_diffusion_info(diffusion);
    g_autoptr(JsonObject) settings = aimf_generation_settings(&info, sampling, 0);
    g_autoptr(GBytes) png = aimf_picture_encode(picture->image, settings, picture, error);
    gsize size;
    const void *data = png ? g_bytes_get_data(png, &size) : NULL;
    return data && aimf_file_write(path, data, size, error);
}
