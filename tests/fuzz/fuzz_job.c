/* What a generation job left: job.json, or lines of its journal. */
#include "diffusion/generation_description.h"
#include "diffusion/generation_record.h"
#include "diffusion/support_generation.h"
#include "fuzz/support_fuzz.h"

static void note(AimfLogLevel level, const char *text, gpointer user_data)
{
    (void)level, (void)user_data;
    fuzz_check_text(text);
}

/* (borrowed) made once: three groups, ten pictures each. */
static const AimfJob *job(void)
{
    static AimfJob job;
    static AimfGeneration generation;
    if (job.settings)
        return &job;
    const AimfPictureMaker maker = { .info = { .family = "test",
                                               .prediction = "epsilon",
                                               .weights = "raw",
                                               .vae = "none",
                                               .image_size = 64,
                                               .scale = 8,
                                               .latent_channels = 4,
                                               .hash = (char *)"model" } };
    const AimfSampling sampling = AIMF_SAMPLING_DEFAULT;
    generation = (AimfGeneration){ .prompts = test_prompts("a portrait"), .per_group = 10, .folder = fuzz_folder() };
    g_assert_true(aimf_job_init(&job, &maker, &sampling, &generation, NULL));
    return &job;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    if (*data & 1) {
        guint per_group;
        int version;
        g_autofree char *differences =
            aimf_job_differences(job(), (const char *)data + 1, size - 1, &per_group, &version);
        fuzz_check_text(differences);
        return 0;
    }
    GError *error = NULL;
    g_autoptr(GHashTable) record = aimf_record_new();
    const char *path = fuzz_write("journal.jsonl", data + 1, size - 1);
    const AimfMonitor monitor = { .message = note };
    fuzz_check(aimf_record_read(record, job(), path, FALSE, &monitor, &error), &error);
    g_assert_cmpuint(g_hash_table_size(record), <=, 30);
    return 0;
}
