#include "fuzz/support_fuzz.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_MESSAGE_BYTES = 4096, PATHS = 16 };

static char *folder;

static void remove_folder(void)
{
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
    for (const char *name; entries && (name = g_dir_read_name(entries));)
        g_unlink(fuzz_path(name));
    g_rmdir(folder);
}

/* What GLib ends a program with, and libFuzzer does not know. */
static void end(int number)
{
    (void)number;
    abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    const char *memory = g_access("/dev/shm", W_OK) == 0 ? "/dev/shm" : g_get_tmp_dir();
    folder = g_build_filename(memory, "aimfair-fuzz-XXXXXX", NULL);
    g_assert_nonnull(g_mkdtemp(folder));
    atexit(remove_folder);
    signal(SIGTRAP, end);
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING);
    return 0;
}

const char *fuzz_folder(void)
{
    return folder;
}

const char *fuzz_path(const char *name)
{
    static char paths[PATHS][256];
    static guint next;
    char *path = paths[next++ % PATHS];
    g_snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

const char *fuzz_write(const char *name, const void *data, size_t bytes)
{
    const char *path = fuzz_path(name);
    FILE *file = fopen(path, "wb");
    g_assert_nonnull(file);
    g_assert_cmpuint(fwrite(data, 1, bytes, file), ==, bytes);
    g_assert_cmpint(fclose(file), ==, 0);
    return path;
}

void fuzz_split(const uint8_t *data, size_t size, FuzzPart *parts, guint n)
{
    static const char LINE[] = "\n=====\n";
    memset(parts, 0, n * sizeof *parts);
    for (guint i = 0; i < n; i++) {
        const uint8_t *end = i + 1 < n && size ? memmem(data, size, LINE, strlen(LINE)) : NULL;
        size_t bytes = end ? (size_t)(end - data) : size;
        parts[i] = (FuzzPart){ g_malloc(bytes + 1), bytes };
        if (bytes)
            memcpy(parts[i].text, data, bytes);
        parts[i].text[bytes] = 0;
        if (!end)
            return;
        data = end + strlen(LINE);
        size -= bytes + strlen(LINE);
    }
}

void fuzz_parts_clear(FuzzPart *parts, guint n)
{
    for (guint i = 0; i < n; i++)
        g_free(parts[i].text);
}

void fuzz_check_text(const char *message)
{
    if (!message)
        return;
    gboolean good = *message && strlen(message) <= MAX_MESSAGE_BYTES && g_utf8_validate(message, -1, NULL);
    for (const char *c = message; good && *c; c = g_utf8_next_char(c))
        good = !g_unichar_iscntrl(g_utf8_get_char(c)) || *c == '\n';
    if (!good)
        g_error("a message of %zu bytes that cannot be shown: %s", strlen(message), message);
}

gboolean fuzz_check(gboolean done, GError **error)
{
    g_assert_true(done == (*error == NULL));
    g_assert_true(done || (*error)->domain == AIMF_ERROR);
    fuzz_check_text(done ? NULL : (*error)->message);
    g_clear_error(error);
    return done;
}
