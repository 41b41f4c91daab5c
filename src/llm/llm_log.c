#include "llm/llm_log.h"

#include "base/file.h"
#include "base/json.h"

#include <aimfair/json.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct AimfLlmLog {
    int fd;
    char *path;
};

/* Not an AimfWriter: a record of what happened must be there also when the program is killed. */
AimfLlmLog *aimf_llm_log_open(const char *path, GError **error)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0) {
        aimf_io_error(error, errno, "write", path);
        return NULL;
    }
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "cannot write '%s': it is not a regular file", path);
        close(fd);
        return NULL;
    }
    if ((info.st_mode & 077) && fchmod(fd, 0600) != 0) {
        aimf_io_error(error, errno, "keep from others' eyes", path);
        close(fd);
        return NULL;
    }
    AimfLlmLog *log = g_new(AimfLlmLog, 1);
    *log = (AimfLlmLog){ fd, g_strdup(path) };
    return log;
}

void aimf_llm_log_free(AimfLlmLog *log)
{
    if (!log)
        return;
    close(log->fd);
    g_free(log->path);
    g_free(log);
}

static const char *outcome_name(AimfChatOutcome outcome)
{
    static const char *const names[] = { "answer", "cut", "filtered", "again", "otherwise", "failed" };
    return names[outcome];
}

static void add_text(JsonBuilder *builder, const char *name, const char *text)
{
    json_builder_set_member_name(builder, name);
    if (text)
        json_builder_add_string_value(builder, text);
    else
        json_builder_add_null_value(builder);
}

static void add_number(JsonBuilder *builder, const char *name, gint64 value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, value);
}

static char *to_line(const AimfLlmRecord *record)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
    g_autofree char *body = g_utf8_make_valid(record->reply->body, (gssize)record->reply->length);
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    add_text(builder, "time", time);
    add_number(builder, "request", record->request);
    add_number(builder, "attempt", record->attempt);
    add_text(builder, "about", record->about);
    json_builder_set_member_name(builder, "sent");
    JsonNode *sent = aimf_json_parse(record->sent, strlen(record->sent), NULL);
    json_builder_add_value(builder, sent ? sent : json_node_new(JSON_NODE_NULL));
    add_number(builder, "status", record->reply->status);
    add_text(builder, "content_type", record->reply->content_type);
    json_builder_set_member_name(builder, "seconds");
    json_builder_add_double_value(builder, record->reply->seconds);
    add_text(builder, "answer", body);
    add_text(builder, "outcome", outcome_name(record->answer->outcome));
    add_text(builder, "message", record->answer->message);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *text = aimf_json_write(root, FALSE);
    return g_strconcat(text, "\n", NULL);
}

gboolean aimf_llm_log_add(AimfLlmLog *log, const AimfLlmRecord *record, GError **error)
{
    g_autofree char *line = to_line(record);
    gsize length = strlen(line);
    for (gsize done = 0; done < length;) {
        gssize n = write(log->fd, line + done, length - done);
        if (n < 0 && errno != EINTR) {
            aimf_io_error(error, errno, "write", log->path);
            return FALSE;
        }
        done += n > 0 ? (gsize)n : 0;
    }
    return TRUE;
}
