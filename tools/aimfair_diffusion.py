"""libaimfair's image generation from Python, over ctypes: what the comparisons with other programs call."""
import ctypes

import numpy

import aimfair_library
from aimfair_library import DEFAULT_LIBRARY, LibraryError  # noqa: F401  for those who import this module

PRECISIONS = {"f32": 0, "bf16": 1}
SAMPLERS = ["ddim", "plms", "dpm-solver++", "euler", "euler-a"]
SPACING_USUAL, TOKENS = 0, 77
P = ctypes.c_void_p
FLOATS = ctypes.POINTER(ctypes.c_float)


class Options(ctypes.Structure):
    c_name = "AimfDiffusionOptions"
    _fields_ = [("model", ctypes.c_char_p), ("vae", ctypes.c_char_p), ("tokenizer", ctypes.c_char_p), ("device", ctypes.c_void_p),
                ("prediction", ctypes.c_char_p), ("precision", ctypes.c_int), ("raw_weights", ctypes.c_int),
                ("low_memory", ctypes.c_int), ("threads", ctypes.c_int)]


class Info(ctypes.Structure):
    c_name = "AimfDiffusionInfo"
    _fields_ = [("family", ctypes.c_char_p), ("prediction", ctypes.c_char_p), ("weights", ctypes.c_char_p), ("vae", ctypes.c_char_p),
                ("image_size", ctypes.c_int), ("scale", ctypes.c_int), ("latent_channels", ctypes.c_int), ("precision", ctypes.c_int),
                ("hash", ctypes.c_char_p)]


class Sampling(ctypes.Structure):
    c_name = "AimfSampling"
    _fields_ = [("sampler", ctypes.c_int), ("steps", ctypes.c_int), ("guidance", ctypes.c_double), ("eta", ctypes.c_double),
                ("spacing", ctypes.c_int), ("negative", ctypes.c_char_p), ("width", ctypes.c_int), ("height", ctypes.c_int)]


class Image(ctypes.Structure):
    c_name = "AimfImage"
    _fields_ = [("width", ctypes.c_int), ("height", ctypes.c_int), ("data", ctypes.POINTER(ctypes.c_uint8))]


class Picture(ctypes.Structure):
    c_name = "AimfPicture"
    _fields_ = [("prompt", ctypes.c_char_p), ("seed", ctypes.c_uint64), ("noise", FLOATS), ("latents", FLOATS),
                ("image", ctypes.POINTER(Image)), ("tokens_cut", ctypes.c_uint), ("retried", ctypes.c_int)]


MESSAGE = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, P)


class Monitor(ctypes.Structure):
    c_name = "AimfMonitor"
    _fields_ = [("progress", P), ("message", MESSAGE), ("stop", P), ("user_data", P)]


def floats(array):
    return array.ctypes.data_as(FLOATS)


def as_floats(array):
    return numpy.ascontiguousarray(array, dtype=numpy.float32)


class Library(aimfair_library.Library):
    STRUCTS = (Options, Info, Sampling, Image, Picture, Monitor)
    CONSTANTS = {"AIMF_PRECISION_F32": PRECISIONS["f32"], "AIMF_PRECISION_BF16": PRECISIONS["bf16"],
                 "AIMF_SAMPLER_DDIM": 0, "AIMF_SAMPLER_PLMS": 1, "AIMF_SAMPLER_DPM_SOLVER": 2, "AIMF_SAMPLER_EULER": 3,
                 "AIMF_SAMPLER_EULER_ANCESTRAL": 4, "AIMF_N_SAMPLERS": len(SAMPLERS),
                 "AIMF_SPACING_USUAL": SPACING_USUAL, "AIMF_PROMPT_TOKENS": TOKENS}
    FAILING = {
        "aimf_diffusion_open": (P, [P, P]),
        "aimf_diffusion_encode_text": (P, [P, P, ctypes.c_uint, P]),
        "aimf_diffusion_predict": (ctypes.c_int, [P, FLOATS, FLOATS, FLOATS, ctypes.c_uint, ctypes.c_int, ctypes.c_int, FLOATS]),
        "aimf_diffusion_decode": (ctypes.c_int, [P, FLOATS, ctypes.c_int, ctypes.c_int, FLOATS]),
        "aimf_diffusion_encode": (ctypes.c_int, [P, FLOATS, ctypes.c_int, ctypes.c_int, FLOATS]),
        "aimf_diffusion_generate": (ctypes.c_int, [P, P, P, ctypes.c_uint, P]),
        "aimf_autoencoder_open": (P, [ctypes.c_char_p, ctypes.c_int, P]),
        "aimf_autoencoder_encode": (ctypes.c_int, [P, FLOATS, ctypes.c_int, ctypes.c_int, FLOATS]),
        "aimf_autoencoder_decode": (ctypes.c_int, [P, FLOATS, ctypes.c_int, ctypes.c_int, FLOATS]),
        "aimf_tokenizer_open": (P, [ctypes.c_char_p]),
    }
    PLAIN = {
        "aimf_diffusion_free": (None, [P]),
        "aimf_diffusion_info": (Info, [P]),
        "aimf_autoencoder_free": (None, [P]),
        "aimf_tokenizer_free": (None, [P]),
        "aimf_tokenizer_prompt": (ctypes.c_uint, [P, ctypes.c_char_p, ctypes.c_int32, P]),
        "aimf_image_free": (None, [P]),
        "aimf_set_threads": (None, [ctypes.c_int]),
        "g_free": (None, [P]),
    }


class Tokenizer:
    def __init__(self, library, path):
        self.library, self.handle = library, library.tokenizer_open(path.encode())

    def prompt(self, text, pad):
        ids = (ctypes.c_int32 * TOKENS)()
        cut = self.library.tokenizer_prompt(self.handle, text.encode(), pad, ids)
        return list(ids), cut

    def close(self):
        self.library.tokenizer_free(self.handle)


class Diffusion:
    def __init__(self, library, model, precision="f32", threads=0, log=None, **options):
        self.library, self.messages = library, []
        self.monitor = Monitor(message=MESSAGE(lambda level, text, data: self.messages.append(text.decode())))
        texts = {name: value.encode() if isinstance(value, str) else value for name, value in options.items()}
        given = Options(model=model.encode(), precision=PRECISIONS[precision], threads=threads, **texts)
        self.handle = library.diffusion_open(ctypes.byref(given), ctypes.byref(self.monitor))
        self.info = library.diffusion_info(self.handle)

    def encode_text(self, prompts):
        texts, width = (ctypes.c_char_p * len(prompts))(*(prompt.encode() for prompt in prompts)), ctypes.c_int()
        states = self.library.diffusion_encode_text(self.handle, texts, len(prompts), ctypes.byref(width))
        array = numpy.ctypeslib.as_array(ctypes.cast(states, FLOATS), (len(prompts), TOKENS, width.value)).copy()
        self.library.g_free(states)
        return array

    def predict(self, latents, timesteps, states):
        latents, timesteps, states = as_floats(latents), as_floats(timesteps), as_floats(states)
        prediction = numpy.empty_like(latents)
        self.library.diffusion_predict(self.handle, floats(latents), floats(timesteps), floats(states), latents.shape[0],
                                       latents.shape[2], latents.shape[3], floats(prediction))
        return prediction

    def decode(self, latents):
        latents = as_floats(latents)
        height, width = latents.shape[1:]
        planes = numpy.empty((3, height * self.info.scale, width * self.info.scale), numpy.float32)
        self.library.diffusion_decode(self.handle, floats(latents), height, width, floats(planes))
        return planes

    def encode(self, planes):
        planes = as_floats(planes)
        height, width = planes.shape[1] // self.info.scale, planes.shape[2] // self.info.scale
        latents = numpy.empty((self.info.latent_channels, height, width), numpy.float32)
        self.library.diffusion_encode(self.handle, floats(planes), height, width, floats(latents))
        return latents

    def generate(self, prompts, seeds, noise=None, sampler="ddim", steps=50, guidance=9.0, size=0, eta=0.0, negative=""):
        """Latents (n, C, h, w) and images (n, H, W, 3); an image is None where its numbers were not finite."""
        side = size or self.info.image_size
        latents = numpy.empty((len(prompts), self.info.latent_channels, side // self.info.scale, side // self.info.scale), numpy.float32)
        noise = None if noise is None else as_floats(noise)
        pictures = (Picture * len(prompts))()
        for i, prompt in enumerate(prompts):
            pictures[i] = Picture(prompt=prompt.encode(), seed=seeds[i], latents=floats(latents[i]),
                                  noise=None if noise is None else floats(noise[i]))
        sampling = Sampling(sampler=SAMPLERS.index(sampler), steps=steps, guidance=guidance, eta=eta,
                            spacing=SPACING_USUAL, negative=negative.encode(), width=size, height=size)
        self.library.diffusion_generate(self.handle, ctypes.byref(sampling), pictures, len(prompts), None)
        return latents, [self.take_image(picture) for picture in pictures]

    def take_image(self, picture):
        if not picture.image:
            return None
        image = picture.image.contents
        array = numpy.ctypeslib.as_array(image.data, (image.height, image.width, 3)).copy()
        self.library.image_free(picture.image)
        return array

    def close(self):
        self.library.diffusion_free(self.handle)


class Autoencoder:
    def __init__(self, library, path, precision="f32", scale=8, channels=4):
        self.library, self.scale, self.channels = library, scale, channels
        self.handle = library.autoencoder_open(path.encode(), PRECISIONS[precision], None)

    def encode(self, planes):
        planes = as_floats(planes)
        height, width = planes.shape[1] // self.scale, planes.shape[2] // self.scale
        latents = numpy.empty((self.channels, height, width), numpy.float32)
        self.library.autoencoder_encode(self.handle, floats(planes), height, width, floats(latents))
        return latents

    def decode(self, latents):
        latents = as_floats(latents)
        height, width = latents.shape[1:]
        planes = numpy.empty((3, height * self.scale, width * self.scale), numpy.float32)
        self.library.autoencoder_decode(self.handle, floats(latents), height, width, floats(planes))
        return planes

    def close(self):
        self.library.autoencoder_free(self.handle)
