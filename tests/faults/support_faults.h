/* The real program under failing calls and kills: what it may leave, and that the next run makes up for it. */
#pragma once

#include "faults/fault_counts.h"

#include <glib.h>

/** FAULTS_SANITIZED: a sanitizer has its own allocator and signal handlers; these tests are skipped then. */
#if defined(__SANITIZE_ADDRESS__)
#define FAULTS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FAULTS_SANITIZED 1
#endif
#endif
#ifndef FAULTS_SANITIZED
#define FAULTS_SANITIZED 0
#endif

/**
 * FaultCommand:
 * @line: arguments of aimfair, in the folder of faults_set_up(); everything it writes lies below out/
 * @again: (nullable) what is added to go on after a failure
 * @old: (nullable) the output that is there before, with other contents; a failure leaves it or the new one
 * @timed: what it prints has times in it
 * @before: (nullable) a shell command that makes what has to be below out/
 */
typedef struct {
    const char *name;
    const char *line;
    const char *again;
    const char *old;
    gboolean timed;
    const char *before;
} FaultCommand;

extern const FaultCommand fault_commands[];
extern const guint n_fault_commands;

/** faults_set_up: the folder with sets, models and prompts; faults_tear_down removes it. */
void faults_set_up(void);
void faults_tear_down(void);

/**
 * FaultReference: what an undisturbed run does; @files: (owned) name below out/ to checksum; @out: (owned) its stdout
 */
typedef struct {
    GHashTable *files;
    char *out;
    FaultCounts counts;
    gint64 took_us;
} FaultReference;

/** faults_reference: runs @command twice, which must agree. */
void faults_reference(const FaultCommand *command, FaultReference *reference);
void fault_reference_clear(FaultReference *reference);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FaultReference, fault_reference_clear)

/**
 * FaultTally: how runs ended. @unmet: the call was not reached; @whole: status 0 with the right result; @failed:
 * status 1
 */
typedef struct {
    guint runs;
    guint unmet;
    guint whole;
    guint failed;
    guint killed;
} FaultTally;

/**
 * faults_sweep: faults_inject for @samples of the calls of @kind, each of them where there are not more, every fourth
 * with all later ones; which ones is drawn from @seed.
 */
void faults_sweep(const FaultCommand *command, const FaultReference *reference, FaultKind kind, gulong samples,
                  guint64 seed, FaultTally *tally);

/**
 * faults_while: runs aimfair with @line; at the @at-th call of @kind it waits for the shell command @deed, or without
 * one that call and all later ones fail. The test fails unless it ends with @status and says @says.
 */
void faults_while(const char *line, FaultKind kind, gulong at, const char *deed, int status, const char *says);
/** faults_shell: a shell command in the folder of faults_set_up, which must succeed. */
void faults_shell(const char *command);
/** faults_command: the one named @name. */
const FaultCommand *faults_command(const char *name);

/**
 * faults_inject: runs @command with the @at-th call of @kind failing, and all later ones with @from_there; then what
 * it left must be the old or the new, its status and message those of the manual, and another run must give what an
 * undisturbed one does.
 */
void faults_inject(const FaultCommand *command, const FaultReference *reference, FaultKind kind, gulong at,
                   gboolean from_there, FaultTally *tally);
/** faults_kill: the same for SIGKILL after @after_us. */
void faults_kill(const FaultCommand *command, const FaultReference *reference, gint64 after_us, FaultTally *tally);
