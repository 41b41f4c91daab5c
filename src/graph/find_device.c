/* Devices by name. */
#include "graph/device.h"

#include <aimfair/names.h>
#include <string.h>

static AimfDevice *open_best(GError **error)
{
    for (guint i = 0; aimf_device_classes[i]; i++) {
        g_clear_error(error);
        AimfDevice *device = aimf_device_open_class(aimf_device_classes[i], error);
        if (device)
            return device;
    }
    return NULL;
}

static const AimfDeviceClass *find_class(const char *name)
{
    for (guint i = 0; aimf_device_classes[i]; i++)
        if (strcmp(aimf_device_classes[i]->name, name) == 0)
            return aimf_device_classes[i];
    return NULL;
}

/* (owned) NULL-terminated, of static names; with @usable only those that can be opened. */
static GPtrArray *names_of_devices(gboolean usable)
{
    GPtrArray *names = g_ptr_array_new();
    for (guint i = 0; aimf_device_classes[i]; i++) {
        g_autoptr(AimfDevice) device = usable ? aimf_device_open_class(aimf_device_classes[i], NULL) : NULL;
        if (!usable || device)
            g_ptr_array_add(names, (gpointer)aimf_device_classes[i]->name);
    }
    g_ptr_array_add(names, (gpointer) "auto");
    g_ptr_array_add(names, NULL);
    return names;
}

AimfDevice *aimf_device_open(const char *name, GError **error)
{
    GError *failure = NULL;
    AimfDevice *device = NULL;
    gboolean best = !name || strcmp(name, "auto") == 0;
    const AimfDeviceClass *class = best ? NULL : find_class(name);
    if (best || class)
        device = class ? aimf_device_open_class(class, &failure) : open_best(&failure);
    if (device)
        return device;
    g_autoptr(GPtrArray) names = names_of_devices(failure != NULL);
    g_autofree char *list = g_strjoinv(", ", (char **)names->pdata);
    if (failure) {
        g_set_error(error, failure->domain, failure->code, "the device '%s' cannot be used: %s; there are: %s",
                    best ? "auto" : name, failure->message, list);
        g_error_free(failure);
        return NULL;
    }
    g_autofree char *hint = aimf_name_hint(name, (const char *const *)names->pdata);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "there is no device '%s'%s; there are: %s", name, hint, list);
    return NULL;
}

AimfDevice *aimf_device_or_auto(AimfDevice *device, GError **error)
{
    return device ? aimf_device_ref(device) : aimf_device_open(NULL, error);
}

static void info_clear(gpointer data)
{
    AimfDeviceInfo *info = data;
    g_free(info->engine);
    g_free(info->unusable);
}

GArray *aimf_devices(void)
{
    GArray *infos = g_array_new(FALSE, TRUE, sizeof(AimfDeviceInfo));
    g_array_set_clear_func(infos, info_clear);
    for (guint i = 0; aimf_device_classes[i]; i++) {
        g_autoptr(GError) failure = NULL;
        g_array_set_size(infos, i + 1);
        AimfDeviceInfo *info = &g_array_index(infos, AimfDeviceInfo, i);
        info->name = aimf_device_classes[i]->name;
        g_autoptr(AimfDevice) device = aimf_device_open_class(aimf_device_classes[i], &failure);
        aimf_device_classes[i]->describe(info);
        if (!device)
            info->unusable = g_strdup(failure->message);
    }
    return infos;
}

char *aimf_device_engine(const AimfDevice *device)
{
    g_autoptr(AimfDevice) best = device ? NULL : aimf_device_open(NULL, NULL);
    const AimfDeviceClass *class = device ? device->class : best ? best->class : aimf_device_classes[0];
    AimfDeviceInfo info = { 0 };
    class->describe(&info);
    return info.engine;
}
