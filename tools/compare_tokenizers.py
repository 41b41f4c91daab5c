#!/usr/bin/env python3
"""Compares our tokenizer with Hugging Face's and OpenAI's on random texts, with CLIP's real vocabulary.

Usage: tools/compare_tokenizers.py LIBAIMFAIR.so VOCABULARY.gz [TEXTS]
Needs transformers, open_clip_torch and ftfy. Exits 1 where a text differs for another reason than the two that
docs/tokenizer-and-samplers.md names: the order of new combining marks, and characters newer than the references' tables.
"""

import ctypes
import gzip
import html
import html.entities
import importlib.util
import json
import pathlib
import random
import sys
import tempfile
import unicodedata

import aimfair_library

SEED = 99
WORDS = (
    "portrait face photo of a smiling female person wearing eyeglasses, 's 't 're 've 'm 'll 'd it's DON'T we'Re ½ ² ①２ ３4 <|endoftext|> "
    "<|ENDOFTEXT|> !<|endoftext|>! 👨‍👩‍👧‍👦 🏳️‍🌈 你好世界 日本語テキスト 한국어 é ﬁ ＡＢＣ “quoted” don’t İstanbul ΟΔΟΣ ẞ ǅ \u0085 \u00a0 \u3000 \u200b "
    "\u202e \x1c \x07 !!! 12345 a1b2 _under_score_ C++ http://x.y/z?q=1 नमस्ते ไทย العربية עברית"
).split(" ")
REFERENCES = ["&" + name for name in html.entities.html5] + ["&#39;", "&#x27", "&#128;", "&EACUTE;", "&amp;amp;", "“", "’", "ﬁ", "ﾊﾟ", "ΑΣ", "\x1b[31m"]


def by_category():
    characters = {}
    for point in range(1, 0x110000):
        if not 0xD800 <= point < 0xE000:
            characters.setdefault(unicodedata.category(chr(point)), []).append(chr(point))
    return characters


def random_text(rng, characters):
    parts = []
    for _ in range(rng.randint(0, 25)):
        choice = rng.random()
        if choice < 0.4:
            parts.append(rng.choice(WORDS))
        elif choice < 0.6:
            parts.append(rng.choice(characters[rng.choice(sorted(characters))]))
        elif choice < 0.7:
            parts.append("".join(rng.choice(characters["Mn"]) for _ in range(rng.randint(1, 4))))
        elif choice < 0.85:
            parts.append("".join(chr(rng.randint(1, 0x7F)) for _ in range(rng.randint(1, 8))))
        else:
            parts.append("".join(chr(rng.randint(0x80, 0x24FF)) for _ in range(rng.randint(1, 6))))
        parts.append(rng.choice([" ", ""]))
    return "".join(parts)


class Library(aimfair_library.Library):
    FAILING = {"aimf_tokenizer_open": (ctypes.c_void_p, [ctypes.c_char_p])}
    PLAIN = {"aimf_tokenizer_encode": (ctypes.POINTER(ctypes.c_int32),
                                       [ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_uint)]),
             "g_free": (None, [ctypes.c_void_p])}


class Ours:
    def __init__(self, library, path):
        self.library, self.handle = library, library.tokenizer_open(str(path).encode())

    def __call__(self, data):
        n = ctypes.c_uint()
        ids = self.library.tokenizer_encode(self.handle, data, ctypes.byref(n))
        tokens = ids[: n.value]
        self.library.g_free(ids)
        return tokens


def goldens_script():
    path = pathlib.Path(__file__).parent.parent / "tests/golden/make_text.py"
    spec = importlib.util.spec_from_file_location("make_text", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def known_to_both(text):
    """No character is newer than Unicode 14, which Python 3.11's lower case knows, and no U+0345, on which regex's letters depend."""
    return all(unicodedata.category(c) != "Cn" and c != "\u0345" for c in html.unescape(html.unescape(text)))


def compare(name, texts, reference, ours, excuses):
    same, excused, different = 0, dict.fromkeys(excuses, 0), []
    for text in texts:
        if reference(text) == ours(text.encode()):
            same += 1
            continue
        reason = next((reason for reason, holds in excuses.items() if holds(text)), None)
        if reason:
            excused[reason] += 1
        else:
            different.append(text)
    reasons = "".join(f", {n} {reason}" for reason, n in excused.items())
    print(f"{name}: {same} of {len(texts)} the same{reasons}, {len(different)} otherwise different")
    for text in different[:5]:
        print("   ", ascii(text))
    return len(different)


def main():
    make_text = goldens_script()
    library, vocabulary = Library(sys.argv[1]), sys.argv[2]
    n_texts = int(sys.argv[3]) if len(sys.argv) > 3 else 5000
    rng, characters = random.Random(SEED), by_category()
    texts = [random_text(rng, characters) for _ in range(n_texts)]
    lines = gzip.open(vocabulary).read().decode().split("\n")[1 : 49152 - 256 - 2 + 1]
    ids, tokenizer = make_text.hugging_face([tuple(line.split()) for line in lines])
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "vocab.json").write_text(json.dumps(ids))
        pathlib.Path(folder, "merges.txt").write_text("#version: 0.2\n" + "\n".join(lines) + "\n")
        marks = {"by the order of new marks": lambda text: not make_text.normal_forms_agree(tokenizer, text)}
        encode = lambda text: tokenizer(text, add_special_tokens=False).input_ids
        bad += compare("Hugging Face", texts, encode, Ours(library, folder), marks)
    texts = [" ".join([text, *rng.choices(REFERENCES, k=3)]) for text in texts]
    excuses = {
        "wrongly decoded": make_text.is_mojibake,
        "with newer characters": lambda text: not known_to_both(text),
    }
    bad += compare("OpenAI", texts, make_text.Original(vocabulary).encode, Ours(library, vocabulary), excuses)
    sys.exit(bad > 0)


main()
