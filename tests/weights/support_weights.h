/* What the tests of weight files share. */
#pragma once

#include <aimfair/weights.h>

/** support_assert_same_bytes: g_assert_cmpmem for sizes of any type. */
void support_assert_same_bytes(gconstpointer a, gsize a_bytes, gconstpointer b, gsize b_bytes);
/** support_assert_error: that there is one with @code whose message contains @says; clears it. */
void support_assert_error(GError **error, AimfErrorCode code, const char *says);
/** support_weights_path: (borrowed) @name in this program's temporary folder, valid until the fourth next call. */
const char *support_weights_path(const char *name);
/** support_weights_write: the file @name there, (borrowed) its path. */
const char *support_weights_write(const char *name, gconstpointer data, gsize bytes);
/** support_weights_remove: the temporary folder and all in it. */
void support_weights_remove(void);
