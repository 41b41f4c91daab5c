#include "base/random.h"

/*
 * Known answers of Philox 4x32-10 cannot be reached through the keyed interface, so what is tested is what callers
 * rely on.
 */
static void test_reproducible(void)
{
    AimfRandom a = aimf_random_at(7, AIMF_STREAM_TEST, 3), b = aimf_random_at(7, AIMF_STREAM_TEST, 3);
    AimfRandom other_seed = aimf_random_at(8, AIMF_STREAM_TEST, 3),
               other_index = aimf_random_at(7, AIMF_STREAM_TEST, 4);
    AimfRandom other_stream = aimf_random_at(7, AIMF_STREAM_INIT, 3);
    for (int i = 0; i < 100; i++) {
        guint32 value = aimf_random_u32(&a);
        g_assert_cmpuint(value, ==, aimf_random_u32(&b));
        g_assert_cmpuint(value, !=, aimf_random_u32(&other_seed));
        g_assert_cmpuint(value, !=, aimf_random_u32(&other_index));
        g_assert_cmpuint(value, !=, aimf_random_u32(&other_stream));
    }
}

static void test_moments(void)
{
    AimfRandom random = aimf_random_at(1, AIMF_STREAM_TEST, 0);
    enum { N = 200000 };
    double sum = 0, squares = 0, uniform = 0;
    guint counts[6] = { 0 };
    for (int i = 0; i < N; i++) {
        double x = aimf_random_normal(&random);
        sum += x;
        squares += x * x;
        uniform += aimf_random_uniform(&random);
        counts[aimf_random_below(&random, 6)]++;
    }
    /* Five standard errors each. */
    g_assert_cmpfloat_with_epsilon(sum / N, 0, 0.0112);
    g_assert_cmpfloat_with_epsilon(squares / N, 1, 0.0159);
    g_assert_cmpfloat_with_epsilon(uniform / N, 0.5, 0.0033);
    for (int i = 0; i < 6; i++)
        g_assert_cmpfloat_with_epsilon((double)counts[i] / N, 1.0 / 6, 0.0042);
}

static void test_shuffle(void)
{
    guint32 values[50], seen[50] = { 0 };
    for (guint32 i = 0; i < 50; i++)
        values[i] = i;
    AimfRandom random = aimf_random_at(1, AIMF_STREAM_TEST, 1);
    aimf_random_shuffle(&random, values, 50);
    guint moved = 0;
    for (guint32 i = 0; i < 50; i++) {
        seen[values[i]]++;
        moved += values[i] != i;
    }
    for (int i = 0; i < 50; i++)
        g_assert_cmpuint(seen[i], ==, 1);
    g_assert_cmpuint(moved, >, 40);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/random/reproducible", test_reproducible);
    g_test_add_func("/random/moments", test_moments);
    g_test_add_func("/random/shuffle", test_shuffle);
    return g_test_run();
}
