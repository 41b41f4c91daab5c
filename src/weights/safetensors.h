/*
 * The safetensors format: 8 bytes of header length, a JSON header, the tensors' bytes without gaps.
 * Source: huggingface/safetensors, README.md, "Format".
 */
#pragma once

#include "base/file.h"
#include <aimfair/weights.h>

/** aimf_is_safetensors: whether the bytes begin as such a file does, however broken the rest is. */
gboolean aimf_is_safetensors(GBytes *map);
/** aimf_safetensors_parse: (owned) a set whose data stay in @map; NULL with FORMAT or UNSUPPORTED. */
AimfTensors *aimf_safetensors_parse(GBytes *map, GError **error);
/** aimf_safetensors_write: the set in its own order; the same set gives the same bytes. */
gboolean aimf_safetensors_write(const AimfTensors *tensors, AimfWriter *writer, GError **error);
