/*
 * Tiny complete Stable Diffusion models on disk, in all forms, for tests. Their weights are computed from names by
 * formula, as tests/golden/make_stable_diffusion.py does, and are exact in f16 and bf16: all forms of a family are
 * the same model.
 */
#pragma once

#include "model/stable_diffusion.h"

typedef enum {
    TINY_SD_FOLDER,     /* diffusers' layout, safetensors */
    TINY_SD_FOLDER_BIN, /* diffusers' layout, PyTorch files, old names of the autoencoder's attention */
    TINY_SD_FOLDER_SHARDS, /* diffusers' layout, the UNet in two files with an index, the text encoder without "text_model." */
    TINY_SD_CHECKPOINT,  /* a single .ckpt with LDM's names */
    TINY_SD_SAFETENSORS, /* a single .safetensors with LDM's names */
    TINY_SD_N_FORMS,
} TinySdForm;

/**
 * TinySd: @second_family: 2.x, else 1.x; @dtype: of the weights; @averaged: a single file has raw weights, all
 * halved, beside averaged ones
 * @v_prediction: say that the UNet predicts v: in scheduler_config.json, or in a .yaml beside a single file
 */
typedef struct {
    TinySdForm form;
    gboolean second_family;
    AimfDtype dtype;
    gboolean averaged;
    gboolean v_prediction;
} TinySd;

/**
 * tiny_sd_write: (owned) the path to open: @folder itself, which is made, or a file in it. A vocabulary of 754 tokens
 * is there too.
 */
char *tiny_sd_write(const char *folder, const TinySd *tiny);
/**
 * tiny_sd_write_changed: (owned) the path of a TINY_SD_SAFETENSORS without the tensors whose names fit @drop
 * (nullable), and with one of zeros called @added (nullable).
 */
char *tiny_sd_write_changed(const char *folder, const char *drop, const char *added, AimfShape shape);
/** tiny_sd_folder: (owned) a new empty folder for temporary files. */
char *tiny_sd_folder(void);
/** tiny_sd_remove: @folder and all in it. */
void tiny_sd_remove(const char *folder);

/** The configurations: 8 x 8 latents of 4 channels, pictures of 64 x 64, text states of width 128. */
AimfClipTextConfig tiny_sd_text(gboolean second_family);
AimfUnetConfig tiny_sd_unet(gboolean second_family);
AimfVaeConfig tiny_sd_vae(void);
/** tiny_sd_weights: (owned) a graph's parameters by formula, in memory as f32, times @factor. */
AimfTensors *tiny_sd_weights(const AimfGraph *graph, float factor);
