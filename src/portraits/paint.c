/* Painting a portrait: from the ground to the hat, far things first. */
#include "portraits/portrait.h"

#include <cairo.h>
#include <math.h>

/* What the painting functions share. The current point of view is the head's: see AimfPortrait. */
typedef struct {
    cairo_t *cr;
    const AimfPortrait *portrait;
    AimfRandom random;
} Painter;

static AimfColour shade(AimfColour c, double factor)
{
    return (AimfColour){ fmin(1, c.red * factor), fmin(1, c.green * factor), fmin(1, c.blue * factor) };
}

static void set_colour(Painter *painter, AimfColour c, double alpha)
{
    cairo_set_source_rgba(painter->cr, c.red, c.green, c.blue, alpha);
}

/* Fills the path: flat in the synthetic look, lit from the light's side in the photographic one. */
static void fill(Painter *painter, AimfColour c, double alpha)
{
    const AimfPortrait *p = painter->portrait;
    if (p->look == AIMF_LOOK_SYNTHETIC) {
        set_colour(painter, c, alpha);
        cairo_fill(painter->cr);
        return;
    }
    double dx = 1.4 * cos(p->light_angle), dy = 1.4 * sin(p->light_angle);
    AimfColour bright = shade(c, 1 + 0.5 * p->light_strength), dark = shade(c, 1 - p->light_strength);
    cairo_pattern_t *light = cairo_pattern_create_linear(dx, dy, -dx, -dy);
    cairo_pattern_add_color_stop_rgba(light, 0, bright.red, bright.green, bright.blue, alpha);
    cairo_pattern_add_color_stop_rgba(light, 1, dark.red, dark.green, dark.blue, alpha);
    cairo_set_source(painter->cr, light);
    cairo_fill(painter->cr);
    cairo_pattern_destroy(light);
}

static void ellipse(Painter *painter, double x, double y, double rx, double ry)
{
    cairo_save(painter->cr);
    cairo_translate(painter->cr, x, y);
    cairo_scale(painter->cr, rx, ry);
    cairo_new_sub_path(painter->cr);
    cairo_arc(painter->cr, 0, 0, 1, 0, 2 * G_PI);
    cairo_restore(painter->cr);
}

static double between(AimfRandom *random, double low, double high)
{
    return low + (high - low) * aimf_random_uniform(random);
}

/* Soft discs and bars behind the head, as a room or a street out of focus. In units of the picture's side. */
static void paint_clutter(Painter *painter)
{
    cairo_t *cr = painter->cr;
    AimfRandom *random = &painter->random;
    int n = 3 + (int)aimf_random_below(random, 8);
    for (int i = 0; i < n; i++) {
        double x = aimf_random_uniform(random), y = aimf_random_uniform(random), size = between(random, 0.06, 0.28);
        double grey = between(random, 0.1, 1), tint = between(random, 0.6, 1);
        cairo_set_source_rgba(cr, grey * tint, grey, grey * (1.6 - tint), between(random, 0.15, 0.6));
        if (aimf_random_below(random, 2)) {
            ellipse(painter, x, y, size / 2, size / 2);
        } else {
            cairo_save(cr);
            cairo_translate(cr, x, y);
            cairo_rotate(cr, between(random, -0.5, 0.5));
            cairo_rectangle(cr, -size / 6, -size * 1.5, size / 3, size * 3);
            cairo_restore(cr);
        }
        cairo_fill(cr);
    }
}

static void paint_ground(Painter *painter)
{
    const AimfPortrait *p = painter->portrait;
    cairo_t *cr = painter->cr;
    if (p->look == AIMF_LOOK_SYNTHETIC) {
        set_colour(painter, p->ground[0], 1);
        cairo_paint(cr);
        ellipse(painter, 0.5, 0.5, 0.46, 0.46);
        set_colour(painter, p->ground[1], 1);
        cairo_fill(cr);
        return;
    }
    cairo_pattern_t *gradient = cairo_pattern_create_linear(0, 0, cos(p->light_angle), 1);
    for (int i = 0; i < 2; i++)
        cairo_pattern_add_color_stop_rgb(gradient, i, p->ground[i].red, p->ground[i].green, p->ground[i].blue);
    cairo_set_source(cr, gradient);
    cairo_paint(cr);
    cairo_pattern_destroy(gradient);
    paint_clutter(painter);
}

static void paint_body(Painter *painter)
{
    const AimfPortrait *p = painter->portrait;
    cairo_t *cr = painter->cr;
    cairo_move_to(cr, -2.1, 4);
    cairo_curve_to(cr, -2.1, 2.1, -1.3, 2.0, -0.5, 1.72);
    cairo_line_to(cr, 0.5, 1.72);
    cairo_curve_to(cr, 1.3, 2.0, 2.1, 2.1, 2.1, 4);
    cairo_close_path(cr);
    fill(painter, p->clothes, 1);
    cairo_move_to(cr, -0.46, 0.7);
    cairo_line_to(cr, -0.5, 1.7);
    cairo_curve_to(cr, -0.3, 2.1, 0.3, 2.1, 0.5, 1.7);
    cairo_line_to(cr, 0.46, 0.7);
    cairo_close_path(cr);
    fill(painter, shade(p->skin, 0.82), 1);
}

static void head_path(Painter *painter, double extra_chin)
{
    const AimfPortrait *p = painter->portrait;
    cairo_t *cr = painter->cr;
    double chin = p->chin + extra_chin;
    cairo_move_to(cr, -1, -0.2);
    cairo_curve_to(cr, -1, -0.9, -0.62, -1.3, 0, -1.3);
    cairo_curve_to(cr, 0.62, -1.3, 1, -0.9, 1, -0.2);
    cairo_curve_to(cr, 1, 0.5, p->jaw * 0.74, chin, 0, chin);
    cairo_curve_to(cr, -p->jaw * 0.74, chin, -1, 0.5, -1, -0.2);
    cairo_close_path(cr);
}

static void paint_head(Painter *painter)
{
    const AimfPortrait *p = painter->portrait;
    ellipse(painter, -1.0 + 0.3 * p->turn, 0.05, 0.15, 0.25);
    ellipse(painter, 1.0 + 0.3 * p->turn, 0.05, 0.15, 0.25);
    fill(painter, shade(p->skin, 0.9), 1);
    head_path(painter, 0);
    fill(painter, p->skin, 1);
    if (p->look == AIMF_LOOK_PHOTOGRAPH) {
        for (int side = -1; side <= 1; side += 2) {
            ellipse(painter, side * 0.55 + p->turn, 0.36, 0.24, 0.17);
            set_colour(painter, (AimfColour){ 0.85, 0.25, 0.2 }, 0.12);
            cairo_fill(painter->cr);
        }
    }
}

static void paint_eye(Painter *painter, int side)
{
    const AimfPortrait *p = painter->portrait;
    cairo_t *cr = painter->cr;
    double x = side * p->eye_distance + p->turn, y = -0.12;
    ellipse(painter, x, y, 0.19, p->eye_open);
    set_colour(painter, (AimfColour){ 0.97, 0.97, 0.96 }, 1);
    cairo_fill_preserve(cr);
    cairo_save(cr);
    cairo_clip(cr);
    ellipse(painter, x + 0.3 * p->turn, y, 0.105, 0.105);
    set_colour(painter, p->eyes, 1);
    cairo_fill(cr);
    ellipse(painter, x + 0.3 * p->turn, y, 0.05, 0.05);
    cairo_set_source_rgb(cr, 0.03, 0.03, 0.03);
    cairo_fill(cr);
    cairo_restore(cr);

    cairo_set_line_width(cr, 0.05);
    set_colour(painter, shade(p->skin, 0.35), 0.9);
    cairo_move_to(cr, x - 0.2, y);
    cairo_curve_to(cr, x - 0.1, y - 1.5 * p->eye_open, x + 0.1, y - 1.5 * p->eye_open, x + 0.2, y);
    cairo_stroke(cr);

    double lift = y - p->brow_lift, slope = side * p->brow_slope;
    cairo_set_line_width(cr, 0.085);
    set_colour(painter, shade(p->hair, 0.75), 0.9);
    cairo_move_to(cr, x - 0.23, lift - slope);
    cairo_curve_to(cr, x - 0.1, lift - 0.1, x + 0.1, lift - 0.1, x + 0.23, lift + slope);
    cairo_stroke(cr);
}

static void paint_nose(Painter *painter)
{
    const AimfPortrait *p = painter->portrait;
    cairo_t *cr = painter->cr;
    double x = 1.3 * p->turn, tip = -0.06 + p->nose_length;
    cairo_set_line_width(cr, 0.06);
    set_colour(painter, shade(p->skin, 0.62), 0.85);
    cairo_move_to(cr, x - 0.02, -0.02);
    cairo_curve_to(cr, x + 0.06, tip * 0.6, x + 0.15, tip, x + 0.08, tip + 0.04);
    cairo_curve_to(cr, x, tip + 0.07, x - 0.06, tip + 0.05, x - 0.1, tip);
    cairo_stroke(cr);
}

static void paint_mouth(Painter *painter)
{
    const AimfPortrait *p = painter->portrait;
    cairo_t *cr = painter->cr;
    double x = 1.1 * p->turn, y = 0.70, w = p->mouth_width;
    double corner = y - 0.19 * p->mouth_curve, middle = y + 0.19 * p->mouth_curve;
    AimfColour lips = { fmin(1, p->skin.red * 0.82), p->skin.green * 0.50, p->skin.blue * 0.50 };

    cairo_move_to(cr, x - w, corner);
    cairo_curve_to(cr, x - w * 0.45, middle, x + w * 0.45, middle, x + w, corner);
    if (p->mouth_open > 0) {
        double low = middle + 1.6 * p->mouth_open;
        cairo_curve_to(cr, x + w * 0.5, low, x - w * 0.5, low, x - w, corner);
        cairo_close_path(cr);
        cairo_save(cr);
        cairo_path_t *outline = cairo_copy_path(cr);
        cairo_clip(cr);
        cairo_set_source_rgb(cr, 0.30, 0.08, 0.08);
        cairo_paint(cr);
        cairo_rectangle(cr, x - w, corner - 1, 2 * w, 1 + middle - corner + 0.45 * p->mouth_open);
        cairo_set_source_rgb(cr, 0.95, 0.94, 0.91);
        cairo_fill(cr);
        cairo_restore(cr);
        cairo_append_path(cr, outline);
        cairo_path_destroy(outline);
    }
    cairo_set_line_width(cr, 0.085);
    set_colour(painter, lips, 1);
    cairo_stroke(cr);
}

/* Sideburns, cheeks, chin and moustache in one shape; the mouth is painted over it. */
static void paint_beard(Painter *painter)
{
    const AimfPortrait *p = painter->portrait;
    cairo_t *cr = painter->cr;
    double t = p->turn, chin = p->chin + p->beard_length;
    cairo_move_to(cr, -1.01, -0.15);
    cairo_curve_to(cr, -0.78 + t, 0.2, -0.72 + t, 0.46, -0.42 + t, 0.45);
    cairo_curve_to(cr, -0.2 + t, 0.42, -0.1 + 1.2 * t, 0.44, 1.2 * t, 0.47);
    cairo_curve_to(cr, 0.1 + 1.2 * t, 0.44, 0.2 + t, 0.42, 0.42 + t, 0.45);
    cairo_curve_to(cr, 0.72 + t, 0.46, 0.78 + t, 0.2, 1.01, -0.15);
    cairo_curve_to(cr, 1.02, 0.55, p->jaw * 0.78, chin, 0, chin);
    cairo_curve_to(cr, -p->jaw * 0.78, chin, -1.02, 0.55, -1.01, -0.15);
    cairo_close_path(cr);
    fill(painter, shade(p->hair, 0.9), p->beard_density);
    ellipse(painter, 1.1 * t, 0.74, 0.8 * p->mouth_width, 0.13);
    fill(painter, shade(p->skin, 0.93), 1);
}

static void paint_short_hair(Painter *painter)
{
    const AimfPortrait *p = painter->portrait;
    cairo_t *cr = painter->cr;
    double top = -1.3 - p->hair_volume, side = 1.03 + 0.4 * p->hair_volume;
    cairo_move_to(cr, -1.02, 0.0);
    cairo_curve_to(cr, -side - 0.12, -0.9, -0.75, top, 0, top);
    cairo_curve_to(cr, 0.75, top, side + 0.12, -0.9, 1.02, 0.0);
    cairo_curve_to(cr, 0.93, -0.35, 0.9, -0.6, 0.72, -0.78);
    cairo_curve_to(cr, 0.3, -0.95, p->parting + 0.1, -0.98, p->parting, -0.86);
    cairo_curve_to(cr, p->parting - 0.2, -0.7, -0.5, -0.75, -0.74, -0.72);
    cairo_curve_to(cr, -0.9, -0.6, -0.93, -0.35, -1.02, 0.0);
    cairo_close_path(cr);
    fill(painter, p->hair, 1);
}

/* The mass behind head and shoulders. */
static void paint_hair_behind(Painter *painter)
{
    const AimfPortrait *p = painter->portrait;
    cairo_t *cr = painter->cr;
    double top = -1.32 - p->hair_volume, side = 1.2 + 0.8 * p->hair_volume, end = p->hair_length;
    cairo_move_to(cr, -side, end);
    cairo_curve_to(cr, -side - 0.25, 0.2, -side - 0.1, top, 0, top);
    cairo_curve_to(cr, side + 0.1, top, side + 0.25, 0.2, side, end);
    cairo_curve_to(cr, 0.7, end + 0.2, -0.7, end + 0.2, -side, end);
    cairo_close_path(cr);
    fill(painter, shade(p->hair, 0.72), 1);
}

/* Two curtains from the parting, down both sides of the face. */
static void paint_hair_before(Painter *painter)
{
    const AimfPortrait *p = painter->portrait;
    cairo_t *cr = painter->cr;
    double top = -1.32 - p->hair_volume, side = 1.12 + 0.6 * p->hair_volume, end = 0.8 * p->hair_length;
    for (int s = -1; s <= 1; s += 2) {
        cairo_move_to(cr, p->parting, top + 0.02);
        cairo_curve_to(cr, p->parting + s * 0.3, top, s * (side + 0.1), top + 0.1, s * side, 0.1);
        cairo_curve_to(cr, s * (side + 0.05), 0.6, s * (side + 0.08), end, s * (side - 0.12), end);
        cairo_curve_to(cr, s * 0.8, 0.9, s * 1.02, 0.2, s * 0.88, -0.35);
        cairo_curve_to(cr, s * 0.7, -0.75, p->parting + s * 0.25, -0.95, p->parting, top + 0.25);
        cairo_close_path(cr);
    }
    fill(painter, p->hair, 1);
}

/* Strands catch the light; only a camera sees them. */
static void paint_strands(Painter *painter)
{
    const AimfPortrait *p = painter->portrait;
    cairo_t *cr = painter->cr;
    cairo_set_line_width(cr, 0.035);
    for (int i = 0; i < 14; i++) {
        double x = between(&painter->random, -0.95, 0.95), reach = between(&painter->random, 0.1, 0.3);
        double y = -1.3 + 0.45 * x * x;
        set_colour(painter, shade(p->hair, between(&painter->random, 0.5, 1.9)), 0.5);
        cairo_move_to(cr, x, y);
        cairo_curve_to(cr, x * 1.05, y + reach / 2, x * 1.1, y + reach, x * 1.14, y + reach * 1.3);
        cairo_stroke(cr);
    }
}

static void paint_accessories(Painter *painter)
{
    const AimfPortrait *p = painter->portrait;
    cairo_t *cr = painter->cr;
    if (p->glasses) {
        cairo_set_line_width(cr, 0.06);
        cairo_set_source_rgba(cr, 0.08, 0.08, 0.1, 0.9);
        ellipse(painter, -p->eye_distance + p->turn, -0.1, 0.31, 0.26);
        ellipse(painter, p->eye_distance + p->turn, -0.1, 0.31, 0.26);
        cairo_move_to(cr, -p->eye_distance + p->turn + 0.31, -0.12);
        cairo_line_to(cr, p->eye_distance + p->turn - 0.31, -0.12);
        cairo_stroke(cr);
    }
    if (p->hat) {
        cairo_move_to(cr, -1.2, -0.72);
        cairo_curve_to(cr, -1.15, -2.05, 1.15, -2.05, 1.2, -0.72);
        cairo_curve_to(cr, 0.6, -0.95, -0.6, -0.95, -1.2, -0.72);
        cairo_close_path(cr);
        fill(painter, p->accessory, 1);
    }
}

static void paint_person(Painter *painter)
{
    const AimfPortrait *p = painter->portrait;
    cairo_t *cr = painter->cr;
    cairo_translate(cr, p->centre_x, p->centre_y);
    cairo_scale(cr, p->head_size, p->head_size);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    if (!p->bearded)
        paint_hair_behind(painter);
    paint_body(painter);
    cairo_rotate(cr, p->tilt);
    paint_head(painter);
    if (p->bearded)
        paint_beard(painter);
    paint_eye(painter, -1);
    paint_eye(painter, 1);
    paint_nose(painter);
    paint_mouth(painter);
    if (p->bearded)
        paint_short_hair(painter);
    else
        paint_hair_before(painter);
    if (p->look == AIMF_LOOK_PHOTOGRAPH)
        paint_strands(painter);
    paint_accessories(painter);
}

/* cairo's RGB24 words into bytes. */
static void take_pixels(cairo_surface_t *surface, AimfImage *image)
{
    cairo_surface_flush(surface);
    const guint8 *rows = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);
    for (int y = 0; y < image->height; y++) {
        const guint32 *row = (const guint32 *)(const void *)(rows + (gsize)y * (gsize)stride);
        guint8 *to = image->data + (gsize)y * (gsize)image->width * 3;
        for (int x = 0; x < image->width; x++, to += 3) {
            to[0] = (guint8)(row[x] >> 16);
            to[1] = (guint8)(row[x] >> 8);
            to[2] = (guint8)row[x];
        }
    }
}

AimfImage *aimf_portrait_paint(const AimfPortrait *portrait, GError **error)
{
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, AIMF_PORTRAIT_PX, AIMF_PORTRAIT_PX);
    Painter painter = { .cr = cairo_create(surface), .portrait = portrait, .random = portrait->texture };
    cairo_scale(painter.cr, AIMF_PORTRAIT_PX, AIMF_PORTRAIT_PX);
    paint_ground(&painter);
    paint_person(&painter);

    AimfImage *image = NULL;
    cairo_status_t status = cairo_status(painter.cr);
    if (status != CAIRO_STATUS_SUCCESS)
        g_set_error(error, AIMF_ERROR, status == CAIRO_STATUS_NO_MEMORY ? AIMF_ERROR_MEMORY : AIMF_ERROR_FAILED,
                    "cannot paint a portrait: %s", cairo_status_to_string(status));
    else if ((image = aimf_image_new(AIMF_PORTRAIT_PX, AIMF_PORTRAIT_PX, error)))
        take_pixels(surface, image);
    cairo_destroy(painter.cr);
    cairo_surface_destroy(surface);
    if (image && portrait->look == AIMF_LOOK_PHOTOGRAPH)
        aimf_portrait_develop(portrait, image);
    return image;
}
