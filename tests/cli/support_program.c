#include "cli/support_program.h"

#include <string.h>
#include <sys/wait.h>

void program_run_clear(ProgramRun *run)
{
    g_free(run->out);
    g_free(run->err);
}

static ProgramRun spawn(char **argv)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) environment = g_environ_setenv(g_get_environ(), "AIMFAIR", AIMFAIR_PROGRAM, TRUE);
    ProgramRun run = { 0 };
    int raw;
    g_spawn_sync(NULL, argv, environment, G_SPAWN_SEARCH_PATH, NULL, NULL, &run.out, &run.err, &raw, &error);
    g_assert_no_error(error);
    run.status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    return run;
}

void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        g_error("expected '%s' in:\n%s", part, text);
}

ProgramRun run_program(const char *const *arguments)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_ptr_array_add(argv, (char[]){ AIMFAIR_PROGRAM });
    for (; *arguments; arguments++)
        g_ptr_array_add(argv, (gpointer)*arguments);
    g_ptr_array_add(argv, NULL);
    return spawn((char **)argv->pdata);
}

ProgramRun run_shell(const char *command)
{
    return spawn((char *[]){ (char[]){ "/bin/sh" }, (char[]){ "-c" }, (char *)command, NULL });
}

char *program_output(const char *folder, int status, const char *command)
{
    g_autofree char *line = g_strdup_printf("cd '%s' && export OMP_WAIT_POLICY=passive && %s", folder, command);
    g_auto(ProgramRun) result = run_shell(line);
    if (result.status != status)
        g_error("%s: status %d in place of %d\n%s", command, result.status, status, result.err);
    return g_strconcat(result.out, result.err, NULL);
}

void program_expect(const char *folder, int status, const char *command, const char *says)
{
    g_autofree char *text = program_output(folder, status, command);
    if (!strstr(text, says))
        g_error("%s: expected '%s' in:\n%s", command, says, text);
}

JsonNode *program_json(const char *text)
{
    g_autoptr(GError) error = NULL;
    JsonNode *root = json_from_string(text, &error);
    g_assert_no_error(error);
    return root;
}

const char program_answers[] = "id,target,protected,logit\n"
                               "1,0,a,-2\n2,0,a,-1\n3,0,b,-0.5\n4,0,b,0.5\n"
                               "5,1,a,-0.25\n6,1,a,3\n7,1,b,0\n8,1,b,2\n";
