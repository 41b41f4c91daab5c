/* What a bundle brings for systems that lack it. */
#pragma once

/**
 * aimf_bundle_use_fonts:
 * Where the program lies in a bundle (share/aimfair/fonts beside bin/) and the system has no letters to draw with, has
 * fontconfig use the bundle's. An ordinary installation has no such folder, and FONTCONFIG_FILE is the user's word.
 */
void aimf_bundle_use_fonts(void);
