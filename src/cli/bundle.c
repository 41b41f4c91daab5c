#include "bundle.h"

#include <glib.h>
#include <unistd.h>

enum { DEEPEST = 4 }; /* folders below folders of fonts; "truetype/dejavu" is usual */

static gboolean holds_font(const char *folder, int depth)
{
    g_autoptr(GDir) dir = depth < DEEPEST ? g_dir_open(folder, 0, NULL) : NULL;
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        if (g_str_has_suffix(name, ".ttf") || g_str_has_suffix(name, ".otf") || g_str_has_suffix(name, ".ttc"))
            return TRUE;
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (holds_font(path, depth + 1))
            return TRUE;
    }
    return FALSE;
}

/* Whether fontconfig would find a font by itself: a configuration, and a font in a folder that these name. */
static gboolean system_has_fonts(void)
{
    if (access("/etc/fonts/fonts.conf", R_OK) != 0)
        return FALSE;
    g_autofree char *own = g_build_filename(g_get_user_data_dir(), "fonts", NULL);
    const char *const folders[] = { "/usr/share/fonts", "/usr/local/share/fonts", own };
    for (gsize i = 0; i < G_N_ELEMENTS(folders); i++)
        if (holds_font(folders[i], 0))
            return TRUE;
    return FALSE;
}

void aimf_bundle_use_fonts(void)
{
    if (g_getenv("FONTCONFIG_FILE") || g_getenv("FONTCONFIG_PATH"))
        return;
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *bin = program ? g_path_get_dirname(program) : NULL;
    g_autofree char *root = bin ? g_path_get_dirname(bin) : NULL;
    g_autofree char *fonts = root ? g_build_filename(root, "share", "aimfair", "fonts", "fonts.conf", NULL) : NULL;
    if (fonts && access(fonts, R_OK) == 0 && !system_has_fonts())
        g_setenv("FONTCONFIG_FILE", fonts, TRUE);
}
