/* Levels of instruction sets: the caps' names, and that our level and oneDNN's are the same under every cap. */
#include "base/instruction_set.h"

#include <glib.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdlib.h>

/* What oneDNN would say of a level: the least of its own that our level asks for. Both have levels of x86-64 only. */
static AimfInstructionSet of_onednn(void)
{
#if defined(__x86_64__)
    static const dnnl_cpu_isa_t least[AIMF_N_ISAS] = { 0, dnnl_cpu_isa_avx2, dnnl_cpu_isa_avx512_core,
                                                       dnnl_cpu_isa_avx512_core_bf16 };
    dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
    int level = AIMF_N_ISAS - 1;
    while ((isa & least[level]) != least[level])
        level--;
    return (AimfInstructionSet)level;
#else
    return AIMF_ISA_BASELINE;
#endif
}

/* In a process of its own, because both levels are found once. */
static void check_here(void)
{
    g_assert_cmpint(aimf_instruction_set(), ==, of_onednn());
    g_print("%d\n", aimf_instruction_set());
    exit(0);
}

static char *program; /* this one */

/* The level of a process with these variables set; NULL: not set. */
static AimfInstructionSet level_under(const char *onednn_cap, const char *dnnl_cap)
{
    g_auto(GStrv) environment = g_get_environ();
    environment = g_environ_unsetenv(environment, "ONEDNN_MAX_CPU_ISA");
    environment = g_environ_unsetenv(environment, "DNNL_MAX_CPU_ISA");
    if (onednn_cap)
        environment = g_environ_setenv(environment, "ONEDNN_MAX_CPU_ISA", onednn_cap, TRUE);
    if (dnnl_cap)
        environment = g_environ_setenv(environment, "DNNL_MAX_CPU_ISA", dnnl_cap, TRUE);
    g_autoptr(GError) error = NULL;
    g_autofree char *output = NULL;
    int status;
    g_spawn_sync(NULL, (char *[]){ program, "--here", NULL }, environment, G_SPAWN_DEFAULT, NULL, NULL, &output, NULL,
                 &status, &error);
    g_assert_no_error(error);
    g_assert_true(g_spawn_check_wait_status(status, &error));
    return (AimfInstructionSet)atoi(output);
}

static const char *const caps[] = { "SSE41",
                                    "AVX",
                                    "AVX2",
                                    "AVX2_VNNI",
                                    "AVX512_MIC",
                                    "AVX512_MIC_4OPS",
                                    "AVX512_CORE",
                                    "AVX512_CORE_VNNI",
                                    "AVX512_CORE_BF16",
                                    "AVX512_CORE_AMX",
                                    "ALL",
                                    "avx2",
                                    "nonsense",
                                    "" };

static void test_caps(void)
{
    AimfInstructionSet native = level_under(NULL, NULL);
    g_test_message("this processor: %s", aimf_instruction_set_name(native));
    for (guint i = 0; i < G_N_ELEMENTS(caps); i++) {
        AimfInstructionSet expected = MIN(native, aimf_instruction_set_cap(caps[i]));
        g_assert_cmpint(level_under(caps[i], NULL), ==, expected);
        g_assert_cmpint(level_under(NULL, caps[i]), ==, expected);
    }
}

/* The newer name is asked first, as oneDNN does. */
static void test_both(void)
{
    AimfInstructionSet native = level_under(NULL, NULL);
    g_assert_cmpint(level_under("SSE41", "ALL"), ==, AIMF_ISA_BASELINE);
    g_assert_cmpint(level_under("ALL", "SSE41"), ==, native);
}

static void test_names(void)
{
    g_assert_cmpint(aimf_instruction_set_cap("SSE41"), ==, AIMF_ISA_BASELINE);
    g_assert_cmpint(aimf_instruction_set_cap("avx512_core_vnni"), ==, AIMF_ISA_AVX512);
    g_assert_cmpint(aimf_instruction_set_cap(NULL), ==, AIMF_ISA_AVX512_BF16);
    for (int level = 1; level < AIMF_N_ISAS; level++)
        g_assert_cmpstr(aimf_instruction_set_name((AimfInstructionSet)level), !=,
                        aimf_instruction_set_name((AimfInstructionSet)(level - 1)));
}

int main(int argc, char **argv)
{
    if (argc == 2 && g_str_equal(argv[1], "--here"))
        check_here();
    program = argv[0];
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/instruction_set/caps", test_caps);
    g_test_add_func("/instruction_set/both", test_both);
    g_test_add_func("/instruction_set/names", test_names);
    return g_test_run();
}
