#include "weights/foreign.h"

#include "base/content.h"

#include <string.h>

enum {
    HEAD_BYTES = 4096, /* that are looked at */
    LINE_BYTES = 60,   /* of a text's first line that are shown */
};

typedef struct {
    const char *data;
    gsize bytes;
} Head;

/* --- Binary files, by their first bytes --- */

#define MAGIC(text) text, sizeof(text) - 1
#define LFS "version https://git-lfs"

/* What weights have in place of a mend of their own; what is nothing special to weights, base/content.h knows. */
static const struct {
    gsize at;
    const char *magic;
    gsize bytes;
    const char *is;
} magics[] = {
    { 0, MAGIC("GGUF"), "a GGUF file (llama.cpp's); get the model as safetensors or as a PyTorch checkpoint" },
    { 0, MAGIC("ggml"), "a GGML file (llama.cpp's); get the model as safetensors or as a PyTorch checkpoint" },
    { 0, MAGIC("lmgg"), "a GGML file (llama.cpp's); get the model as safetensors or as a PyTorch checkpoint" },
    { 0, MAGIC("tjgg"), "a GGML file (llama.cpp's); get the model as safetensors or as a PyTorch checkpoint" },
    { 0, MAGIC("\x89HDF\r\n\x1a\n"), "an HDF5 file, as Keras writes it (.h5); weights of TensorFlow are not read" },
    { 4, MAGIC("TFL3"), "a TensorFlow Lite model; weights of TensorFlow are not read" },
    { 0, MAGIC("\x93NUMPY"), "an array of numpy (.npy); save the weights with torch.save or as safetensors" },
    { 0, MAGIC("\x04\x22\x4d\x18"), "an lz4 archive; unpack it first" },
    { 0, MAGIC("\xff\xd8\xff"), "a JPEG picture" },
    { 0, MAGIC("\x89PNG\r\n"), "a PNG picture" },
    { 8, MAGIC("WEBP"), "a WebP picture" },
    { 0, MAGIC("ARROW1"), "an Arrow table" },
    { 0,
      MAGIC("\x7f"
            "ELF"),
      "a program (ELF)" },
    { 0, MAGIC("\xff\xfe"), "a text in UTF-16" },
    { 0, MAGIC("\xfe\xff"), "a text in UTF-16" },
};

static const char *by_magic(Head head)
{
    for (gsize i = 0; i < G_N_ELEMENTS(magics); i++)
        if (head.bytes >= magics[i].at + magics[i].bytes &&
            memcmp(head.data + magics[i].at, magics[i].magic, magics[i].bytes) == 0)
            return magics[i].is;
    return NULL;
}

/*
 * A protocol buffer whose field 1 is a small number and whose second field is a text, a message or a number that
 * models have there.
 * Sources: onnx/onnx.proto, ModelProto: 1 is ir_version, 2 the producer, 7 the graph, 8 the opset; tensorflow,
 * saved_model.proto: 1 is the version of the scheme, which is 1, 2 the graphs.
 */
static const char *by_fields(Head head)
{
    static const char fields[] = { 0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42 };
    if (head.bytes < 8 || head.data[0] != 0x08 || head.data[1] < 1 || head.data[1] > 30 ||
        !memchr(fields, head.data[2], sizeof fields))
        return NULL;
    return head.data[1] == 1 && head.data[2] == 0x12
               ? "a saved model of TensorFlow, whose weights are not read"
               : "an ONNX model; get its weights as safetensors or as a PyTorch checkpoint";
}

/* --- Texts --- */

/* Valid UTF-8 without zeros, but for a character that the end of the head cuts; past a byte order mark and blanks. */
static gboolean take_text(Head *head)
{
    const char *end;
    if (memchr(head->data, 0, head->bytes))
        return FALSE;
    if (!g_utf8_validate_len(head->data, head->bytes, &end) && (gsize)(head->data + head->bytes - end) >= 4)
        return FALSE;
    head->bytes = (gsize)(end - head->data);
    if (head->bytes >= 3 && memcmp(head->data, "\xef\xbb\xbf", 3) == 0) {
        head->data += 3;
        head->bytes -= 3;
    }
    while (head->bytes && g_ascii_isspace(*head->data)) {
        head->data++;
        head->bytes--;
    }
    return TRUE;
}

static gboolean begins(Head head, const char *word)
{
    gsize length = strlen(word);
    return head.bytes >= length && g_ascii_strncasecmp(head.data, word, length) == 0;
}

static gboolean has(Head head, const char *word)
{
    return g_strstr_len(head.data, (gssize)head.bytes, word) != NULL;
}

static char *by_first_line(Head head)
{
    const char *end = memchr(head.data, '\n', head.bytes);
    gsize length = end ? (gsize)(end - head.data) : head.bytes;
    gboolean table = memchr(head.data, ',', length) != NULL;
    g_autofree char *line = g_strndup(head.data, MIN(length, LINE_BYTES));
    g_autofree char *valid = g_utf8_make_valid(g_strchomp(line), -1);
    for (char *c = valid; *c; c++)
        if (g_ascii_iscntrl(*c))
            *c = ' ';
    return g_strdup_printf("%s that begins with '%s%s'", table ? "a table (CSV)" : "a text", valid,
                           length > LINE_BYTES ? "…" : "");
}

/* How large the file is that a pointer of Git LFS stands for; 0 if it does not say. Source: git-lfs, docs/spec.md. */
static guint64 lfs_size(Head head)
{
    const char *size = g_strstr_len(head.data, (gssize)head.bytes, "\nsize ");
    guint64 bytes = 0;
    for (gsize i = size ? (gsize)(size - head.data) + 6 : head.bytes;
         i < head.bytes && g_ascii_isdigit(head.data[i]) && bytes < G_MAXUINT64 / 100; i++)
        bytes = 10 * bytes + (guint64)(head.data[i] - '0');
    return bytes;
}

static char *by_lfs_pointer(Head head)
{
    return g_strdup_printf("a Git LFS pointer, which stands for a file of %" G_GUINT64_FORMAT " bytes; fetch that with "
                           "'git lfs pull', or download it",
                           lfs_size(head));
}

static char *by_text(Head head)
{
    if ((begins(head, "{") || begins(head, "[")) && has(head, "\"weight_map\""))
        return g_strdup("a JSON list of the files that a model's weights are divided into; give one of those, or the "
                        "folder where a folder is taken");
    if (begins(head, "{") || begins(head, "["))
        return g_strdup("a JSON text (a configuration, or a server's message in place of the file)");
    return head.bytes ? by_first_line(head) : g_strdup("a text of nothing but blanks");
}

char *aimf_foreign(GBytes *map)
{
    gsize size;
    const char *data = g_bytes_get_data(map, &size);
    Head head = { data, MIN(size, HEAD_BYTES) };
    if (size == 0)
        return g_strdup("an empty file (0 bytes): a download that did not begin?");
    const char *known = by_magic(head);
    if (!known)
        known = by_fields(head);
    if (known)
        return g_strdup(known);
    Head text = head;
    if (take_text(&text) && begins(text, LFS))
        return by_lfs_pointer(text);
    /* Checkpoints may be archives of these two kinds, and members say more than the first bytes. */
    gboolean archive =
        (size >= 4 && memcmp(data, "PK\3\4", 4) == 0) || (size >= 262 && memcmp(data + 257, "ustar", 5) == 0);
    const AimfContent *content = size >= 4 && !archive ? aimf_content_recognise(head.data, head.bytes) : NULL;
    if (content)
        return g_strdup_printf("%s; %s", content->name, content->mend);
    return take_text(&head) ? by_text(head) : NULL;
}

/* --- ZIP archives, by their members --- */

static gboolean any(const char *const *names, gsize n, const char *pattern)
{
    for (gsize i = 0; i < n; i++)
        if (g_pattern_match_simple(pattern, names[i]))
            return TRUE;
    return FALSE;
}

const char *aimf_foreign_archive(const char *const *names, gsize n)
{
    static const struct {
        const char *pattern, *is;
    } kinds[] = {
        { "*.weights.h5", "a Keras model, whose weights are not read" },
        { "*data.pkl", "a PyTorch checkpoint that was unpacked and packed again; pack its folder, not what is in it" },
        { "*.npy", "numpy's .npz; save the weights with torch.save or as safetensors" },
        { "*.safetensors", "an archive with safetensors in it; unpack it first" },
        { "*.pth", "an archive with checkpoints in it; unpack it first" },
        { "*.pt", "an archive with checkpoints in it; unpack it first" },
        { "*.ckpt", "an archive with checkpoints in it; unpack it first" },
        { "*.bin", "an archive with checkpoints in it; unpack it first" },
        { "*saved_model.pb", "a saved model of TensorFlow, whose weights are not read" },
        { "*.onnx", "an archive with an ONNX model in it" },
        { "*.mlmodel", "a Core ML package" },
        { "?Content_Types?.xml", "an office document" },
        { "*.class", "a Java archive" },
        { "*.jpg", "an archive of pictures" },
        { "*.png", "an archive of pictures" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (any(names, n, kinds[i].pattern))
            return kinds[i].is;
    return NULL;
}
