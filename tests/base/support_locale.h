/* A locale whose numbers have a comma, as programs that call the library may have it. */
#pragma once

#include <glib.h>

/** support_comma_begin: the process has it from here on; FALSE where there is none and none can be made. */
gboolean support_comma_begin(void);
/** support_comma_end: the locale C again. */
void support_comma_end(void);
