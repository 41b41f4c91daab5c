/*
 * The forms in which CLIP's vocabulary is found: OpenAI's list of merges, and Hugging Face's vocab.json or
 * tokenizer.json.
 */
#include "base/file.h"
#include "base/json.h"
#include "base/shown.h"
#include "base/text_file.h"
#include "text/vocabulary.h"

#include <gio/gio.h>
#include <string.h>

#define OPENAI_FILE "bpe_simple_vocab_16e6.txt"
static const char BEGIN[] = "<|startoftext|>";
static const char END[] = "<|endoftext|>";

enum {
    LIMIT_BYTES = 32 << 20,          /* about ten times the largest file of any form */
    MAX_ID = 1 << 22,                /* a vocabulary beyond it is no CLIP's, whatever it says */
    OPENAI_MERGES = 49152 - 256 - 2, /* of the 262144 that its file lists. Source: openai/CLIP, simple_tokenizer.py */
    CHUNK_BYTES = 1 << 16,
};

/* (owned) @packed inflated, refused above LIMIT_BYTES before more than that is held. */
static GBytes *inflate(GBytes *packed, const char *path, GError **error)
{
    g_autoptr(GInputStream) memory = g_memory_input_stream_new_from_bytes(packed);
    g_autoptr(GZlibDecompressor) gzip = g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP);
    g_autoptr(GInputStream) stream = g_converter_input_stream_new(memory, G_CONVERTER(gzip));
    g_autoptr(GByteArray) text = g_byte_array_new();
    g_autofree guint8 *chunk = g_malloc(CHUNK_BYTES);
    for (;;) {
        g_autoptr(GError) reason = NULL;
        gssize n = g_input_stream_read(stream, chunk, CHUNK_BYTES, NULL, &reason);
        if (n == 0)
            return g_byte_array_free_to_bytes(g_steal_pointer(&text));
        if (n < 0) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "'%s' is damaged: %s; get it again", path,
                        reason->message);
            return NULL;
        }
        if (text->len + (gsize)n > LIMIT_BYTES) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                        "'%s' inflates to more than the %d bytes that a vocabulary may have", path, LIMIT_BYTES);
            return NULL;
        }
        g_byte_array_append(text, chunk, (guint)n);
    }
}

/* (owned) The file's text, inflated where it is packed, valid UTF-8 with a 0 at its end that is not counted. */
static GString *read_text(const char *path, GError **error)
{
    g_autoptr(GBytes) bytes = aimf_file_read(path, LIMIT_BYTES, error);
    if (!bytes)
        return NULL;
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);
    if (size >= 2 && memcmp(data, "\x1f\x8b", 2) == 0) {
        GBytes *inflated = inflate(bytes, path, error);
        if (!inflated)
            return NULL;
        g_bytes_unref(bytes);
        bytes = inflated;
    }
    GBytes *text = aimf_text_decode(g_steal_pointer(&bytes), path, error);
    if (!text)
        return NULL;
    bytes = text;
    data = g_bytes_get_data(bytes, &size);
    const char *valid_end = data;
    if (size && !g_utf8_validate_len(data, size, &valid_end)) {
        guint line = 1;
        for (const char *c = data; c < valid_end; c++)
            line += *c == '\n';
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "'%s', line %u: not UTF-8 text, so no vocabulary", path,
                    line);
        return NULL;
    }
    return g_string_new_len(data, (gssize)size);
}

/* "left right" → merges; @both: also a token of its own, the next one, as OpenAI's file means it. */
static gboolean merge_line(AimfVocabulary *vocabulary, char *line, gboolean both, GError **error)
{
    g_strchomp(line);
    char *space = strchr(line, ' ');
    if (!space || space == line || !space[1] || strchr(space + 1, ' ')) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "expected two tokens with a space between them, found '%s'",
                    AIMF_SHOWN(line));
        return FALSE;
    }
    *space = 0;
    if (both) {
        g_autofree char *token = g_strconcat(line, space + 1, NULL);
        if (!aimf_vocabulary_add(vocabulary, token, (gint32)vocabulary->n_tokens, error))
            return FALSE;
    }
    return aimf_vocabulary_merge(vocabulary, line, space + 1, error);
}

/* The lines of @text from the second one on, at most @most of them. */
static gboolean merge_lines(AimfVocabulary *vocabulary, GString *text, gboolean both, guint most, const char *path,
                            GError **error)
{
    char *line = text->str, *stop = text->str + text->len;
    for (guint number = 1; line < stop && number <= most + 1; number++) {
        char *end = memchr(line, '\n', (gsize)(stop - line));
        end = end ? end : stop;
        *end = 0;
        gboolean version = number == 1 && strstr(line, "#version");
        if (number == 1 && !version && both) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                        "'%s', line 1: expected '#version', so this is not OpenAI's %s", path, OPENAI_FILE);
            return FALSE;
        }
        if (!version && end > line && !merge_line(vocabulary, line, both, error)) {
            g_prefix_error(error, "'%s', line %u: ", path, number);
            return FALSE;
        }
        line = end + 1;
    }
    return TRUE;
}

static gboolean read_openai(AimfVocabulary *vocabulary, GString *text, const char *path, GError **error)
{
    vocabulary->original = TRUE;
    aimf_vocabulary_add_bytes(vocabulary);
    if (!merge_lines(vocabulary, text, TRUE, OPENAI_MERGES, path, error))
        return FALSE;
    if (!vocabulary->merges_found->len) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "'%s' lists no merges: expected OpenAI's %s", path,
                    OPENAI_FILE);
        return FALSE;
    }
    vocabulary->begin = (gint32)vocabulary->n_tokens;
    vocabulary->end = vocabulary->unknown = vocabulary->begin + 1;
    return aimf_vocabulary_add(vocabulary, BEGIN, vocabulary->begin, error) &&
           aimf_vocabulary_add(vocabulary, END, vocabulary->end, error);
}

/* {"token": id, …} */
static gboolean read_ids(AimfVocabulary *vocabulary, JsonObject *tokens, const char *path, GError **error)
{
    JsonObjectIter iter;
    const char *token;
    JsonNode *node;
    json_object_iter_init(&iter, tokens);
    while (json_object_iter_next(&iter, &token, &node)) {
        gint64 id;
        if (!aimf_json_int(tokens, path, token, 0, MAX_ID, &id, error) ||
            !aimf_vocabulary_add(vocabulary, token, (gint32)id, error))
            return FALSE;
    }
    vocabulary->n_own = vocabulary->n_tokens;
    return TRUE;
}

static gboolean flag(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_boolean(node);
}

/* A token of a configuration is its text, or an object that has it as "content". NULL: none. */
static const char *special_text(JsonNode *node, gboolean *folded, gboolean *alone)
{
    *folded = *alone = FALSE;
    if (node && JSON_NODE_HOLDS_OBJECT(node)) {
        JsonObject *object = json_node_get_object(node);
        *folded = flag(object, "normalized");
        *alone = flag(object, "single_word");
        node = json_object_get_member(object, "content");
    }
    return node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
}

/* A token that was added to the vocabulary, unless it is there with this number; text may spell it. */
static gboolean add_token(AimfVocabulary *vocabulary, const char *token, gint64 id, gboolean folded, gboolean alone,
                          GError **error)
{
    if (aimf_vocabulary_id(vocabulary, token) != id) {
        if (id < vocabulary->n_own || id > MAX_ID || !*token) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                        "the added token '%s' has the number %" G_GINT64_FORMAT "; those from %u to %d are free",
                        AIMF_SHOWN(token), id, vocabulary->n_own, MAX_ID);
            return FALSE;
        }
        if (!aimf_vocabulary_add(vocabulary, token, (gint32)id, error))
            return FALSE;
    }
    return aimf_vocabulary_special(vocabulary, token, folded, alone, error);
}

/*
 * added_tokens.json, {"token": id, …}: what textual inversion and the like added. They are looked for in the folded
 * text.
 */
static gboolean read_added(AimfVocabulary *vocabulary, const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "added_tokens.json", NULL);
    gboolean there;
    if (!aimf_path_there(path, &there, error))
        return FALSE;
    if (!there)
        return TRUE;
    g_autoptr(JsonNode) root = aimf_json_open(path, LIMIT_BYTES, error);
    if (!root)
        return FALSE;
    JsonObject *tokens = json_node_get_object(root);
    JsonObjectIter iter;
    const char *token;
    json_object_iter_init(&iter, tokens);
    while (json_object_iter_next(&iter, &token, NULL)) {
        gint64 id;
        if (!aimf_json_int(tokens, path, token, 0, MAX_ID, &id, error))
            return FALSE;
        if (!add_token(vocabulary, token, id, TRUE, FALSE, error)) {
            g_prefix_error(error, "'%s': ", path);
            return FALSE;
        }
    }
    return TRUE;
}

/* tokenizer.json's [{"id": 49408, "content": "<new>", …}, …]. */
static gboolean read_added_list(AimfVocabulary *vocabulary, JsonObject *root, GError **error)
{
    JsonNode *node = json_object_get_member(root, "added_tokens");
    JsonArray *list = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    for (guint i = 0; list && i < json_array_get_length(list); i++) {
        gboolean folded, alone;
        JsonNode *element = json_array_get_element(list, i);
        const char *text = special_text(element, &folded, &alone);
        JsonNode *id = text && JSON_NODE_HOLDS_OBJECT(element)
                           ? json_object_get_member(json_node_get_object(element), "id")
                           : NULL;
        if (!id || !JSON_NODE_HOLDS_VALUE(id) || json_node_get_value_type(id) != G_TYPE_INT64) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "added_tokens[%u] has no 'content' or no 'id'", i);
            return FALSE;
        }
        if (!add_token(vocabulary, text, json_node_get_int(id), folded, alone, error))
            return FALSE;
    }
    return TRUE;
}

/*
 * @config: (nullable) tokenizer_config.json or special_tokens_map.json: which tokens text may spell, and who begins
 * and ends.
 */
static gboolean read_specials(AimfVocabulary *vocabulary, JsonObject *config, GError **error)
{
    struct {
        const char *role, *text;
        gint32 *id;
    } specials[] = {
        { "bos_token", BEGIN, &vocabulary->begin },
        { "eos_token", END, &vocabulary->end },
        { "unk_token", END, &vocabulary->unknown },
        { "pad_token", END, NULL },
    };
    for (guint i = 0; i < G_N_ELEMENTS(specials); i++) {
        gboolean folded, alone;
        JsonNode *node = config ? json_object_get_member(config, specials[i].role) : NULL;
        const char *text = special_text(node, &folded, &alone);
        text = text ? text : specials[i].text;
        if (!aimf_vocabulary_special(vocabulary, text, folded, alone, error))
            return FALSE;
        if (specials[i].id)
            *specials[i].id = aimf_vocabulary_id(vocabulary, text);
    }
    JsonNode *decoder = config ? json_object_get_member(config, "added_tokens_decoder") : NULL;
    if (!decoder || !JSON_NODE_HOLDS_OBJECT(decoder))
        return TRUE;
    JsonObjectIter iter;
    const char *key;
    JsonNode *node;
    json_object_iter_init(&iter, json_node_get_object(decoder));
    while (json_object_iter_next(&iter, &key, &node)) {
        gboolean folded, alone;
        gint64 id;
        const char *text = special_text(node, &folded, &alone);
        if (!g_ascii_string_to_signed(key, 10, 0, MAX_ID, &id, NULL)) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "added_tokens_decoder has '%s' where numbers stand",
                        AIMF_SHOWN(key));
            return FALSE;
        }
        if (text && !add_token(vocabulary, text, id, folded, alone, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean read_folder_specials(AimfVocabulary *vocabulary, const char *folder, GError **error)
{
    g_autofree char *config = g_build_filename(folder, "tokenizer_config.json", NULL);
    g_autofree char *map = g_build_filename(folder, "special_tokens_map.json", NULL);
    gboolean has_config, has_map;
    if (!aimf_path_there(config, &has_config, error) || !aimf_path_there(map, &has_map, error))
        return FALSE;
    const char *path = has_config ? config : map;
    g_autoptr(JsonNode) root = NULL;
    if ((has_config || has_map) && !(root = aimf_json_open(path, LIMIT_BYTES, error)))
        return FALSE;
    if (read_specials(vocabulary, root ? json_node_get_object(root) : NULL, error))
        return TRUE;
    g_prefix_error(error, "'%s': ", root ? path : folder);
    return FALSE;
}

/* vocab.json and merges.txt. */
static gboolean read_pair(AimfVocabulary *vocabulary, const char *folder, GError **error)
{
    g_autofree char *tokens = g_build_filename(folder, "vocab.json", NULL);
    g_autofree char *merges = g_build_filename(folder, "merges.txt", NULL);
    g_autoptr(JsonNode) root = aimf_json_open(tokens, LIMIT_BYTES, error);
    g_autoptr(GString) text = root ? read_text(merges, error) : NULL;
    return text && read_ids(vocabulary, json_node_get_object(root), tokens, error) &&
           merge_lines(vocabulary, text, FALSE, G_MAXUINT - 1, merges, error);
}

/* tokenizer.json's merges are ["left", "right"], or "left right" as older versions wrote them. */
static gboolean merge_element(AimfVocabulary *vocabulary, JsonNode *node, GError **error)
{
    if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_string(node)) {
        g_autofree char *line = json_node_dup_string(node);
        return merge_line(vocabulary, line, FALSE, error);
    }
    JsonArray *parts = JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    const char *pair[2] = { NULL, NULL };
    for (guint i = 0; parts && json_array_get_length(parts) == 2 && i < 2; i++) {
        JsonNode *part = json_array_get_element(parts, i);
        pair[i] = JSON_NODE_HOLDS_VALUE(part) ? json_node_get_string(part) : NULL;
    }
    if (pair[0] && pair[1])
        return aimf_vocabulary_merge(vocabulary, pair[0], pair[1], error);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "expected two tokens");
    return FALSE;
}

static gboolean read_tokenizer_json(AimfVocabulary *vocabulary, JsonNode *root, const char *path, GError **error)
{
    JsonObject *model = root ? aimf_json_object(json_node_get_object(root), path, "model", error) : NULL;
    JsonObject *tokens = model ? aimf_json_object(model, path, "vocab", error) : NULL;
    JsonArray *merges = tokens ? aimf_json_array(model, path, "merges", error) : NULL;
    if (!merges || !read_ids(vocabulary, tokens, path, error))
        return FALSE;
    for (guint i = 0; i < json_array_get_length(merges); i++)
        if (!merge_element(vocabulary, json_array_get_element(merges, i), error)) {
            g_prefix_error(error, "'%s', merges[%u]: ", path, i);
            return FALSE;
        }
    return TRUE;
}

static gboolean read_folder(AimfVocabulary *vocabulary, const char *folder, GError **error)
{
    g_autofree char *pair = g_build_filename(folder, "vocab.json", NULL);
    g_autofree char *fast = g_build_filename(folder, "tokenizer.json", NULL);
    gboolean has_pair;
    if (!aimf_path_there(pair, &has_pair, error))
        return FALSE;
    if (has_pair)
        return read_pair(vocabulary, folder, error) && read_added(vocabulary, folder, error) &&
               read_folder_specials(vocabulary, folder, error);
    g_autoptr(JsonNode) root = aimf_json_open(fast, LIMIT_BYTES, error);
    if (!root || !read_tokenizer_json(vocabulary, root, fast, error) ||
        !read_folder_specials(vocabulary, folder, error))
        return FALSE;
    /* Last: it says more of each token than its roles in the configuration do. */
    if (read_added_list(vocabulary, json_node_get_object(root), error))
        return TRUE;
    g_prefix_error(error, "'%s': ", fast);
    return FALSE;
}

/*
 * (owned) The one of the known files that the folder has; NULL: none, or with an error. @hugging_face: its folder is
 * to be read instead.
 */
static char *find_in_folder(const char *folder, gboolean *hugging_face, GError **error)
{
    static const char *const names[] = { "vocab.json", "tokenizer.json", OPENAI_FILE, OPENAI_FILE ".gz" };
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        gboolean there;
        *hugging_face = i < 2;
        if (!aimf_path_there(path, &there, error))
            return NULL;
        if (there)
            return g_steal_pointer(&path);
    }
    return NULL;
}

/* (owned) The file that says what kind of vocabulary @path is; NULL with an error. */
static char *find_file(const char *path, gboolean *hugging_face, GError **error)
{
    GError *failure = NULL;
    AimfPathKind kind = aimf_path_kind(path, &failure);
    g_autofree char *file = kind == AIMF_PATH_FOLDER   ? find_in_folder(path, hugging_face, &failure)
                            : kind > AIMF_PATH_MISSING ? g_strdup(path)
                                                       : NULL;
    if (!file && !failure)
        g_set_error(
            &failure, AIMF_ERROR, AIMF_ERROR_NOT_FOUND,
            "'%s' has no vocabulary: expected %s or %s.gz (github.com/openai/CLIP has it, in clip/), or vocab.json "
            "and merges.txt (the folder tokenizer/ of a model in diffusers' layout)",
            path, OPENAI_FILE, OPENAI_FILE);
    if (failure)
        g_propagate_error(error, failure);
    return g_steal_pointer(&file);
}

AimfVocabulary *aimf_vocabulary_open(const char *path, GError **error)
{
    gboolean hugging_face = FALSE, read;
    g_autoptr(AimfVocabulary) vocabulary = aimf_vocabulary_new();
    g_autofree char *file = find_file(path, &hugging_face, error);
    if (!file)
        return NULL;
    if (hugging_face) {
        read = read_folder(vocabulary, path, error);
    } else {
        g_autoptr(GString) text = read_text(file, error);
        read = text && read_openai(vocabulary, text, file, error);
    }
    if (!read)
        return NULL;
    if (aimf_vocabulary_finish(vocabulary, error))
        return g_steal_pointer(&vocabulary);
    g_prefix_error(error, "'%s': ", path);
    return NULL;
}
