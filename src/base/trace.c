#include "base/trace.h"

#include "base/file.h"
#include "base/json_write.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

enum { MOST_EVENTS = 1 << 19, NS_PER_US = 1000 };

typedef struct {
    const char *category, *name, *detail;
    gint64 begin, end;
    guint lane;
} Event;

typedef struct {
    pid_t thread;
    char name[16];
} Lane;

struct AimfTrace {
    GMutex lock;
    GArray *events;      /* of Event */
    GArray *lanes;       /* of Lane */
    GStringChunk *texts; /* of events, each once */
    guint64 left_out;
    gint64 start;
};

AimfTrace *aimf_trace_new(void)
{
    AimfTrace *trace = g_new0(AimfTrace, 1);
    g_mutex_init(&trace->lock);
    trace->events = g_array_new(FALSE, FALSE, sizeof(Event));
    trace->lanes = g_array_new(FALSE, FALSE, sizeof(Lane));
    trace->texts = g_string_chunk_new(1 << 16);
    trace->start = aimf_trace_now(trace);
    return trace;
}

void aimf_trace_free(AimfTrace *trace)
{
    if (!trace)
        return;
    g_array_unref(trace->events);
    g_array_unref(trace->lanes);
    g_string_chunk_free(trace->texts);
    g_mutex_clear(&trace->lock);
    g_free(trace);
}

gint64 aimf_trace_now(const AimfTrace *trace)
{
    struct timespec now;
    if (!trace)
        return 0;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (gint64)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The lane of this thread; the lock is held. */
static guint find_lane(AimfTrace *trace)
{
    Lane lane = { .thread = gettid() };
    for (guint i = 0; i < trace->lanes->len; i++)
        if (g_array_index(trace->lanes, Lane, i).thread == lane.thread)
            return i;
    if (pthread_getname_np(pthread_self(), lane.name, sizeof lane.name) != 0)
        lane.name[0] = '\0';
    g_array_append_val(trace->lanes, lane);
    return trace->lanes->len - 1;
}

void aimf_trace_add(AimfTrace *trace, const char *category, const char *name, const char *detail, gint64 begin)
{
    if (!trace)
        return;
    gint64 end = aimf_trace_now(trace);
    g_mutex_lock(&trace->lock);
    if (trace->events->len < MOST_EVENTS) {
        Event event = { .category = category,
                        .name = g_string_chunk_insert_const(trace->texts, name),
                        .detail = detail ? g_string_chunk_insert_const(trace->texts, detail) : NULL,
                        .begin = begin,
                        .end = end,
                        .lane = find_lane(trace) };
        g_array_append_val(trace->events, event);
    } else {
        trace->left_out++;
    }
    g_mutex_unlock(&trace->lock);
}

static void write_lane(AimfWriter *writer, guint index, const Lane *lane)
{
    g_autoptr(GString) name = g_string_new(NULL);
    aimf_json_append_text(name, lane->name);
    aimf_writer_printf(writer, "{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":1,\"tid\":%u,\"args\":{\"name\":%s}},\n",
                       index, name->str);
}

static void write_event(AimfWriter *writer, const Event *event, gint64 start)
{
    g_autoptr(GString) name = g_string_new(NULL);
    aimf_json_append_text(name, event->name);
    gint64 begin = MAX(event->begin - start, 0), length = event->end - MAX(event->begin, start);
    aimf_writer_printf(writer,
                       "{\"ph\":\"X\",\"cat\":\"%s\",\"name\":%s,\"pid\":1,\"tid\":%u,\"ts\":%" G_GINT64_FORMAT
                       ".%03d,\"dur\":%" G_GINT64_FORMAT ".%03d",
                       event->category, name->str, event->lane, begin / NS_PER_US, (int)(begin % NS_PER_US),
                       length / NS_PER_US, (int)(length % NS_PER_US));
    if (event->detail) {
        g_string_truncate(name, 0);
        aimf_json_append_text(name, event->detail);
        aimf_writer_printf(writer, ",\"args\":{\"detail\":%s}", name->str);
    }
    aimf_writer_printf(writer, "}");
}

gboolean aimf_trace_save(AimfTrace *trace, const char *path, GError **error)
{
    g_autoptr(AimfWriter) writer = aimf_writer_open(path, error);
    if (!writer)
        return FALSE;
    g_mutex_lock(&trace->lock);
    aimf_writer_printf(
        writer, "{\"displayTimeUnit\":\"ms\",\"otherData\":{\"left_out\":%" G_GUINT64_FORMAT "},\"traceEvents\":[\n",
        trace->left_out);
    for (guint i = 0; i < trace->lanes->len; i++)
        write_lane(writer, i, &g_array_index(trace->lanes, Lane, i));
    for (guint i = 0; i < trace->events->len; i++) {
        write_event(writer, &g_array_index(trace->events, Event, i), trace->start);
        aimf_writer_printf(writer, ",\n");
    }
    aimf_writer_printf(writer,
                       "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":1,\"args\":{\"name\":\"aimfair\"}}]}\n");
    g_mutex_unlock(&trace->lock);
    return aimf_writer_commit(writer, error);
}
