/* aimfair --completion bash|zsh: scripts that complete commands, options and file names. */
#include "entries.h"
#include "option_tables.h"

#include <aimfair/version.h>
#include <string.h>

static void print_words(AimfCli *cli, const AimfCommand *const *commands)
{
    for (const AimfCommand *const *c = commands; *c; c++)
        aimf_cli_print(cli, "%s%s", c == commands ? "" : " ", aimf_cli_word(*c));
}

/* --- bash --- */

static const char BASH_START[] = "_aimfair()\n"
                                 "{\n"
                                 "    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
                                 "    local command=${COMP_WORDS[1]} words='' options='' with_text='' position=1\n"
                                 "    COMPREPLY=()\n"
                                 "    if [[ $command == help ]]; then\n"
                                 "        command=${COMP_WORDS[2]} position=2\n"
                                 "    fi\n"
                                 "    # --option=text is three words to bash\n"
                                 "    if [[ $word == '=' ]]; then\n"
                                 "        word=''\n"
                                 "    elif [[ $previous == '=' ]]; then\n"
                                 "        previous=${COMP_WORDS[COMP_CWORD-2]}\n"
                                 "    fi\n";

static const char BASH_END[] =
    "    [[ $position == 2 ]] && options='' with_text=''\n"
    "    # After an option that takes a text, and for arguments, file names: the shell's own completion.\n"
    "    [[ -n $with_text && \" $with_text \" == *\" $previous \"* ]] && return\n"
    "    if [[ $word == -* ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
    "    elif [[ -n $words ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
    "    fi\n"
    "}\n"
    "complete -o default -F _aimfair aimfair\n";

/* The options with @argument (or all), long and short. */
static void print_options(AimfCli *cli, const Description *d, gboolean all)
{
    const char *gap = "";
    for (const GOptionEntry *option = d->options; option->long_name; option++) {
        if (!all && !entries_takes_argument(option))
            continue;
        aimf_cli_print(cli, "%s--%s", gap, option->long_name);
        if (option->short_name)
            aimf_cli_print(cli, " -%c", option->short_name);
        gap = " ";
    }
}

static void print_bash_case(AimfCli *cli, const Description *d)
{
    aimf_cli_print(cli, "    '%s')\n        options='", d->command->name);
    print_options(cli, d, TRUE);
    aimf_cli_print(cli, "'\n        with_text='");
    print_options(cli, d, FALSE);
    aimf_cli_print(cli, "' ;;\n");
}

static void print_bash(AimfCli *cli, const GArray *descriptions)
{
    aimf_cli_print(cli, "# bash completion for aimfair %s, as 'aimfair --completion bash' prints it\n%s",
                   aimf_version(), BASH_START);
    aimf_cli_print(cli, "    if ((COMP_CWORD == position)); then\n        words='");
    print_words(cli, aimf_cli_commands);
    aimf_cli_print(cli, " help' options='--help --version'\n    fi\n    case $command in\n");
    for (guint i = 0; i < descriptions->len; i++) {
        const AimfCommand *command = g_array_index(descriptions, Description, i).command;
        if (!command->subcommands)
            continue;
        aimf_cli_print(cli, "    %s)\n        if ((COMP_CWORD == position + 1)); then\n            words='",
                       command->name);
        print_words(cli, command->subcommands);
        aimf_cli_print(cli, "'\n        elif [[ \" ");
        print_words(cli, command->subcommands);
        aimf_cli_print(cli, " \" == *\" ${COMP_WORDS[position+1]} \"* ]]; then\n"
                            "            command=\"$command ${COMP_WORDS[position+1]}\"\n        fi ;;\n");
    }
    aimf_cli_print(cli, "    esac\n    ((COMP_CWORD > position)) && case $command in\n");
    for (guint i = 0; i < descriptions->len; i++)
        print_bash_case(cli, &g_array_index(descriptions, Description, i));
    aimf_cli_print(cli, "    esac\n%s", BASH_END);
}

/* --- zsh --- */

/* Within single quotes, brackets and before colons. */
static void print_quoted(AimfCli *cli, const char *text)
{
    for (const char *c = text; *c; c++) {
        if (*c == '\'')
            aimf_cli_print(cli, "'\\''");
        else
            aimf_cli_print(cli, strchr("[]:\\", *c) ? "\\%c" : "%c", *c);
    }
}

static void print_zsh_words(AimfCli *cli, const AimfCommand *const *commands, const char *indent)
{
    aimf_cli_print(cli, "%swords_of=(\n", indent);
    for (const AimfCommand *const *c = commands; *c; c++) {
        aimf_cli_print(cli, "%s    '%s:", indent, aimf_cli_word(*c));
        print_quoted(cli, (*c)->summary);
        aimf_cli_print(cli, "'\n");
    }
    aimf_cli_print(cli, "%s)\n", indent);
}

static void print_zsh_option(AimfCli *cli, const GOptionEntry *option)
{
    g_autofree char *argument = describe_argument(option);
    gboolean repeated = option->arg == G_OPTION_ARG_STRING_ARRAY || option->arg == G_OPTION_ARG_FILENAME_ARRAY;
    aimf_cli_print(cli, "            ");
    if (option->short_name)
        aimf_cli_print(cli, "'%s(-%c --%s)'{-%c%s,--%s%s}'", repeated ? "*" : "", option->short_name, option->long_name,
                       option->short_name, argument ? "+" : "", option->long_name, argument ? "=" : "");
    else
        aimf_cli_print(cli, "'%s--%s%s", repeated ? "*" : "", option->long_name, argument ? "=" : "");
    aimf_cli_print(cli, "[");
    print_quoted(cli, option->description);
    aimf_cli_print(cli, "]");
    if (argument) {
        gboolean file = option->arg == G_OPTION_ARG_FILENAME || option->arg == G_OPTION_ARG_FILENAME_ARRAY;
        aimf_cli_print(cli, ":");
        print_quoted(cli, argument);
        aimf_cli_print(cli, ":%s", !file ? "" : strcmp(argument, "DIR") == 0 ? "_files -/" : "_files");
    }
    aimf_cli_print(cli, "'\n");
}

static void print_zsh_case(AimfCli *cli, const Description *d)
{
    aimf_cli_print(cli, "    '%s')\n        arguments=(\n", d->command->name);
    for (const GOptionEntry *option = d->options; option->long_name; option++)
        print_zsh_option(cli, option);
    if (d->command->arguments)
        aimf_cli_print(cli, "            '*:file:_files'\n");
    aimf_cli_print(cli, "        ) ;;\n");
}

static void print_zsh(AimfCli *cli, const GArray *descriptions)
{
    aimf_cli_print(cli,
                   "#compdef aimfair\n# zsh completion for aimfair %s, as 'aimfair --completion zsh' prints it\n"
                   "_aimfair()\n{\n    local -a words_of arguments\n    local name\n    if ((CURRENT == 2)); then\n",
                   aimf_version());
    print_zsh_words(cli, aimf_cli_commands, "        ");
    aimf_cli_print(cli, "        words_of+=('help:describe a command')\n        _describe command words_of\n"
                        "        return\n    fi\n    [[ $words[2] == help ]] && { shift words; ((CURRENT--)) }\n"
                        "    if ((CURRENT == 2)); then\n");
    print_zsh_words(cli, aimf_cli_commands, "        ");
    aimf_cli_print(cli, "        _describe command words_of\n        return\n    fi\n    name=$words[2]\n"
                        "    shift words\n    ((CURRENT--))\n    case $name in\n");
    for (guint i = 0; i < descriptions->len; i++) {
        const AimfCommand *command = g_array_index(descriptions, Description, i).command;
        if (!command->subcommands)
            continue;
        aimf_cli_print(cli, "    %s)\n", command->name);
        print_zsh_words(cli, command->subcommands, "        ");
        aimf_cli_print(cli, "        if ((CURRENT == 2)) && [[ $PREFIX != -* ]]; then\n"
                            "            _describe subcommand words_of\n            return\n"
                            "        elif [[ -n ${words_of[(r)$words[2]:*]} ]]; then\n"
                            "            name=\"$name $words[2]\"\n            shift words\n            ((CURRENT--))\n"
                            "        fi ;;\n");
    }
    aimf_cli_print(cli, "    esac\n    case $name in\n");
    for (guint i = 0; i < descriptions->len; i++)
        print_zsh_case(cli, &g_array_index(descriptions, Description, i));
    aimf_cli_print(cli, "    esac\n    _arguments -s $arguments\n}\n_aimfair \"$@\"\n");
}

gboolean aimf_cli_print_completion(AimfCli *cli, const char *shell, GError **error)
{
    static const char *const shells[] = { "bash", "zsh", NULL };
    int choice = aimf_cli_choice("--completion", shell, shells, error);
    if (choice < 0)
        return FALSE;
    g_autoptr(GArray) descriptions = describe_commands(cli);
    (choice == 0 ? print_bash : print_zsh)(cli, descriptions);
    return TRUE;
}
