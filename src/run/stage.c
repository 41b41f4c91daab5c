#include "run/stage.h"

#include "base/file.h"
#include "run/file_hash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- Folders --- */

char *aimf_file_sha256(const char *path, GError **error)
{
    char sha256[AIMF_SHA256_SIZE];
    return aimf_hash_file(path, NULL, sha256, NULL, error) ? g_strdup(sha256) : NULL;
}

static gboolean remove_entries(int folder, const char *path, GError **error);

/* The entry @name of the open folder @above. What was a folder when it was opened is emptied, whatever its name leads
 * to by then: no link that takes a folder's place is followed. */
static gboolean remove_entry(int above, const char *name, const char *path, GError **error)
{
    int folder = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    gboolean other = folder < 0 && (errno == ENOTDIR || errno == ELOOP), gone = folder < 0 && errno == ENOENT;
    if (gone)
        return TRUE;
    if (folder < 0 && !other) {
        aimf_io_error(error, errno, "list", path);
        return FALSE;
    }
    if (folder >= 0 && !remove_entries(folder, path, error))
        return FALSE;
    if (unlinkat(above, name, folder >= 0 ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT)
        return TRUE;
    aimf_io_error(error, errno, "remove", path);
    return FALSE;
}

/* Takes @folder. Each folder on the way down stays open, so that what is nested without end fails. */
static gboolean remove_entries(int folder, const char *path, GError **error)
{
    DIR *dir = fdopendir(folder);
    if (!dir) {
        aimf_io_error(error, errno, "list", path);
        close(folder);
        return FALSE;
    }
    gboolean good = TRUE;
    errno = 0;
    for (const struct dirent *entry; good && (entry = readdir(dir)); errno = 0) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        g_autofree char *below = g_build_filename(path, entry->d_name, NULL);
        good = remove_entry(folder, entry->d_name, below, error);
    }
    if (good && errno != 0) {
        aimf_io_error(error, errno, "list", path);
        good = FALSE;
    }
    closedir(dir);
    return good;
}

gboolean aimf_folder_remove(const char *path, GError **error)
{
    return remove_entry(AT_FDCWD, path, path, error);
}

gboolean aimf_folder_remove_parts(const char *path, GError **error)
{
    g_autoptr(GPtrArray) names = aimf_directory_list(path, error);
    for (guint i = 0; names && i < names->len; i++) {
        g_autofree char *whole = aimf_part_of(g_ptr_array_index(names, i));
        g_autofree char *part = g_build_filename(path, g_ptr_array_index(names, i), NULL);
        if (whole && !aimf_folder_remove(part, error))
            return FALSE;
    }
    return names != NULL;
}

static char *place_of(const char *run, const char *name)
{
    return g_build_filename(run, name, NULL);
}

static char *part_of(const char *run, const char *name)
{
    return g_strdup_printf("%s/%s.part", run, name);
}

static char *old_of(const char *run, const char *name)
{
    return g_strdup_printf("%s/%s.old", run, name);
}

static gboolean rename_folder(const char *from, const char *to, GError **error)
{
    if (rename(from, to) == 0)
        return TRUE;
    aimf_io_error(error, errno, "rename", from);
    return FALSE;
}

static void sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd); /* where a file system cannot, its files are synced all the same */
    close(fd);
}

/* --- Looking --- */

/* Whether the files are those that the outputs say; *@same FALSE for any other. */
static gboolean check_outputs(const char *place, const AimfProvenance *found, AimfPicturesHasher hasher, gpointer data,
                              gboolean *same, GError **error)
{
    g_autoptr(GList) names = json_object_get_members(found->outputs);
    *same = TRUE;
    for (GList *name = names; name && *same; name = name->next) {
        const char *text = name->data;
        gboolean pictures = g_str_has_prefix(text, AIMF_PICTURES_OF);
        g_autofree char *path = g_build_filename(place, pictures ? text + strlen(AIMF_PICTURES_OF) : text, NULL);
        GError *failure = NULL;
        g_autofree char *hash = pictures ? hasher(path, data, &failure) : aimf_file_sha256(path, &failure);
        if (aimf_is_fault(failure) || g_error_matches(failure, AIMF_ERROR, AIMF_ERROR_INTERRUPTED)) {
            g_propagate_error(error, failure);
            return FALSE;
        }
        g_clear_error(&failure); /* what is missing or damaged is made again */
        *same = hash && strcmp(hash, json_object_get_string_member(found->outputs, text)) == 0;
    }
    return TRUE;
}

gboolean aimf_stage_look(const char *run, const AimfProvenance *wanted, AimfPicturesHasher hasher, gpointer data,
                         AimfStageState *state, AimfProvenance **found, GError **error)
{
    g_autofree char *place = place_of(run, wanted->name), *key = aimf_provenance_key(wanted);
    gboolean there;
    *state = AIMF_STAGE_MISSING;
    if (found)
        *found = NULL;
    if (!aimf_path_there(place, &there, error))
        return FALSE;
    if (!there)
        return TRUE;
    g_autoptr(AimfProvenance) provenance = NULL;
    gboolean same = FALSE;
    *state = AIMF_STAGE_DAMAGED;
    if (!aimf_provenance_look(place, &provenance, error))
        return FALSE;
    if (!provenance)
        return TRUE;
    if (strcmp(provenance->key, key) != 0)
        *state = AIMF_STAGE_STALE;
    else if (!check_outputs(place, provenance, hasher, data, &same, error))
        return FALSE;
    else if (same)
        *state = AIMF_STAGE_DONE;
    if (found)
        *found = g_steal_pointer(&provenance);
    return TRUE;
}

/* --- Making --- */

char *aimf_stage_prepare(const char *run, const AimfProvenance *wanted, GError **error)
{
    g_autofree char *part = part_of(run, wanted->name), *key = aimf_provenance_key(wanted);
    g_autoptr(AimfProvenance) begun = NULL;
    if (!aimf_provenance_look(part, &begun, error))
        return NULL;
    if (begun && strcmp(begun->key, key) == 0)
        return aimf_folder_remove_parts(part, error) ? g_steal_pointer(&part) : NULL;
    if (!aimf_folder_remove(part, error) || !aimf_directory_make(part, error) ||
        !aimf_provenance_save(wanted, part, error))
        return NULL;
    return g_steal_pointer(&part);
}

static gboolean is_log(const char *name)
{
    return g_str_has_suffix(name, ".log") || strcmp(name, "log.csv") == 0;
}

static gboolean add_outputs(AimfProvenance *made, const char *folder, GError **error)
{
    g_autoptr(GPtrArray) names = aimf_directory_list(folder, error);
    for (guint i = 0; names && i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        g_autofree char *path = g_build_filename(folder, name, NULL);
        AimfPathKind kind = aimf_path_kind(path, error);
        if (kind == AIMF_PATH_UNKNOWN)
            return FALSE;
        if (strcmp(name, AIMF_PROVENANCE) == 0 || is_log(name) || kind == AIMF_PATH_FOLDER)
            continue;
        g_autofree char *hash = aimf_file_sha256(path, error);
        if (!hash)
            return FALSE;
        json_object_set_string_member(made->outputs, name, hash);
    }
    return names != NULL;
}

/* The new takes the place of the old in one step where the file system can do that, else in two. */
static gboolean replace(const char *run, const char *name, GError **error)
{
    g_autofree char *place = place_of(run, name), *part = part_of(run, name), *old = old_of(run, name);
    gboolean there;
    if (!aimf_path_there(place, &there, error))
        return FALSE;
    if (!there)
        return rename_folder(part, place, error);
    if (renameat2(AT_FDCWD, part, AT_FDCWD, place, RENAME_EXCHANGE) == 0)
        return aimf_folder_remove(part, error);
    return aimf_folder_remove(old, error) && rename_folder(place, old, error) && rename_folder(part, place, error) &&
           aimf_folder_remove(old, error);
}

gboolean aimf_stage_commit(const char *run, AimfProvenance *made, GError **error)
{
    g_autofree char *part = part_of(run, made->name), *place = place_of(run, made->name);
    g_autofree char *above = g_path_get_dirname(place);
    if ((!made->failure && !add_outputs(made, part, error)) || !aimf_provenance_save(made, part, error))
        return FALSE;
    sync_folder(part);
    if (!replace(run, made->name, error))
        return FALSE;
    sync_folder(above);
    return TRUE;
}

gboolean aimf_stage_recover(const char *run, const char *name, GError **error)
{
    g_autofree char *place = place_of(run, name), *part = part_of(run, name), *old = old_of(run, name);
    gboolean there, was_there, begun;
    if (!aimf_path_there(place, &there, error) || !aimf_path_there(old, &was_there, error) ||
        !aimf_path_there(part, &begun, error))
        return FALSE;
    if (!there && was_there)
        return rename_folder(begun ? part : old, place, error) && aimf_folder_remove(old, error);
    return !was_there || aimf_folder_remove(old, error);
}
