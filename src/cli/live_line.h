/* What is said of work that goes on, as one line that fits the terminal. */
#pragma once

#include <aimfair/monitor.h>

/**
 * aimf_live_line: (owned) "epoch 3/15: 120/500 images, 231/s, 2 min 05 s left, loss 0.412". The time left is the whole
 * command's where that is known. @cells: of a terminal, more than which it does not take; 0: any number
 */
char *aimf_live_line(const AimfProgress *progress, glong cells);
