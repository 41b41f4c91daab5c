/*
 * The networks of a model at work: each compiled and packed when it is first needed, kept, and rebuilt when its form
 * changes.
 */
#pragma once

#include "model/stable_diffusion.h"

typedef enum {
    AIMF_NETWORK_TEXT,
    AIMF_NETWORK_UNET,
    AIMF_NETWORK_DECODER,
    AIMF_NETWORK_ENCODER,
    AIMF_N_NETWORKS,
} AimfNetworkKind;

/** AimfNetworkForm: what a plan is made for; @height, @width: of the latents, 0 for the text encoder */
typedef struct {
    AimfPrecision precision;
    guint batch;
    int height;
    int width;
} AimfNetworkForm;

/** AimfNetwork: @plan: (nullable) owned; the values are the plan's, @values.graph is NULL */
typedef struct {
    AimfPlan *plan;
    AimfNetworkForm form;
    AimfSdGraph values;
} AimfNetwork;

/**
 * AimfNetworks: @model, @device: owned; @low_memory: nothing stays packed after aimf_networks_done
 */
typedef struct {
    AimfSdModel *model;
    AimfDevice *device;
    AimfPrecision precision;
    gboolean low_memory;
    int threads;
    AimfNetwork networks[AIMF_N_NETWORKS];
} AimfNetworks;

/**
 * aimf_networks_need: the network @kind, ready to run in @form.
 * Returns: (borrowed) or NULL with UNSUPPORTED (the model lacks it, or the processor the precision), INVALID, MEMORY,
 * or what reading weights gives. Two forms of one network are never packed at once.
 */
AimfNetwork *aimf_networks_need(AimfNetworks *networks, AimfNetworkKind kind, const AimfNetworkForm *form,
                                GError **error);
/** aimf_networks_give: @n numbers for the input @value of @network, which is @kind; FALSE as aimf_networks_run. */
gboolean aimf_networks_give(AimfNetwork *network, AimfNetworkKind kind, AimfValue value, const float *from, gsize n,
                            GError **error);
/**
 * aimf_networks_run: runs @network, which is @kind, and reads its @n outputs into @output; FALSE with MEMORY or FAILED,
 * naming the network and the step.
 */
gboolean aimf_networks_run(AimfNetwork *network, AimfNetworkKind kind, float *output, gsize n, GError **error);
/** aimf_networks_done: the caller will not run @kind again soon. */
void aimf_networks_done(AimfNetworks *networks, AimfNetworkKind kind);
/** aimf_networks_release_unusual: lets go of plans that are not of the usual precision. */
void aimf_networks_release_unusual(AimfNetworks *networks);
void aimf_networks_clear(AimfNetworks *networks);

/** aimf_numbers_new: (owned) room for @n numbers; @what they are, for the error; NULL with MEMORY. */
float *aimf_numbers_new(gsize n, const char *what, GError **error);

/** aimf_networks_fits: FALSE with INVALID for latents of a size that the networks cannot halve often enough. */
gboolean aimf_networks_fits(const AimfNetworks *networks, AimfNetworkKind kind, int height, int width, GError **error);

/** aimf_networks_decode, aimf_networks_encode: as aimf_diffusion_decode and _encode, in @precision. */
gboolean aimf_networks_decode(AimfNetworks *networks, AimfPrecision precision, const float *latents, int height,
                              int width, float *planes, GError **error);
gboolean aimf_networks_encode(AimfNetworks *networks, const float *planes, int height, int width, float *latents,
                              GError **error);
