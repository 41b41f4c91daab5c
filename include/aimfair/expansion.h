/*
 * How much more than its own size a file may ask for.
 *
 * Example:
 *     #include <aimfair/image.h>
 *     AimfImage *open_trusted(const char *path, GError **error)
 *     {
 *         aimf_set_max_expansion(100);
 *         AimfImage *image = aimf_image_open(path, error);
 *         aimf_set_max_expansion(1);
 *         return image;
 *     }
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * aimf_set_max_expansion: pictures and checkpoints may ask for memory and work of so many times what is usual for their
 * size, from 1, which holds until this is called, to AIMF_MAX_EXPANSION. For files that are trusted; of the whole
 * process. docs/reliability.md says what is usual.
 */
void aimf_set_max_expansion(guint times);
guint aimf_max_expansion(void);
#define AIMF_MAX_EXPANSION 1000000

G_END_DECLS
