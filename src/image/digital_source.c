/* How a picture came to be, as XMP says it (ISO 16684-1; XMP specification part 3, 1.1.5: where it stands in a PNG). */
#include "image/formats.h"

#define PACKET(source)                                                                                                 \
    "<?xpacket begin=\"\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>"                                                           \
    "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">"                                                                           \
    "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"                                              \
    "<rdf:Description rdf:about=\"\" xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\">"               \
    "<Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/" source                            \
    "</Iptc4xmpExt:DigitalSourceType>"                                                                                 \
    "</rdf:Description></rdf:RDF></x:xmpmeta>"                                                                         \
    "<?xpacket end=\"r\"?>"

AimfImageText aimf_image_source_text(AimfDigitalSource source)
{
    static const char *const packets[] = {
        [AIMF_SOURCE_TRAINED_ALGORITHMIC_MEDIA] = PACKET("trainedAlgorithmicMedia"),
        [AIMF_SOURCE_ALGORITHMIC_MEDIA] = PACKET("algorithmicMedia"),
    };
    return (AimfImageText){ AIMF_XMP_KEYWORD, packets[source] };
}
