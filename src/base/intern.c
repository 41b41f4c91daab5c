#include "base/intern.h"

const char *aimf_intern(const char *name)
{
    static GMutex lock;
    static GHashTable *names; /* of char *, as keys and values */
    if (!name)
        return NULL;
    g_mutex_lock(&lock);
    if (!names)
        names = g_hash_table_new(g_str_hash, g_str_equal);
    char *known = g_hash_table_lookup(names, name);
    if (!known)
        g_hash_table_add(names, known = g_strdup(name));
    g_mutex_unlock(&lock);
    return known;
}
