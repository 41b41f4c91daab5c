/* Sets of tensors in files of whatever form. */
#include "base/file.h"
#include "weights/checkpoint.h"
#include "weights/foreign.h"
#include "weights/safetensors.h"
#include "weights/tensors.h"

AimfTensors *aimf_tensors_open_partly(const char *path, GError **error)
{
    g_autoptr(GBytes) map = aimf_file_map(path, error);
    if (!map)
        return NULL;
    AimfTensors *tensors = NULL;
    g_autofree char *foreign = aimf_foreign(map);
    if (foreign) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "neither safetensors nor a PyTorch checkpoint, but %s",
                    foreign);
    } else if (aimf_is_safetensors(map)) {
        tensors = aimf_safetensors_parse(map, error);
    } else if (aimf_is_checkpoint(map)) {
        tensors = aimf_checkpoint_parse(map, error);
    } else {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "neither safetensors nor a PyTorch checkpoint (%" G_GSIZE_FORMAT " bytes)", g_bytes_get_size(map));
    }
    if (tensors)
        aimf_tensors_set_maps_file(tensors);
    else
        g_prefix_error(error, "'%s': ", path);
    return tensors;
}

AimfTensors *aimf_tensors_open(const char *path, GError **error)
{
    g_autoptr(AimfTensors) tensors = aimf_tensors_open_partly(path, error);
    if (!tensors || aimf_tensors_check_kinds(tensors, "", error))
        return g_steal_pointer(&tensors);
    g_prefix_error(error, "'%s': ", path);
    return NULL;
}

const char *aimf_mapped_file_at(const void *address)
{
    return aimf_file_mapped_at(address);
}

gboolean aimf_is_checkpoint_name(const char *path)
{
    static const char *const suffixes[] = { ".pth", ".pt", ".ckpt" };
    g_autofree char *lower = g_ascii_strdown(path, -1);
    for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++)
        if (g_str_has_suffix(lower, suffixes[i]))
            return TRUE;
    return FALSE;
}

gboolean aimf_tensors_save(const AimfTensors *tensors, const char *path, GError **error)
{
    g_autoptr(AimfWriter) writer = aimf_writer_open(path, error);
    if (!writer)
        return FALSE;
    gboolean written = aimf_is_checkpoint_name(path) ? aimf_checkpoint_write(tensors, writer, error)
                                                     : aimf_safetensors_write(tensors, writer, error);
    return written && aimf_tensors_unchanged(tensors, error) && aimf_writer_commit(writer, error);
}
