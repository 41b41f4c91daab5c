/* Running the real program in tests. */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

/** ProgramRun: what one run of aimfair gave. @status: exit status, or 128 + the signal that ended it */
typedef struct {
    int status;
    char *out; /* owned */
    char *err; /* owned */
} ProgramRun;

void program_run_clear(ProgramRun *run);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProgramRun, program_run_clear)

/** run_program: aimfair with the words of @arguments, NULL-terminated. */
ProgramRun run_program(const char *const *arguments);
/** RUN: for instance RUN("help", "train"). */
#define RUN(...) run_program((const char *const[]){ __VA_ARGS__, NULL })

/** assert_contains: that @part is in @text, both of which the failure shows. */
void assert_contains(const char *text, const char *part);

/** run_shell: a shell command line in which $AIMFAIR is the program, for redirections and signals. */
ProgramRun run_shell(const char *command);

/**
 * program_output: (owned) stdout and stderr of a shell command line in @folder, in which $AIMFAIR is the program and
 * threads sleep at barriers; the test fails unless it ends with @status.
 */
char *program_output(const char *folder, int status, const char *command);
/** program_expect: the same, and the test fails unless @says is in the output. */
void program_expect(const char *folder, int status, const char *command, const char *says);

/** program_json: (owned) what a command printed with --json; fails the test if it is none. */
JsonNode *program_json(const char *text);

/**
 * program_answers: a table of predictions. Group 0: TPR 1/2, FPR 0; group 1: TPR 1, FPR 1/2. Accuracies of (0,a) (0,b)
 * (1,a) (1,b): 1, 1/2, 1/2, 1.
 */
extern const char program_answers[];
