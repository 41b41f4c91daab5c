/*
 * What a language model is told: the task, the groups, what may vary and what may not be mentioned, and the form of
 * the answer.
 */
#pragma once

#include <aimfair/llm.h>
#include <json-glib/json-glib.h>

/** What is said before every question. */
extern const char AIMF_INSTRUCTION_SYSTEM[];

/** aimf_instruction_dimensions: (owned) NULL-terminated names of the dimensions that a model is to vary. */
char **aimf_instruction_dimensions(const AimfTask *task);

/**
 * aimf_instruction_schema: (owned) JSON schema of an answer: {"prompts": [{"hair": "…", …, "prompt": "…"}]}, "prompt"
 * only for whole prompts. The contexts come first, so that a model chooses before it writes. In the subset that
 * OpenAI's strict mode takes.
 */
JsonNode *aimf_instruction_schema(const AimfTask *task, AimfLlmContexts contexts);
/** aimf_instruction_json_form, _text_form: (owned) the last paragraph of a question: the form in words. */
char *aimf_instruction_json_form(const AimfTask *task, AimfLlmContexts contexts);
char *aimf_instruction_text_form(const AimfTask *task, AimfLlmContexts contexts);

/**
 * AimfInstruction:
 * @group: whose prompts are wanted; for shared contexts whose are shown as existing
 * @n: how many; @seed, @index: of the hints, the same for question @index of every group, so that hints tell groups
 * not apart
 * @existing: (nullable) what there is already; @refused: NULL-terminated, "reason: prompt"
 */
typedef struct {
    const AimfTask *task;
    AimfLlmContexts contexts;
    guint group;
    guint n;
    guint64 seed;
    guint index;
    const AimfPromptGroup *existing;
    const char *const *refused;
} AimfInstruction;

/** aimf_instruction_question: (owned) the question, without the form of its answer. */
char *aimf_instruction_question(const AimfInstruction *instruction);
