#include "cli/support_program.h"
#include "weights/support_weights.h"
