/* The formats behind aimf_image_decode and aimf_image_save, one file each. */
#pragma once

#include "image/pixels.h"

AimfImage *aimf_jpeg_decode(const AimfEncoded *picture, GError **error);
AimfImage *aimf_png_decode(const AimfEncoded *picture, GError **error);
AimfImage *aimf_webp_decode(const AimfEncoded *picture, GError **error);

/** aimf_jpeg_encode: (owned) the file's bytes; INVALID for sides beyond the format's. */
GBytes *aimf_jpeg_encode(const AimfImage *image, GError **error);
/** aimf_jpeg_encode_at: the same with another @quality than 95, from 1 to 100. */
GBytes *aimf_jpeg_encode_at(const AimfImage *image, int quality, GError **error);

/** AIMF_XMP_KEYWORD: of the text that is an XMP packet; it is iTXt whatever is in it. */
#define AIMF_XMP_KEYWORD "XML:com.adobe.xmp"
