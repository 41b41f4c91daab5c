#include "last_words.h"

#include <aimfair/weights.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A sanitizer has its own handlers, which say more. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED TRUE
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED TRUE
#endif
#endif
#ifndef SANITIZED
#define SANITIZED FALSE
#endif

enum { TEXT_BYTES = 4096, STACK_BYTES = 64 << 10 };
static const size_t PROBE_BYTES = (size_t)16 << 20;

static const char NO_MEMORY[] = ": there is no memory left. Nothing was lost: every file is the old one or the new "
                                "one. Run it again, with --resume where the "
                                "command has it; with more memory, or a smaller --batch, --size or --cache\n";
static const char FAULT[] =
    ": this is a fault of the program, please report it. Every file is the old one or the new one; run it again, "
    "with --resume where the command has it\n";

static const AimfCli *the_cli;

/* --- Writing without memory --- */

typedef struct {
    char text[TEXT_BYTES];
    size_t length;
} Words;

static void add(Words *words, const char *text)
{
    size_t n = strnlen(text, sizeof words->text - words->length);
    memcpy(words->text + words->length, text, n);
    words->length += n;
}

/* A name may be any bytes, and a terminal acts upon some of them. */
static void add_name(Words *words, const char *name)
{
    gboolean valid = g_utf8_validate(name, -1, NULL);
    for (; *name; name++) {
        guchar c = (guchar)*name;
        add(words, c < ' ' || c == 0x7F || (c >= 0x80 && !valid) ? "?" : (char[]){ *name, 0 });
    }
}

static void begin(Words *words)
{
    words->length = 0;
    add(words, aimf_cli_progress_shown() ? "\naimfair" : "aimfair");
    if (the_cli->command) {
        add(words, " ");
        add(words, the_cli->command->name);
    }
}

static void say(const Words *words)
{
    (void)!write(STDERR_FILENO, words->text, words->length);
}

static void end_without_memory(void)
{
    Words words;
    begin(&words);
    add(&words, NO_MEMORY);
    say(&words);
    _exit(AIMF_EXIT_FAILED);
}

/* --- Signals --- */

/* Weight files are mapped: what another program cuts off meanwhile is not an error of a call, but this signal. */
static void on_lost_bytes(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    const char *file = info->si_code > 0 ? aimf_mapped_file_at(info->si_addr) : NULL;
    Words words;
    begin(&words);
    add(&words, file ? ": '" : ": a file");
    if (file) {
        add_name(&words, file);
        add(&words, "'");
    }
    add(&words, " was cut short while it was in use, or cannot be read any more\n");
    say(&words);
    _exit(AIMF_EXIT_FAILED);
}

/*
 * Libraries that cannot do without the memory that they did not get abort, or go on with address 0: then the last
 * call of this thread that failed, failed for want of memory. Or there is none even now.
 */
static gboolean lacks_memory(int failure)
{
    if (failure == ENOMEM)
        return TRUE;
    void *probe = mmap(NULL, PROBE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (probe != MAP_FAILED)
        munmap(probe, PROBE_BYTES);
    return probe == MAP_FAILED;
}

static void on_fault(int number)
{
    if (lacks_memory(errno))
        end_without_memory();
    Words words;
    begin(&words);
    add(&words, FAULT);
    say(&words);
    signal(number, SIG_DFL);
    raise(number);
}

static void catch_faults(void)
{
    static const int faults[] = { SIGSEGV, SIGABRT, SIGTRAP, SIGILL, SIGFPE };
    static char stack[STACK_BYTES]; /* where the stack cannot grow there is none for a handler either */
    const stack_t own = { .ss_sp = stack, .ss_size = sizeof stack };
    struct sigaction fault = { .sa_handler = on_fault, .sa_flags = SA_ONSTACK };
    sigaltstack(&own, NULL);
    sigemptyset(&fault.sa_mask);
    for (gsize i = 0; i < G_N_ELEMENTS(faults); i++)
        sigaction(faults[i], &fault, NULL);
}

/* --- GLib --- */

static const char *field(const GLogField *fields, gsize n, const char *key)
{
    for (gsize i = 0; i < n; i++)
        if (strcmp(fields[i].key, key) == 0)
            return fields[i].value;
    return NULL;
}

/* GLib ends the process where its own containers get no memory, and its message would need some. */
static GLogWriterOutput write_log(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer user_data)
{
    const char *message = field(fields, n, "MESSAGE");
    if ((level & G_LOG_LEVEL_ERROR) && (!message || strstr(message, "failed to allocate")))
        end_without_memory();
    int number = errno; /* may tell a fault that follows why it happened */
    GLogWriterOutput done = g_log_writer_default(level, fields, n, user_data);
    errno = number;
    return done;
}

void aimf_last_words_prepare(const AimfCli *cli)
{
    the_cli = cli;
    struct sigaction lost = { .sa_sigaction = on_lost_bytes, .sa_flags = SA_SIGINFO };
    sigemptyset(&lost.sa_mask);
    sigaction(SIGBUS, &lost, NULL);
    g_log_set_writer_func(write_log, NULL, NULL);
    if (!SANITIZED)
        catch_faults();
}
