#include "weights/checkpoint.h"

#include "weights/checkpoint_forms.h"
#include "weights/tar.h"

#include <string.h>

static gboolean is_archive(GBytes *map)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(map, &size);
    return size >= 4 && memcmp(data, "PK\3\4", 4) == 0;
}

static gboolean is_pickle(GBytes *map)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(map, &size);
    return size > 0 && data[0] == 0x80; /* the opcode PROTO */
}

gboolean aimf_is_checkpoint(GBytes *map)
{
    return is_archive(map) || is_pickle(map) || aimf_is_tar(map);
}

AimfTensors *aimf_checkpoint_parse(GBytes *map, GError **error)
{
    if (is_archive(map))
        return aimf_checkpoint_parse_zip(map, error);
    return is_pickle(map) ? aimf_checkpoint_parse_stream(map, error) : aimf_checkpoint_parse_tar(map, error);
}
