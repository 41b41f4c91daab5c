/* The table of commands. */
#include "cli.h"

/* One row per command, so that additions do not touch each other. */
/* clang-format off */
const AimfCommand *const aimf_cli_commands[] = {
    &AIMF_COMMAND_RUN,
    &AIMF_COMMAND_REPORT,
    &AIMF_COMMAND_DATA,
    &AIMF_COMMAND_PROMPTS,
    &AIMF_COMMAND_GENERATE,
    &AIMF_COMMAND_AUTOENCODE,
    &AIMF_COMMAND_IMPORT,
    &AIMF_COMMAND_TRAIN,
    &AIMF_COMMAND_SENSITIVITY,
    &AIMF_COMMAND_FINETUNE,
    &AIMF_COMMAND_EVALUATE,
    &AIMF_COMMAND_PREDICT,
    &AIMF_COMMAND_VERIFY,
    &AIMF_COMMAND_CONVERT,
    &AIMF_COMMAND_PLAN,
    &AIMF_COMMAND_DEVICES,
    &AIMF_COMMAND_DEMO,
    NULL,
};
/* clang-format on */
