#!/usr/bin/env python3
"""Makes decode.bin, resize.txt, planes.txt and augment.txt in the folder image beside this file.

What the picture tests compare with: Pillow's decoding and resizing, torchvision's transforms, and its RandomResizedCrop fed from
a port of our generator. Pictures are drawn from that generator (or from numpy with a fixed seed), so nothing but the tables and the
encoded files is stored. Needs pillow, torch, torchvision, numpy; written with the versions that stand in each table's first line.
"""

import hashlib
import io
import math
import pathlib
import struct
import warnings
import zlib

import numpy
import PIL
import torch
import torchvision
from PIL import Image
from torchvision.transforms import functional

OUT = pathlib.Path(__file__).parent / "image"
VERSIONS = f"pillow {PIL.__version__} torch {torch.__version__} torchvision {torchvision.__version__} seed 1"
STREAM_AUGMENT, STREAM_TEST = 3, 7
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "lanczos": Image.Resampling.LANCZOS}
warnings.simplefilter("ignore")


# --- src/base/random.c, once more ---


def philox(key, counter):
    k0, k1 = key
    c0, c1, c2, c3 = counter
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & 0xFFFFFFFF, (p0 >> 32) ^ c3 ^ k1, p0 & 0xFFFFFFFF
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


class Random:
    def __init__(self, seed, stream, index):
        self.key = philox((seed & 0xFFFFFFFF, seed >> 32), (stream, 0x61696D66, 0, 0))[:2]
        self.index, self.position, self.block = index, 0, []

    def u32(self):
        if not self.block:
            self.block = list(philox(self.key, (self.position, 0, self.index & 0xFFFFFFFF, self.index >> 32)))
            self.position += 1
        return self.block.pop(0)

    def u64(self):
        high = self.u32()
        return high << 32 | self.u32()

    def uniform(self):
        return (self.u64() >> 11) * 2.0**-53

    def below(self, n):
        limit = 2**64 - 1 - 2**64 % n
        while (value := self.u64()) > limit:
            pass
        return value % n


def noise(index, width, height, extremes=False):
    """The picture that support_image.c draws: every sample from one word; with @extremes 0 or 255 only."""
    random = Random(1, STREAM_TEST, index)
    words = [random.u32() for _ in range(width * height * 3)]
    samples = [255 * (w & 1) if extremes else w & 255 for w in words]
    return numpy.array(samples, numpy.uint8).reshape(height, width, 3)


# --- Decoding ---


def chunk(tag, data):
    return struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))


def png(width, height, depth, colour, rows, extra=b"", interlace=0):
    """A PNG of packed @rows; @rows of an interlaced one are those of its passes."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def adam7(samples, depth):
    """Rows of the seven passes over @samples (height, width, bytes per pixel), or bits for depths below 8."""
    rows = []
    for x, y, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
        part = samples[y::dy, x::dx]
        if part.size:
            rows += [pack(row, depth) for row in part]
    return rows


def pack(row, depth):
    if depth >= 8:
        return row.tobytes()
    bits = (row.reshape(-1)[:, None] >> numpy.arange(depth - 1, -1, -1)) & 1
    return numpy.packbits(bits.astype(numpy.uint8)).tobytes()


def png_cases(random):
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
    for depth, colour in ((1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2), (1, 3), (2, 3), (4, 3), (8, 3), (8, 4),
                          (16, 4), (8, 6), (16, 6)):
        width, height = 13, 11
        top = min(2**depth, 256)
        samples = random.integers(0, top, (height, width, channels[colour] * max(1, depth // 8)), dtype=numpy.uint8)
        if (depth, colour) == (16, 0):
            samples[:, ::2, 0] = 0  # Pillow clips above 255: show both sides
        palette = chunk(b"PLTE", random.bytes(3 * min(top, 200))) if colour == 3 else b""
        yield f"depth{depth}_colour{colour}.png", png(width, height, depth, colour, [pack(r, depth) for r in samples], palette)
        yield (f"depth{depth}_colour{colour}_interlaced.png",
               png(width, height, depth, colour, adam7(samples, depth), palette, 1))
        clear = {0: b"\0\1", 2: b"\0\1\0\2\0\3", 3: b"\x80\0"}.get(colour)
        if clear:
            rows = [pack(r, depth) for r in samples]
            yield f"depth{depth}_colour{colour}_clear.png", png(width, height, depth, colour, rows, palette + chunk(b"tRNS", clear))
    yield "one_pixel.png", png(1, 1, 8, 2, [b"\x01\x80\xff"])
    yield "one_pixel_interlaced.png", png(1, 1, 4, 3, [b"\x10"], chunk(b"PLTE", b"abcdef"), 1)


def without_segment(jpeg, marker):
    at = jpeg.index(marker)
    return jpeg[:at] + jpeg[at + 2 + struct.unpack(">H", jpeg[at + 2:at + 4])[0]:]


def jpeg_cases(picture):
    def encode(mode, **options):
        out = io.BytesIO()
        picture.convert(mode).save(out, "JPEG", **options)
        return out.getvalue()

    for subsampling in (0, 1, 2):
        for progressive in (False, True):
            yield (f"subsampling{subsampling}_{'progressive' if progressive else 'baseline'}.jpg",
                   encode("RGB", quality=85, subsampling=subsampling, progressive=progressive))
    yield "poor.jpg", encode("RGB", quality=5)
    yield "best.jpg", encode("RGB", quality=100, subsampling=0)
    yield "grey.jpg", encode("L")
    yield "grey_progressive.jpg", encode("L", progressive=True)
    yield "rgb_components.jpg", encode("RGB", keep_rgb=True)
    yield "restarts.jpg", encode("RGB", restart_marker_rows=1)
    exif = Image.Exif()
    exif[0x0112] = 6
    yield "orientation6.jpg", encode("RGB", exif=exif)
    cmyk = encode("CMYK", quality=90)
    yield "cmyk_adobe.jpg", cmyk
    yield "cmyk_progressive.jpg", encode("CMYK", progressive=True)
    yield "cmyk_plain.jpg", without_segment(cmyk, b"\xff\xee")
    at = cmyk.index(b"Adobe") + 11
    yield "ycck_adobe.jpg", cmyk[:at] + b"\x02" + cmyk[at + 1:]
    plain = encode("RGB")
    yield "trailing.jpg", plain + b"more"
    yield "early_end.jpg", plain[:-60] + b"\xff\xd9"
    yield "no_end.jpg", plain[:-2]


def webp_cases(picture, alpha):
    def encode(image, **options):
        out = io.BytesIO()
        image.save(out, "WEBP", method=0, **options)
        return out.getvalue()

    transparent = picture.copy()
    transparent.putalpha(alpha)
    for name, image in (("rgb", picture), ("alpha", transparent)):
        yield f"{name}_lossy.webp", encode(image, quality=60)
        yield f"{name}_lossless.webp", encode(image, lossless=True, exact=True)
        for lossless in (False, True):
            kind = "lossless" if lossless else "lossy"
            yield f"{name}_{kind}_animation.webp", encode(image, lossless=lossless, save_all=True, append_images=[image.rotate(180)])
    # A first frame that does not cover its canvas: Pillow's encoder trims a frame to what is not transparent.
    margin = Image.new("RGBA", picture.size)
    margin.paste(transparent.crop((6, 4, 20, 12)), (6, 4))
    yield "margin_animation.webp", encode(margin, lossless=True, save_all=True, append_images=[transparent])


def hostile_cases(jpeg, webp):
    """Files that must be refused, and quickly."""
    yield "not_a_picture.txt", b"hello, world\n"
    yield "huge.png", png(0x7FFFFFFF, 0x7FFFFFFF, 8, 2, [b""])
    yield "large.png", png(20000, 20000, 8, 2, [b""])
    yield "no_columns.png", png(0, 5, 8, 2, [b""] * 5)
    yield "no_palette.png", png(2, 1, 8, 3, [b"\0\1"])
    yield "depth3.png", png(2, 1, 3, 0, [b"\0"])
    text = chunk(b"tEXt", b"a\0b")
    yield "checksum.png", png(1, 1, 8, 2, [b"abc"], text[:-1] + bytes([text[-1] ^ 1]))
    yield "filter7.png", png(1, 1, 8, 2, [b"abc"]).replace(zlib.compress(b"\0abc", 9), zlib.compress(b"\7abc", 9))
    frame = next(at for at in range(len(jpeg)) if jpeg[at] == 0xFF and jpeg[at + 1] in (0xC0, 0xC2))
    yield "huge.jpg", jpeg[:frame + 5] + b"\xff\xff\xff\xff" + jpeg[frame + 9:]
    yield "two_components.jpg", jpeg[:frame + 9] + b"\x02" + jpeg[frame + 10:]
    yield "bits12.jpg", jpeg[:frame + 4] + b"\x0c" + jpeg[frame + 5:]
    yield "unknown_marker_at_end.jpg", jpeg[:-1] + b"\x02"
    yield "no_lines.jpg", jpeg[:frame + 5] + b"\0\0" + jpeg[frame + 7:]
    yield "header_only.webp", webp[:12]
    canvas = b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + b"\xff" * 6
    yield "huge_animation.webp", b"RIFF" + struct.pack("<I", 4 + len(canvas)) + b"WEBP" + canvas
    inner = b"ANMF" + struct.pack("<I", 0xFFFFFFF0) + b"\0" * 16
    canvas = canvas[:12] + b"\x0f\0\0\x0f\0\0"
    yield "lying_animation.webp", b"RIFF" + struct.pack("<I", 4 + len(canvas + inner)) + b"WEBP" + canvas + inner
    lying = b"ANMF" + struct.pack("<I", 16 + len(webp) - 12) + b"\xff" * 6 + b"\0" * 10 + webp[12:]
    yield "frame_off_canvas.webp", b"RIFF" + struct.pack("<I", 4 + len(canvas + lying)) + b"WEBP" + canvas + lying


def many_scans(jpeg):
    """A progressive file whose last scan is repeated 600 times: small, and slow for whoever follows it."""
    scans = [at for at in range(len(jpeg) - 1) if jpeg[at:at + 2] == b"\xff\xda"]
    return jpeg[:scans[-1]] + jpeg[scans[-1]:-2] * 600 + jpeg[-2:]


def decode(data):
    with Image.open(io.BytesIO(data)) as image:
        return numpy.asarray(image.convert("RGB"))


def refused(data):
    try:
        decode(data)
    except Exception:  # Pillow raises half a dozen classes
        return True
    return False


def make_decode():
    random = numpy.random.default_rng(1)
    y, x = numpy.mgrid[:19, :26]
    smooth = numpy.stack([x * 9, y * 12, (x + y) * 5], -1)
    picture = Image.fromarray(numpy.clip(smooth + random.integers(0, 30, smooth.shape), 0, 255).astype(numpy.uint8))
    alpha = Image.fromarray(random.integers(0, 256, (19, 26), dtype=numpy.uint8))
    cases = [*png_cases(random), *jpeg_cases(picture), *webp_cases(picture, alpha)]
    files = dict(cases)
    hostile = dict(hostile_cases(files["subsampling2_baseline.jpg"], files["rgb_lossy.webp"]))
    with open(OUT / "decode.bin", "wb") as out:
        out.write(f"# {VERSIONS}\n".encode())
        for name, data in cases:
            if name == "no_end.jpg":
                assert refused(data)
                out.write(f"{name} 0 0 {len(data)}\n".encode() + data)
                continue
            pixels = decode(data)
            height, width, _ = pixels.shape
            out.write(f"{name} {width} {height} {len(data)}\n".encode() + data + pixels.tobytes())
        for name, data in hostile.items():
            if name != "no_palette.png":  # Pillow paints it black; a PNG without its palette is broken to us
                assert refused(data), name
            out.write(f"{name} 0 0 {len(data)}\n".encode() + data)
        scans = many_scans(files["grey_progressive.jpg"])
        out.write(f"many_scans.jpg 0 0 {len(scans)}\n".encode() + scans)


# --- Resizing ---


def resize_cases(random):
    """(width, height, extremes, box, new width, new height, filter)"""
    fixed = [(30, 40), (1, 1), (1, 50), (50, 1), (64, 64), (3, 200), (200, 3), (17, 23)]
    targets = [(30, 40), (1, 1), (7, 5), (61, 83), (128, 2), (2, 128), (33, 64), (16, 20)]
    for width, height in fixed:
        for new_width, new_height in targets:
            for name in FILTERS:
                yield width, height, False, (0, 0, width, height), new_width, new_height, name
    for i in range(200):
        width, height, new_width, new_height = (int(2 ** random.uniform(0, 6.5)) for _ in range(4))
        box_width, box_height = int(random.integers(1, width + 1)), int(random.integers(1, height + 1))
        x, y = int(random.integers(0, width - box_width + 1)), int(random.integers(0, height - box_height + 1))
        yield width, height, i % 3 == 0, (x, y, box_width, box_height), new_width, new_height, list(FILTERS)[i % 2]


def make_resize():
    lines = [f"# {VERSIONS}", "# index width height extremes box(x y width height) new_width new_height filter sha256(rgb)"]
    for i, (width, height, extremes, box, new_width, new_height, name) in enumerate(resize_cases(numpy.random.default_rng(1))):
        x, y, box_width, box_height = box
        image = Image.fromarray(noise(i, width, height, extremes)).crop((x, y, x + box_width, y + box_height))
        digest = hashlib.sha256(image.resize((new_width, new_height), FILTERS[name]).tobytes()).hexdigest()
        lines.append(f"{i} {width} {height} {int(extremes)} {x} {y} {box_width} {box_height} {new_width} {new_height} {name} {digest}")
    (OUT / "resize.txt").write_text("\n".join(lines) + "\n")


# --- The way into the network ---


def make_planes():
    random = numpy.random.default_rng(1)
    norms = [((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)), ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
             ((0.1, -0.7, 3.3), (0.3, 7.0, -0.9))]
    lines = [f"# {VERSIONS}", "# index width height box(x y width height) flip size mean std sha256(float32 planes)"]
    for i in range(48):
        width, height, size = (int(2 ** random.uniform(0, 6)) for _ in range(3))
        box_width, box_height = int(random.integers(1, width + 1)), int(random.integers(1, height + 1))
        x, y = int(random.integers(0, width - box_width + 1)), int(random.integers(0, height - box_height + 1))
        flip, (mean, std) = i % 2, norms[i % len(norms)]
        image = functional.resized_crop(Image.fromarray(noise(i, width, height)), y, x, box_height, box_width, [size, size])
        if flip:
            image = functional.hflip(image)
        planes = functional.normalize(functional.to_tensor(image), mean, std)
        digest = hashlib.sha256(planes.contiguous().numpy().tobytes()).hexdigest()
        numbers = " ".join(repr(v) for v in (*mean, *std))
        lines.append(f"{i} {width} {height} {x} {y} {box_width} {box_height} {flip} {size} {numbers} {digest}")
    (OUT / "planes.txt").write_text("\n".join(lines) + "\n")


# --- Augmentation ---


def draw(seed, epoch, sample, width, height, scale, ratio, probability):
    """RandomResizedCrop.get_params and RandomHorizontalFlip, in double precision and fed from our generator."""
    random = Random(seed, STREAM_AUGMENT, epoch << 32 | sample)
    box = None
    for _ in range(10):
        target_area = width * height * (scale[0] + random.uniform() * (scale[1] - scale[0]))
        low, high = math.log(ratio[0]), math.log(ratio[1])
        aspect = math.exp(low + random.uniform() * (high - low))
        w, h = int(round(math.sqrt(target_area * aspect))), int(round(math.sqrt(target_area / aspect)))
        if 0 < w <= width and 0 < h <= height:
            y = random.below(height - h + 1)
            box = random.below(width - w + 1), y, w, h
            break
    if box is None:
        w, h = width, height
        if width / height < min(ratio):
            h = int(round(width / min(ratio)))
        elif width / height > max(ratio):
            w = int(round(height * max(ratio)))
        box = (width - w) // 2, (height - h) // 2, w, h
    return *box, int(random.uniform() < probability)


def make_augment():
    random = numpy.random.default_rng(1)
    lines = [f"# {VERSIONS}", "# seed epoch sample width height scale ratio flip_probability -> x y width height flip"]
    settings = [((0.08, 1.0), (3 / 4, 4 / 3)), ((0.5, 1.0), (3 / 4, 4 / 3)), ((1.0, 1.0), (0.9, 1.1)), ((0.01, 0.02), (0.2, 5.0)),
                ((0.3, 0.3), (1.0, 1.0))]
    for i in range(200):
        seed, epoch, sample = int(random.integers(0, 2**63)), int(random.integers(0, 2**32)), int(random.integers(0, 2**32))
        width, height = (178, 218) if i % 3 == 0 else (int(2 ** random.uniform(0, 9)) for _ in range(2))
        scale, ratio = settings[i % len(settings)]
        flip = (0.5, 0.0, 1.0)[i % 3]
        drawn = " ".join(map(str, draw(seed, epoch, sample, width, height, scale, ratio, flip)))
        lines.append(f"{seed} {epoch} {sample} {width} {height} {scale[0]!r} {scale[1]!r} {ratio[0]!r} {ratio[1]!r} {flip!r} {drawn}")
    (OUT / "augment.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    make_decode()
    make_resize()
    make_planes()
    make_augment()
