#include "graph/support_failing_library.h"

#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>

/* Plans run in the thread that calls them, so that nothing here is shared. */
static gboolean armed;
static guint good_left, n_failed, n_calls;

dnnl_status_t dnnl_primitive_execute(const_dnnl_primitive_t primitive, dnnl_stream_t stream, int n,
                                     const dnnl_exec_arg_t *arguments)
{
    static dnnl_status_t (*real)(const_dnnl_primitive_t, dnnl_stream_t, int, const dnnl_exec_arg_t *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "dnnl_primitive_execute");
    n_calls++;
    if (armed && good_left-- == 0) {
        good_left = 0;
        n_failed++;
        return dnnl_out_of_memory;
    }
    return real(primitive, stream, n, arguments);
}

void failing_library_arm(guint good)
{
    armed = TRUE;
    good_left = good;
    n_failed = 0;
}

guint failing_library_disarm(void)
{
    armed = FALSE;
    return n_failed;
}

guint failing_library_calls(void)
{
    return n_calls;
}
