#include "device/support_devices.h"

#include "device/support_mirror.h"

#include <string.h>

const char *const *support_devices(void)
{
    static const char *const usual[] = { "cpu", "reference", NULL };
    static const char *one[2];
    one[0] = g_getenv("AIMFAIR_TEST_DEVICE");
    return one[0] ? one : usual;
}

AimfDevice *support_device(const char *name)
{
    g_autoptr(GError) error = NULL;
    AimfDevice *device = strcmp(name, mirror_class.name) == 0 ? aimf_device_open_class(&mirror_class, &error)
                                                              : aimf_device_open(name, &error);
    g_assert_no_error(error);
    return device;
}

static AimfDevice *under_test;

/* At the end of the program, the mirror sees whether all its memory was released. */
static void close_device(void)
{
    aimf_device_free(under_test);
}

AimfDevice *support_device_under_test(void)
{
    const char *name = g_getenv("AIMFAIR_TEST_DEVICE");
    if (name && !under_test) {
        under_test = support_device(name);
        atexit(close_device);
    }
    return under_test;
}

static gsize count_of(const AimfPlan *plan, AimfValue value)
{
    AimfShape shape = aimf_plan_shape(plan, value);
    return (gsize)aimf_shape_count(&shape);
}

void support_write(AimfPlan *plan, AimfValue value, const float *from)
{
    g_autoptr(GError) error = NULL;
    aimf_plan_write(plan, value, 0, count_of(plan, value), from, &error);
    g_assert_no_error(error);
}

float *support_read(AimfPlan *plan, AimfValue value)
{
    g_autoptr(GError) error = NULL;
    gsize n = count_of(plan, value);
    float *numbers = g_new(float, n + 1);
    aimf_plan_read(plan, value, 0, n, numbers, &error);
    g_assert_no_error(error);
    return numbers;
}

float support_read_one(AimfPlan *plan, AimfValue value)
{
    g_autofree float *numbers = support_read(plan, value);
    return numbers[0];
}

float *support_read_gradients(AimfPlan *plan, const AimfGraph *graph, gsize *n)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(float));
    for (guint i = 0; i < aimf_graph_n_parameters(graph); i++) {
        AimfValue gradient = aimf_plan_gradient(plan, aimf_graph_parameter_at(graph, i));
        if (gradient == AIMF_NONE)
            continue;
        g_autofree float *numbers = support_read(plan, gradient);
        g_array_append_vals(all, numbers, (guint)count_of(plan, gradient));
    }
    *n = all->len;
    return (float *)(void *)g_array_free(all, FALSE);
}
