#include "base/content.h"

#include <string.h>

#define CONVERT "convert it to PNG or JPEG"
#define AGAIN "get the file again"
#define UNPACK "unpack it first"
#define AS_CSV "save the sheet as CSV"

/* Bytes at a place; the first row that fits is taken. */
static const struct {
    gsize offset;
    const char *bytes;
    gsize n;
    AimfContent content;
} SIGNATURES[] = {
#define AT(offset, text) offset, text, sizeof(text) - 1
    { AT(0, "GIF87a"), { "a GIF picture", CONVERT } },
    { AT(0, "GIF89a"), { "a GIF picture", CONVERT } },
    { AT(0, "II*\0"), { "a TIFF picture", CONVERT } },
    { AT(0, "MM\0*"), { "a TIFF picture", CONVERT } },
    { AT(0, "II+\0"), { "a BigTIFF picture", CONVERT } },
    { AT(0, "MM\0+"), { "a BigTIFF picture", CONVERT } },
    { AT(4, "ftypheic"), { "a HEIC picture, as telephones take them", CONVERT } },
    { AT(4, "ftypheix"), { "a HEIC picture, as telephones take them", CONVERT } },
    { AT(4, "ftyphevc"), { "a HEIC picture, as telephones take them", CONVERT } },
    { AT(4, "ftypheim"), { "a HEIC picture, as telephones take them", CONVERT } },
    { AT(4, "ftypmif1"), { "a HEIF picture", CONVERT } },
    { AT(4, "ftypmsf1"), { "a HEIF picture", CONVERT } },
    { AT(4, "ftypavif"), { "an AVIF picture", CONVERT } },
    { AT(4, "ftypavis"), { "an AVIF picture", CONVERT } },
    { AT(4, "ftypcrx "), { "a camera's raw picture", CONVERT } },
    { AT(4, "ftyp"), { "a video (MP4 or QuickTime)", "take pictures from it" } },
    { AT(0, "\0\0\0\014jP  \r\n\x87\n"), { "a JPEG 2000 picture", CONVERT } },
    { AT(0, "\xFF\x4F\xFF\x51"), { "a JPEG 2000 picture", CONVERT } },
    { AT(0, "\0\0\0\014JXL \r\n\x87\n"), { "a JPEG XL picture", CONVERT } },
    { AT(0, "\xFF\x0A"), { "a JPEG XL picture", CONVERT } },
    { AT(0, "8BPS\0\1"), { "a Photoshop picture", CONVERT } },
    { AT(0, "\0\0\1\0"), { "an icon (ICO)", CONVERT } },
    { AT(0, "\x76\x2F\x31\x01"), { "an OpenEXR picture", CONVERT } },
    { AT(0, "DDS |\0"), { "a DDS texture", CONVERT } },
    { AT(0, "qoif\0"), { "a QOI picture", CONVERT } },
    { AT(0, "\0\5\x16\7"),
      { "a shadow file of macOS (AppleDouble), whose picture has the name without ._", "leave it out" } },
    { AT(0, "%PDF-"), { "a PDF document", "take the picture or the table out of it" } },
    { AT(0, "%!PS"), { "a PostScript document", CONVERT } },
    { AT(128, "DICM"), { "a DICOM picture", CONVERT } },
    { AT(0, "\x93NUMPY"), { "a NumPy array", "save it as PNG or CSV" } },
    { AT(0, "\x89HDF\r\n\x1A\n"), { "an HDF5 file", "save what it holds as PNG or CSV" } },
    { AT(0, "PAR1\x15"), { "a Parquet table", "save it as CSV" } },
    { AT(0, "SQLite format 3"), { "an SQLite database", "save the table as CSV" } },
    { AT(30, "[Content_Types].xml"), { "an office document such as an Excel workbook", AS_CSV } },
    { AT(30, "mimetypeapplication/vnd.oasis"), { "an OpenDocument file", AS_CSV } },
    { AT(0, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), { "an old office document such as an Excel workbook", AS_CSV } },
    { AT(0, "PK\3\4"), { "a ZIP archive", UNPACK } },
    { AT(0, "PK\5\6"), { "an empty ZIP archive", AGAIN } },
    { AT(0, "\x1F\x8B"), { "a gzip archive", UNPACK } },
    { AT(0, "\xFD"
            "7zXZ"),
      { "an xz archive", UNPACK } },
    { AT(0, "\x28\xB5\x2F\xFD"), { "a Zstandard archive", UNPACK } },
    { AT(0, "7z\xBC\xAF\x27\x1C"), { "a 7-Zip archive", UNPACK } },
    { AT(0, "Rar!\x1A\7"), { "a RAR archive", UNPACK } },
    { AT(257, "ustar"), { "a tar archive", UNPACK } },
    { AT(0, "version https://git-lfs"), { "a Git LFS pointer, not the file itself", "run 'git lfs pull'" } },
    { AT(0, "/annex/objects/"), { "a git-annex pointer, not the file itself", "run 'git annex get'" } },
    { AT(0, "data:image/"), { "a data: address with a picture in base64", "decode it" } },
    { AT(0, "/9j/"), { "a JPEG in base64", "decode it" } },
    { AT(0, "iVBORw0KGgo"), { "a PNG in base64", "decode it" } },
#undef AT
};

static gboolean begins(const char *text, gsize left, const char *with)
{
    gsize n = strlen(with);
    return left >= n && g_ascii_strncasecmp(text, with, n) == 0;
}

/* Where the text begins behind a byte order mark and blanks. */
static gsize skip_blanks(const char *text, gsize bytes)
{
    gsize at = begins(text, bytes, "\xEF\xBB\xBF") ? 3 : 0;
    while (at < bytes && g_ascii_isspace(text[at]))
        at++;
    return at;
}

/* Markup names itself by its first element, behind a declaration and comments: in the first few hundred bytes. */
static const AimfContent *recognise_markup(const char *text, gsize bytes)
{
    static const AimfContent html = { "an HTML page, as servers send in place of a file", AGAIN };
    static const AimfContent svg = { "an SVG drawing", CONVERT };
    static const AimfContent xml = { "an XML document, such as a server's message", AGAIN };
    gsize at = skip_blanks(text, bytes);
    const char *start = text + at;
    gsize left = MIN(bytes - at, 1024);
    if (!left || *start != '<')
        return NULL;
    static const char *const PAGES[] = { "<!doctype html", "<html", "<head", "<body", "<script" };
    for (gsize i = 0; i < G_N_ELEMENTS(PAGES); i++)
        if (begins(start, left, PAGES[i]))
            return &html;
    if (!begins(start, left, "<?xml") && !begins(start, left, "<!") && !begins(start, left, "<svg"))
        return NULL;
    if (g_strstr_len(start, (gssize)left, "<svg"))
        return &svg;
    return g_strstr_len(start, (gssize)left, "<html") ? &html : &xml;
}

/* "BM" alone would be too little: the reserved bytes are 0, and the second header has one of these sizes. */
static gboolean is_bmp(const guint8 *data, gsize bytes)
{
    static const guint8 SIZES[] = { 12, 16, 40, 52, 56, 64, 108, 124 };
    return bytes >= 18 && memcmp(data, "BM", 2) == 0 && memcmp(data + 6, "\0\0\0\0", 4) == 0 &&
           memchr(SIZES, data[14], sizeof SIZES) && memcmp(data + 15, "\0\0\0", 3) == 0;
}

/* "BZh", the size of its blocks as a digit, and the first block's own mark. */
static gboolean is_bzip2(const guint8 *data, gsize bytes)
{
    return bytes >= 10 && memcmp(data, "BZh", 3) == 0 && g_ascii_isdigit(data[3]) && memcmp(data + 4, "1AY&SY", 6) == 0;
}

/* PBM, PGM, PPM: a P, a digit, a blank, then a number or a comment. */
static gboolean is_pnm(const guint8 *data, gsize bytes)
{
    return bytes >= 4 && data[0] == 'P' && data[1] >= '1' && data[1] <= '7' && g_ascii_isspace(data[2]) &&
           (g_ascii_isdigit(data[3]) || data[3] == '#' || data[3] == 'W');
}

static gboolean is_zeros(const guint8 *data, gsize bytes)
{
    return bytes && data[0] == 0 && memcmp(data, data + 1, bytes - 1) == 0;
}

/* In front of a signature that does not begin the file: a text may hold the same letters there. */
static gboolean is_binary(const guint8 *data, gsize bytes)
{
    for (gsize i = 0; i < bytes; i++)
        if (data[i] < ' ' && !g_ascii_isspace(data[i]))
            return TRUE;
    return FALSE;
}

const AimfContent *aimf_content_recognise(const void *data, gsize bytes)
{
    static const AimfContent zeros = { "nothing but zero bytes, as a download leaves them that was not finished",
                                       AGAIN };
    static const AimfContent bmp = { "a BMP picture", CONVERT }, pnm = { "a PNM picture", CONVERT };
    static const AimfContent bzip2 = { "a bzip2 archive", UNPACK };
    static const AimfContent riff = { "a sound or a video (RIFF)", "take pictures from it" };
    const guint8 *at = data;
    if (is_zeros(data, bytes))
        return &zeros;
    if (is_bmp(data, bytes))
        return &bmp;
    if (is_pnm(data, bytes))
        return &pnm;
    if (is_bzip2(data, bytes))
        return &bzip2;
    if (bytes >= 12 && memcmp(at, "RIFF", 4) == 0 && (memcmp(at + 8, "AVI ", 4) == 0 || memcmp(at + 8, "WAVE", 4) == 0))
        return &riff;
    for (gsize i = 0; i < G_N_ELEMENTS(SIGNATURES); i++) {
        gsize offset = SIGNATURES[i].offset, n = SIGNATURES[i].n;
        if (bytes >= offset + n && memcmp(at + offset, SIGNATURES[i].bytes, n) == 0 &&
            (!offset || is_binary(at, offset)))
            return &SIGNATURES[i].content;
    }
    return recognise_markup(data, bytes);
}

/* Source: onnx/onnx.proto, ModelProto: field 1 is ir_version; 2 the producer, 7 the graph or 8 the opset follows. */
static gboolean is_onnx(const guint8 *data, gsize bytes)
{
    return bytes >= 8 && data[0] == 0x08 && data[1] >= 1 && data[1] <= 30 && data[2] &&
           memchr("\x12\x1a\x22\x28\x32\x3a\x42", data[2], 7);
}

/* Eight bytes with the length of a JSON object that begins with a name. */
static gboolean is_safetensors(const guint8 *data, gsize bytes)
{
    return bytes >= 10 && memcmp(data + 4, "\0\0\0\0{\"", 6) == 0;
}

static gboolean is_json(const char *text, gsize bytes)
{
    gsize at = skip_blanks(text, bytes);
    gsize next = at + 1;
    while (next < bytes && g_ascii_isspace(text[next]))
        next++;
    return next < bytes && ((text[at] == '{' && (text[next] == '"' || text[next] == '}')) ||
                            (text[at] == '[' && memchr("[{\"]", text[next], 4)));
}

const AimfContent *aimf_content_of_others(const void *data, gsize bytes)
{
    static const AimfContent picture = { "a picture", "give the table that lists pictures" };
    static const AimfContent weights = { "a file of weights", "give them where a model is taken" };
    static const AimfContent onnx = { "an ONNX model", "give a table or a text" };
    static const AimfContent json = { "JSON", "save the table as CSV" };
    const guint8 *at = data;
    if (bytes >= 12 && (memcmp(at, "\xff\xd8\xff", 3) == 0 || memcmp(at, "\x89PNG\r\n\x1a\n", 8) == 0 ||
                        (memcmp(at, "RIFF", 4) == 0 && memcmp(at + 8, "WEBP", 4) == 0)))
        return &picture;
    if ((bytes >= 8 && memcmp(at, "GGUF", 4) == 0 && is_binary(at, 8)) || is_safetensors(at, bytes) ||
        (bytes >= 2 && at[0] == 0x80 && at[1] >= 2 && at[1] <= 5))
        return &weights;
    if (is_onnx(at, bytes))
        return &onnx;
    return is_json(data, bytes) ? &json : NULL;
}

const char *aimf_content_of_name(const char *name)
{
    static const struct {
        const char *ending, *format;
    } ENDINGS[] = {
        { "bmp", "BMP" },       { "dib", "BMP" },       { "gif", "GIF" },       { "tif", "TIFF" },
        { "tiff", "TIFF" },     { "heic", "HEIC" },     { "heif", "HEIC" },     { "avif", "AVIF" },
        { "jp2", "JPEG 2000" }, { "j2k", "JPEG 2000" }, { "jpx", "JPEG 2000" }, { "jpf", "JPEG 2000" },
        { "jxl", "JPEG XL" },   { "svg", "SVG" },       { "svgz", "SVG" },      { "pdf", "PDF" },
        { "psd", "Photoshop" }, { "ppm", "PNM" },       { "pgm", "PNM" },       { "pbm", "PNM" },
        { "pnm", "PNM" },       { "tga", "Targa" },     { "ico", "ICO" },       { "exr", "OpenEXR" },
        { "qoi", "QOI" },       { "dcm", "DICOM" },     { "dng", "raw" },       { "cr2", "raw" },
        { "cr3", "raw" },       { "nef", "raw" },       { "arw", "raw" },
    };
    const char *dot = strrchr(name, '.');
    for (gsize i = 0; dot && dot != name && i < G_N_ELEMENTS(ENDINGS); i++)
        if (g_ascii_strcasecmp(dot + 1, ENDINGS[i].ending) == 0)
            return ENDINGS[i].format;
    return NULL;
}
