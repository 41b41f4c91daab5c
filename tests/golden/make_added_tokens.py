#!/usr/bin/env python3
"""Makes text/added/: vocabularies with added tokens, as textual inversion leaves them, and what CLIPTokenizer makes of texts with them.

Needs text/pair and text/fast (make_text.py). Made with transformers 5.24.0 and tokenizers 0.23.3. The vocabulary itself is not copied:
the test puts vocab.json and merges.txt, or the rest of tokenizer.json, beside what is here.
"""
import json
import pathlib
import shutil
import tempfile

import transformers

TEXT = pathlib.Path(__file__).parent / "text"
ADDED = {"<cat-toy>": 754, "Sks": 755, "My Style": 756, "Ünï": 757}
TEXTS = [
    "a photo of <cat-toy> here", "a<cat-toy>b", "A <CAT-TOY> <Cat-Toy>!", "SKS sks Sks sksx xsks", "<cat-toy><cat-toy>",
    "my style and My Style and MY STYLE", "a  <cat-toy>  b", "<cat-toy_1> <cat-toy>_1 sks-1 1sks", "Ünï ünï U\u0308ni\u0308", "<cat-toy",
    "<|endoftext|><cat-toy>", "sks", "!sks!", "<cat-toy>" * 3 + " Sks.", "é<cat-toy>é sksé", "un Ünïü", "my  style", "My\tStyle", "", " sks ",
    "a \u200dsks\u200d b", "x<CAT-TOY>y", "sks's",
]


def token(content, **flags):
    return {"content": content, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False, "special": False} | flags


config = json.loads((TEXT / "pair/tokenizer_config.json").read_text())
SINGLE = {"754": token("<cat-toy>", single_word=True), "755": token("Sks", single_word=True),
          "756": token("My Style", special=True, normalized=False), "757": token("Ünï", lstrip=True)}
CASES = {
    # transformers 4 wrote the first two, its older versions without the second one's configuration of each token.
    "plain": {"added_tokens.json": ADDED, "tokenizer_config.json": config},
    "bare": {"added_tokens.json": ADDED},
    "single": {"added_tokens.json": ADDED, "tokenizer_config.json": config | {"added_tokens_decoder": SINGLE}},
}
rows = {}
shutil.rmtree(TEXT / "added", ignore_errors=True)
for name, files in CASES.items():
    folder = TEXT / "added" / name
    folder.mkdir(parents=True)
    for file, value in files.items():
        (folder / file).write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
    with tempfile.TemporaryDirectory() as whole:
        shutil.copytree(folder, whole, dirs_exist_ok=True)
        for file in "vocab.json", "merges.txt":
            shutil.copy(TEXT / "pair" / file, whole)
        loaded = transformers.CLIPTokenizer.from_pretrained(whole)
        rows[name] = [[text, loaded(text, add_special_tokens=False).input_ids] for text in TEXTS]
# transformers 5 keeps everything in tokenizer.json.
loaded = transformers.CLIPTokenizer.from_pretrained(TEXT / "fast")
loaded.add_tokens(list(ADDED))
folder = TEXT / "added/fast"
loaded.save_pretrained(folder)
whole = json.loads((folder / "tokenizer.json").read_text())
whole["model"] = {"vocab": {}, "merges": []}
(folder / "tokenizer.json").write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n")
rows["fast"] = [[text, loaded(text, add_special_tokens=False).input_ids] for text in TEXTS]
(TEXT / "added/tokens.json").write_text(
    "{\n" + ",\n".join(json.dumps(n) + ": [\n" + ",\n".join(json.dumps(r) for r in v) + "\n]" for n, v in rows.items()) + "\n}\n")
