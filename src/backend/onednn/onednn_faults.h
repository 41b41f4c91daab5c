/* Which of oneDNN's convolutions must not run. */
#pragma once

#include "backend/onednn/onednn_operand.h"

/** onednn_is_faulty: whether oneDNN computes such a convolution wrongly; operands as of onednn_convolution. */
gboolean onednn_is_faulty(OnednnDirection direction, const OnednnOperand *x, const OnednnOperand *weight,
                          const OnednnOperand *y, const AimfConv2d *options);
