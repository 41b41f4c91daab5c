/* Samplers: from a network's predictions to latents, step by step. Pictures are independent of one another. */
#pragma once

#include "model/stable_diffusion.h"
#include <aimfair/diffusion.h>

typedef struct AimfSampler AimfSampler;

/**
 * aimf_sampler_new: for @n_pictures pictures of @n_elements latent numbers each.
 * As diffusers' DDIMScheduler, PNDMScheduler (skip_prk_steps), DPMSolverMultistepScheduler (dpmsolver++, order 2,
 * midpoint), EulerDiscreteScheduler and EulerAncestralDiscreteScheduler with steps_offset 1, set_alpha_to_one and
 * clip_sample false, final sigma zero. The original's DDIM and PLMS (CompVis, ldm/models/diffusion) take the same
 * steps where @steps divides 1000, else one or more further ones at the noisy end.
 * Returns: (owned) or NULL with INVALID: steps, eta or the schedule out of range; names the sampler and its limits;
 * or MEMORY.
 */
AimfSampler *aimf_sampler_new(const AimfSdSchedule *schedule, const AimfSampling *sampling, guint n_pictures,
                              gsize n_elements, GError **error);
void aimf_sampler_free(AimfSampler *sampler);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfSampler, aimf_sampler_free)

/**
 * aimf_sampler_calls: how many times the network is asked: @steps times; PLMS asks once more, unless it takes one
 * step only.
 */
guint aimf_sampler_calls(const AimfSampler *sampler);
/** aimf_sampler_timestep: what the network is told at call @call. */
double aimf_sampler_timestep(const AimfSampler *sampler, guint call);
/**
 * aimf_sampler_begin: @latents (n_pictures, n_elements) from unit noise to what the first call starts from, in place.
 */
void aimf_sampler_begin(const AimfSampler *sampler, float *latents);
/** aimf_sampler_input: what the network sees at call @call: @latents scaled; @input may be @latents itself. */
void aimf_sampler_input(const AimfSampler *sampler, guint call, const float *latents, float *input);
/**
 * aimf_sampler_step: @prediction (n_pictures, n_elements), guidance applied; changes @latents in place.
 * Calls are made in order from 0. @seeds: (n_pictures) where fresh noise comes from: (seed, call, element), never a
 * neighbour
 */
void aimf_sampler_step(AimfSampler *sampler, guint call, const float *prediction, float *latents, const guint64 *seeds);

/** aimf_initial_noise: (n) standard normal numbers for a picture's @seed. */
void aimf_initial_noise(guint64 seed, float *noise, gsize n);
