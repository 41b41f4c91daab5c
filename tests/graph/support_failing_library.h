/*
 * A oneDNN that can run out of memory. A program that calls these functions is linked with a dnnl_primitive_execute
 * that stands before oneDNN's own. So calls fail on any processor, whichever kernels really allocate when they run.
 */
#pragma once

#include <glib.h>

/** failing_library_arm: from now on @good calls succeed, and all further ones fail with "out of memory". */
void failing_library_arm(guint good);
/** failing_library_disarm: all calls succeed again. Returns: how many have failed since arming. */
guint failing_library_disarm(void);
/** failing_library_calls: how many there have been, good and failed ones. */
guint failing_library_calls(void);
