/* Contact sheets: the first pictures of each group on one page, for a person to look at while a job runs. */
#include "diffusion/generation_preview.h"

#include <math.h>
#include <string.h>

enum { MAX_CELLS = 36, CELL_PX = 128, GAP_PX = 4 };

char *aimf_preview_name(const AimfJob *job, guint group)
{
    return g_strdup_printf("preview_%s.png", job->prompts->groups[group].name);
}

static void paste(AimfImage *sheet, const AimfImage *cell, int left, int top)
{
    for (int y = 0; y < cell->height; y++)
        memcpy(sheet->data + ((gsize)(top + y) * (gsize)sheet->width + (gsize)left) * 3,
               cell->data + (gsize)y * (gsize)cell->width * 3, (gsize)cell->width * 3);
}

/* The picture's longer side becomes the cell's; one that is not there, failed or is damaged leaves its cell grey. */
static gboolean draw_cell(AimfImage *sheet, const char *path, int left, int top, GError **error)
{
    GError *failure = NULL;
    g_autoptr(AimfImage) picture = aimf_image_open(path, &failure);
    if (g_error_matches(failure, AIMF_ERROR, AIMF_ERROR_IO) ||
        g_error_matches(failure, AIMF_ERROR, AIMF_ERROR_MEMORY)) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    g_clear_error(&failure);
    if (!picture)
        return TRUE;
    double scale = (double)CELL_PX / MAX(picture->width, picture->height);
    int width = MAX((int)(picture->width * scale + 0.5), 1), height = MAX((int)(picture->height * scale + 0.5), 1);
    g_autoptr(AimfImage) cell = aimf_image_resize(picture, NULL, width, height, AIMF_LANCZOS, error);
    if (!cell)
        return FALSE;
    paste(sheet, cell, left + (CELL_PX - width) / 2, top + (CELL_PX - height) / 2);
    return TRUE;
}

static gboolean save_sheet(const AimfJob *job, guint group, guint per_group, GError **error)
{
    guint n = MIN(per_group, MAX_CELLS);
    int columns = (int)ceil(sqrt(n)), rows = ((int)n + columns - 1) / columns, pitch = CELL_PX + GAP_PX;
    g_autoptr(AimfImage) sheet = aimf_image_new(columns * pitch + GAP_PX, rows * pitch + GAP_PX, error);
    if (!sheet)
        return FALSE;
    memset(sheet->data, 0x80, (gsize)sheet->width * (gsize)sheet->height * 3);
    for (guint i = 0; i < n; i++) {
        g_autofree char *file = aimf_job_file(job, (guint64)i * job->prompts->n_groups + group);
        g_autofree char *path = g_build_filename(job->generation->folder, file, NULL);
        if (!draw_cell(sheet, path, GAP_PX + (int)i % columns * pitch, GAP_PX + (int)i / columns * pitch, error))
            return FALSE;
    }
    g_autofree char *name = aimf_preview_name(job, group);
    g_autofree char *path = g_build_filename(job->generation->folder, name, NULL);
    const AimfImageText source = aimf_image_source_text(AIMF_SOURCE_TRAINED_ALGORITHMIC_MEDIA);
    return aimf_image_save_png(sheet, &source, job->version > AIMF_FIRST_JOB_VERSION, path, error);
}

gboolean aimf_preview_save(const AimfJob *job, guint per_group, GError **error)
{
    for (guint group = 0; group < job->prompts->n_groups; group++)
        if (!save_sheet(job, group, per_group, error))
            return FALSE;
    return TRUE;
}
