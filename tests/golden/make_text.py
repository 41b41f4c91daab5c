"""Goldens of the tokenizer: a small vocabulary in every form that is read, and what the reference tokenizers make of texts with it.

Usage: make_text.py [REAL_VOCABULARY.gz]   writes text/ beside this script
Needs transformers (Hugging Face's CLIPTokenizer), open_clip_torch (OpenAI's, with its cleaning) and ftfy.
With REAL_VOCABULARY (bpe_simple_vocab_16e6.txt.gz), real.json has the tokens with it; the vocabulary itself is not stored.
"""

import collections
import gzip
import json
import pathlib
import random
import sys
import tempfile
import unicodedata

import ftfy
import open_clip
import open_clip.tokenizer
import tokenizers
import transformers

SEED = 20
N_MERGES = 240
BEGIN, END = "<|startoftext|>", "<|endoftext|>"
FOLDER = pathlib.Path(__file__).parent / "text"

CORPUS = """portrait face photo of a smiling female person with curly auburn hair and an oval face shape
portrait face photo of a not smiling male person with short grey hair and a square face shape
close up of a young woman wearing eyeglasses and pearl earrings, head turned slightly to the left
head tilted, looking over the shoulder, freckled skin, soft light, plain background, sharp focus
an old man in a hat, a beard and a moustache, wavy blond hair, straight black hair, bald head
she doesn't, he didn't, they're, we've, i'm, it's, you'll, he'd, 10 20 30 40 50 years old
café naïve über résumé señor 你好 世界 日本 こんにちは 안녕 привет мир 😀 😂 ❤️"""

TEXTS = [
    "",
    " ",
    "a",
    "portrait face photo of a smiling female person",
    "Portrait  FACE\tphoto\n of\r\na\u00a0SMILING\u3000person\u0085!",
    "they're we've I'm IT'S you'll he'd don't 'sad 'ts !'s ''t",
    "10 20 1a2b ½ ² ①２ Ⅷ ⅷ ٣٤ 一二三",
    "café cafe\u0301 CAFÉ Ångström A\u030angstro\u0308m q\u0323\u0307 q\u0307\u0323",
    "İstanbul ISTANBUL ΟΔΟΣ ὈΔΥΣΣΕΎΣ ẞ ß ǅ Ⓐⓐ",
    "你好，世界。日本語テキスト こんにちは 안녕하세요 \u1112\u1161\u11ab",
    "👨‍👩‍👧‍👦 🏳️‍🌈 😀😂❤️ 👍🏽",
    "नमस्ते ไทย العربية עברית Ꭰꭰ",
    "a<|endoftext|>b <|startoftext|> !<|endoftext|>! <|ENDOFTEXT|>! <|endoftext|",
    "_under_score_ C++ http://x.y/z?q=1 (a,b);{c}[d]",
    "\u200b\u200d\ufeff\u202ehidden\u00adhyphen",
    "a\u0001b\u001cc\u007fd\u0080e",
    "\u05b9\u05b0 \u0e38\u0e48 \ufb1f",
    "hello!!! ... ??? ---",
    "\U00010400\U0001d54f\U0001f1e9\U0001f1ea \U00100000 \uffff",
    "Dž dz ŉ ſ 'ſ K Å",
    "word " * 90,
    "a" * 100,
    "!" * 50,
    "é" * 40,
]

# What only OpenAI's cleaning changes.
CLEANED = [
    "salt &amp; pepper beard",
    "salt &amp;amp; pepper &amp;amp;amp; more",
    "&lt;b&gt;bold&lt;/b&gt; & &unknown; &",
    "caf&eacute; caf&EACUTE; caf&eacute &notit; &notin; &NotEqualTilde; &ampx &ampamp;",
    "&#65;&#x42;&#x43 &#68 &#0; &#x110000; &#xd800; &#128; &#159; &#1; &#xfffe; &#; &#x; &#xg;",
    "<i>&amp;</i> &quot;x&quot; &hearts; &CounterClockwiseContourIntegral;",
    "&amp;#39;s it&#39;s it&#x27;S",
    "“curly” ‘quotes’ don’t „low“ ‹single› «guillemets» `back` ´acute´",
    "ﬁne ﬂat ﬀ ﬃ ﬄ ﬅ ﬆ ĳ Ĳ ŉ",
    "ＦＵＬＬ　ｗｉｄｔｈ １２３ ｱｲｳ ﾊﾟ ￥ ￦ ！",
    "line\r\nbreak\rhere\u2028there\u2029para\u0085next",
    "\x1b[31mred\x1b[0m \x1b[1;32;40mgreen\x1b[K",
    "a\x00b\x07\x08c\x0bd\x0ce\x0e\x1f\x7f\u206a\ufffc\ufff9z\ufeff".replace("\x00", ""),
    "ΟΔΟΣ ΟΔΟΣ. ΣΑΣ Σ ΑΣ\u0301 ΑΣ'Α Α\u00adΣ Α.Σ",
    "\x1cfile\x1dgroup\x1erecord\x1funit",
]

RANDOM_WORDS = (
    "portrait face SMILING hair, it's don't 42 ½ é e\u0301 你好 안녕 😀 👨‍👩‍👧 !!! ... <|endoftext|> \u00a0 \u3000 ß İ ﬁ “ ” &amp; &lt; "
    "привет Ⅷ ٣ ไทย \u200d \ufe0f"
).split(" ")


def random_text(rng):
    parts = []
    for _ in range(rng.randint(1, 12)):
        choice = rng.random()
        if choice < 0.6:
            parts.append(rng.choice(RANDOM_WORDS))
        elif choice < 0.8:
            parts.append("".join(chr(rng.randint(1, 0x7F)) for _ in range(rng.randint(1, 6))))
        else:
            parts.append("".join(chr(rng.randint(0xA0, 0x33FF)) for _ in range(rng.randint(1, 4))))
        parts.append(rng.choice([" ", "", "  "]))
    return "".join(parts)


def byte_characters():
    """OpenAI's order of bytes and the characters that stand for them."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(0x100 + i) for i, byte in enumerate(others)}


def train(n_merges):
    characters = byte_characters()
    words = collections.Counter()
    for word in open_clip.tokenizer.SimpleTokenizer().pat.findall(CORPUS.lower()):
        spelled = [characters[byte] for byte in word.encode()]
        words[tuple(spelled[:-1] + [spelled[-1] + "</w>"])] += 1
    merges, tokens = [], set()
    while len(merges) < n_merges:
        pairs = collections.Counter()
        for word, count in words.items():
            for pair in zip(word, word[1:]):
                if "".join(pair) not in tokens:  # OpenAI's file means a token of its own by every merge
                    pairs[pair] += count
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        tokens.add("".join(best))
        merged = collections.Counter()
        for word, count in words.items():
            out = []
            for symbol in word:
                if out and (out[-1], symbol) == best:
                    out[-1] += symbol
                else:
                    out.append(symbol)
            merged[tuple(out)] += count
        words = merged
    return merges


def hugging_face(merges):
    characters = list(byte_characters().values())
    vocabulary = characters + [c + "</w>" for c in characters] + ["".join(m) for m in merges] + [BEGIN, END]
    ids = {token: i for i, token in enumerate(vocabulary)}
    assert len(ids) == len(vocabulary)
    return ids, transformers.CLIPTokenizer(vocab=ids, merges=merges)


class Original(open_clip.tokenizer.SimpleTokenizer):
    """OpenAI's tokenizer: open_clip's copy of it, with OpenAI's names of the two special tokens."""

    def __init__(self, path):
        super().__init__(bpe_path=path)
        for new, old in ((BEGIN, "<start_of_text>"), (END, "<end_of_text>")):
            self.encoder[new] = self.encoder.pop(old)
            self.cache[new] = new
        pattern = self.pat.pattern.replace("<start_of_text>|<end_of_text>", r"<\|startoftext\|>|<\|endoftext\|>")
        assert pattern != self.pat.pattern
        self.pat = open_clip.tokenizer.re.compile(pattern, open_clip.tokenizer.re.IGNORECASE)


def normal_forms_agree(tokenizer, text):
    """Hugging Face's normal form C does not know the marks of Unicode 10 and later, and so does not sort them."""
    steps = tokenizers.normalizers.NFC()
    return steps.normalize_str(text) == unicodedata.normalize("NFC", text)


def is_mojibake(text):
    """ftfy guesses at text that was decoded by the wrong table; we take it as it is."""
    return ftfy.fix_text(text) != ftfy.fix_text(text, fix_encoding=False)


def cases(tokenizer, original, texts):
    return {
        "hugging_face": [
            [text, tokenizer(text, add_special_tokens=False).input_ids]
            for text in texts
            if normal_forms_agree(tokenizer, text)
        ],
        "original": [[text, original.encode(text)] for text in texts if not is_mojibake(text)],
    }


def write_json(path, value):
    lines = ",\n".join(
        json.dumps(name) + ": [\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]" for name, rows in value.items()
    )
    path.write_text("{\n" + lines + "\n}\n")


def main():
    rng = random.Random(SEED)
    texts = TEXTS + CLEANED + [random_text(rng) for _ in range(120)]
    FOLDER.mkdir(exist_ok=True)

    merges = train(N_MERGES)
    lines = "".join(" ".join(merge) + "\n" for merge in merges)
    (FOLDER / "small.txt").write_text('"small.txt#version: 0.2\n' + lines)
    ids, tokenizer = hugging_face(merges)
    pair = FOLDER / "pair"
    pair.mkdir(exist_ok=True)
    (pair / "vocab.json").write_text(json.dumps(ids, ensure_ascii=False, separators=(",", ":")) + "\n")
    (pair / "merges.txt").write_text("#version: 0.2\n" + lines)

    # As transformers 5 saves them, one with the padding that Stable Diffusion 2 has.
    exclaiming = transformers.CLIPTokenizer(vocab=ids, merges=merges, pad_token="!")
    exclaiming.save_pretrained(FOLDER / "fast")
    # As transformers 4 saved Stable Diffusion's: special tokens that are looked for after lower-casing.
    config = {
        role: {"__type": "AddedToken", "content": token, "normalized": True, "lstrip": False, "rstrip": False, "single_word": False}
        for role, token in (("bos_token", BEGIN), ("eos_token", END), ("unk_token", END))
    } | {"pad_token": "!", "tokenizer_class": "CLIPTokenizer", "model_max_length": 77}
    (pair / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")

    with tempfile.TemporaryDirectory() as folder:
        packed = pathlib.Path(folder) / "small.txt.gz"
        # Without the last line's end, which open_clip would take for one more merge; OpenAI's file goes on after those that count.
        packed.write_bytes(gzip.compress((FOLDER / "small.txt").read_bytes().rstrip(), mtime=0))
        original = Original(packed)
    rows = cases(tokenizer, original, texts)
    for name in ("fast", "pair"):
        loaded = transformers.CLIPTokenizer.from_pretrained(FOLDER / name)
        rows[name] = [[text, loaded(text, add_special_tokens=False).input_ids] for text in TEXTS]
    write_json(FOLDER / "tokens.json", rows)

    if len(sys.argv) > 1:
        real = Original(sys.argv[1])
        write_json(FOLDER / "real.json", {"original": [[t, real.encode(t)] for t in TEXTS + CLEANED if not is_mojibake(t)]})
    (FOLDER / "VERSIONS").write_text(
        f"seed {SEED}\ntransformers {transformers.__version__}\ntokenizers {tokenizers.__version__}\n"
        f"open_clip {open_clip.__version__}\nftfy {ftfy.__version__}\npython {sys.version.split()[0]}\n"
    )


if __name__ == "__main__":
    main()
