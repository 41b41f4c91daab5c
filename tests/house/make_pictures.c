/*
 * Small pictures in the layouts of UTKFace, CelebA and a generator's groups, for trying the examples: make_pictures
 * FOLDER N N of each group. Class and label show in the colours, so that a classifier has something to find.
 */
#include <aimfair/image.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIDE = 32 };

static void save(const char *folder, const char *name, int target, int label, unsigned i)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    g_autoptr(AimfImage) image = aimf_image_new(SIDE, SIDE, &error);
    g_mkdir_with_parents(parent, 0777);
    for (unsigned k = 0; image && k < SIDE * SIDE; k++) {
        image->data[3 * k] = (guint8)(target ? 200 : 60);
        image->data[3 * k + 1] = (guint8)(label ? 180 : 80);
        image->data[3 * k + 2] = (guint8)((k * (7 + i / 200) + i * 31) % 256);
    }
    if (!image || !aimf_image_save(image, path, &error)) {
        fprintf(stderr, "%s\n", error->message);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : ".";
    unsigned n = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 20, number = 1;
    g_autoptr(GString) attributes = g_string_new(NULL);
    g_string_printf(attributes, "%u\nSmiling Male\n", 3 * 4 * n);
    for (unsigned i = 0; i < 4 * n; i++) {
        int target = i % 2, label = i / 2 % 2;
        g_autofree char *face = g_strdup_printf("UTKFace/30_%d_%d_%u.jpg", target, !label, i);
        save(folder, face, target, label, i);
        g_autofree char *female = g_strdup_printf("generated/Female_White/%d_%d/%u.png", target, label, i);
        g_autofree char *smiling = g_strdup_printf("generated/Smiling_Male/%d_%d/%u.png", target, label, i);
        save(folder, female, target, label, i + 1);
        save(folder, smiling, target, label, i + 2);
    }
    /* The parts of CelebA are by number: training to 162770, validation to 182637, then test. */
    static const unsigned starts[] = { 1, 162771, 182638 };
    for (unsigned part = 0; part < 3; part++) {
        number = starts[part];
        for (unsigned i = 0; i < 4 * n; i++, number++) {
            int target = i % 2, label = i / 2 % 2;
            g_autofree char *image = g_strdup_printf("CelebA/img_align_celeba/%06u.jpg", number);
            save(folder, image, target, label, 1000 * part + i); /* no picture is in two parts */
            g_string_append_printf(attributes, "%06u.jpg %d %d\n", number, target ? 1 : -1, label ? 1 : -1);
        }
    }
    g_autofree char *list = g_build_filename(folder, "CelebA", "list_attr_celeba.txt", NULL);
    return g_file_set_contents(list, attributes->str, -1, NULL) ? 0 : 1;
}
