/* Layouts, beside those of cpu.h. A detail is a memory descriptor; whatever lies row-major has none. */
#pragma once

#include "backend/cpu/cpu.h"

gboolean onednn_layout_equal(const AimfLayout *a, const AimfLayout *b);
/** onednn_layout_text: (owned) in oneDNN's notation, for instance "aBcd16b". */
char *onednn_layout_text(const AimfLayout *layout, const AimfShape *shape);
/**
 * onednn_layout_offsets: (owned) how many elements behind index 0 each index of dimension @dim lies; offsets of
 * dimensions add up.
 */
gint64 *onednn_layout_offsets(const AimfLayout *layout, const AimfShape *shape, int dim);
/** onednn_layout_shape: the dimensions that oneDNN sees, of a layout that is not row-major. */
AimfShape onednn_layout_shape(const AimfLayout *layout);
/** onednn_layout_packing: (nullable, borrowed) how a parameter in this layout is packed. */
const CpuPacking *onednn_layout_packing(const AimfLayout *layout);
