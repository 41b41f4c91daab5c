#include "model/places.h"

#include "base/monitor.h"

#include <math.h>
#include <string.h>

/* The side of a square of so many places, or 0. */
static gint64 side_of(gint64 places)
{
    gint64 side = (gint64)llround(sqrt((double)places));
    return side * side == places ? side : 0;
}

gboolean aimf_places_alike(const AimfArchitecture *architecture, const char *name, const AimfShape *ours,
                           const AimfShape *theirs)
{
    return architecture->places && strcmp(name, architecture->places) == 0 && theirs->rank == 3 &&
           theirs->dim[0] == 1 && theirs->dim[2] == ours->dim[2] && theirs->dim[1] > 1;
}

static AimfPlaces places_in(const AimfModel *model, const AimfPreprocess *pictures)
{
    int patch = aimf_architecture_find(model->architecture, NULL)->patch;
    return (AimfPlaces){ pictures->height / patch, pictures->width / patch };
}

gboolean aimf_places_of(const AimfModel *model, const AimfTensor *ours, const AimfTensor *theirs,
                        const AimfPreprocess *pictures, AimfPlaces *places)
{
    const AimfArchitecture *architecture = aimf_architecture_find(model->architecture, NULL);
    if (!aimf_places_alike(architecture, ours->name, &ours->shape, &theirs->shape))
        return FALSE;
    gint64 n = theirs->shape.dim[1] - 1, side = side_of(n);
    if (pictures || theirs->shape.dim[1] == ours->shape.dim[1])
        *places = places_in(model, pictures ? pictures : &model->preprocess);
    else
        *places = (AimfPlaces){ side, side };
    return places->height * places->width == n;
}

gboolean aimf_places_are_ours(const AimfModel *model, const AimfPlaces *places)
{
    AimfPlaces ours = places_in(model, &model->preprocess);
    return places->height == ours.height && places->width == ours.width;
}

/* Keys' cubic convolution with a = -0.5. */
static double cubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((x - 5) * x + 8) * x * a - 4 * a : 0;
}

/* Rows (n) of @width numbers, @stride apart, to (to_n) rows: each is a mean of those around it, weighted by cubic(). */
static void resample(const double *from, gint64 n, double *to, gint64 to_n, gint64 width, gint64 stride)
{
    double step = (double)n / (double)to_n, stretch = MAX(step, 1), reach = 2 * stretch;
    for (gint64 i = 0; i < to_n; i++) {
        double centre = ((double)i + 0.5) * step, total = 0;
        gint64 first = MAX((gint64)(centre - reach + 0.5), 0), end = MIN((gint64)(centre + reach + 0.5), n);
        memset(to + i * stride, 0, (gsize)width * sizeof *to);
        for (gint64 k = first; k < end; k++)
            total += cubic(((double)k + 0.5 - centre) / stretch);
        for (gint64 k = first; k < end; k++) {
            double weight = cubic(((double)k + 0.5 - centre) / stretch) / total;
            for (gint64 c = 0; c < width; c++)
                to[i * stride + c] += weight * from[k * stride + c];
        }
    }
}

gboolean aimf_places_resample(const AimfModel *model, guint index, const AimfTensors *from, guint entry,
                              const AimfPlaces *places, const AimfMonitor *monitor, GError **error)
{
    const AimfTensor *ours = aimf_tensors_at(model->tensors, index), *theirs = aimf_tensors_at(from, entry);
    const AimfPlaces wanted = places_in(model, &model->preprocess);
    gint64 channels = ours->shape.dim[2], height = wanted.height, width = wanted.width;
    gint64 lines = places->height, line = places->width;
    gsize n_theirs = (gsize)aimf_shape_count(&theirs->shape);
    g_autofree float *rows = g_try_new(float, n_theirs);
    g_autofree double *source = g_try_new(double, n_theirs);
    g_autofree double *wide = g_try_new(double, (gsize)(lines * width * channels));
    g_autofree double *grid = g_try_new(double, (gsize)(height * width * channels));
    if (!rows || !source || !wide || !grid) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for resampling '%s'", ours->name);
        return FALSE;
    }
    if (!aimf_tensors_read(from, entry, AIMF_F32, rows, error))
        return FALSE;
    for (gsize i = 0; i < n_theirs; i++)
        source[i] = (double)rows[i];
    for (gint64 y = 0; y < lines; y++)
        resample(source + channels + y * line * channels, line, wide + y * width * channels, width, channels, channels);
    resample(wide, lines, grid, height, width * channels, width * channels);
    float *to = aimf_tensors_writable(model->tensors, index);
    memcpy(to, rows, (gsize)channels * sizeof *to);
    for (gint64 i = 0; i < height * width * channels; i++)
        to[channels + i] = (float)grid[i];
    aimf_message(monitor, AIMF_LOG_INFO,
                 "'%s' has rows for %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT
                 " places; they are resampled to %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT,
                 ours->name, line, lines, width, height);
    return TRUE;
}
