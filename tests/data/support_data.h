/* Small datasets drawn into a temporary folder. */
#pragma once

#include <aimfair/data.h>

/** data_folder_new: (owned) a fresh temporary folder. */
char *data_folder_new(void);
/** data_folder_free: removes the folder and everything in it. */
void data_folder_free(char *folder);

/** data_write: the text @text as the file @name (parents are made) below @folder. Returns: (owned) its path. */
char *data_write(const char *folder, const char *name, const char *text);
/** data_write_bytes: as data_write, for bytes with zeros. */
char *data_write_bytes(const char *folder, const char *name, const char *bytes, gsize n);
/** data_touch: an empty file. */
void data_touch(const char *folder, const char *name);
/**
 * data_draw: a picture whose colours depend on @index, of a size that does too, as @name. Returns: (owned) its path.
 */
char *data_draw(const char *folder, const char *name, guint index);

/** data_expect_error: @error is AIMF_ERROR @code and its message has all of the NULL-terminated parts; clears it. */
void data_expect_error(GError **error, AimfErrorCode code, ...) G_GNUC_NULL_TERMINATED;
