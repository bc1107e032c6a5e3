"""Awkward values for each kind of input: they break code that is right for "hello" and 3.

A model declares its inputs as steps with a gap `…`, each with the values for it:

    inputs: ClassVar = {
        "connect ?unit=…": near("celsius", "kelvin"),
        "connect /rooms/…/": (*NAMES, *near("lobby"), *lengths(50)),
        'text {"command": "echo", "value": …}': JSON,
        'group waiters {"type": "dish.ready", "number": …, "dish": "tea"}': NUMBERS,
    }

Every value is sent, alone and in random conversations, and the model says what must follow. So a
check.py names what its clients and other processes may vary, and the values come from here. A
value is written as its place needs it: percent-encoded in a URL, as JSON in an object. Frames with
any text or bytes need no declaration: see `texts`, `frames` and `frame_of` of Model.
"""

import json
from urllib.parse import quote

from ..script.steps import Step, parse_step

GAP = "…"


class Source(str):
    """A JSON value or a part of a URL, which stands in a step as it is written."""

    __slots__ = ()


TEXTS = (
    *("", " ", "hello", " padded ", "\n", "two\nlines", "a\r\nb", "a\tb", "UPPER"),
    *("0", "007", "-1", "+7", "7.0", "1,000", "1e999", "NaN", "null", "True", "9007199254740993"),
    *("0.12345678901234567890", "1.50", "1" * 5000, "٣", "²", "\uff17"),
    *('"quoted"', "it's", "back\\slash\\n\\u00e9", "[1, 2]", '{"a": 1}', '{"a": 1} {}'),
    *(r'"\u00e9\\"', r'"{\"a\": 1}"', "'"),
    *("%s %d %", "50%% A", "{0} {x} {", "<b>&amp;</b>", "a|b"),
    *("a+b%41%20", "a,b;c=d", "../a//b?c#d"),
    *("\u2003wide\u3000", "\u3000\xa0", "\u2028line\u2029\x85", "\ufeffmark", "a\u200bb\u200dc"),
    *("🙂", "e\u0301", "é", "\ufb01 \u212a ß İ", "\u202eright to left", "\x00", "a\x00b\x7f"),
    *("x" * 300, "ab" * 1000, "é" * 3000, "a" * 70_000, "long " * 100_000),
)
BYTES = (
    *(b"", b"hello", b"7", b"\x00\xff", b"\xef\xbb\xbfa", b"\xff\xfea\x00"),
    *(b"\n x \x00", b"\x00 x \n", b"\xc3", b"\x1f\x8b\x08\x00", b'{"a": 1}'),
    *(b"%s %d % {0} \\n", b"x" * 70_000),
    *(b"\xf0\x9f\x99\x82", b"\x00\xff" * 200_000),
)
NUMBERS = (
    *(0, 1, -1, 9, 10, 11, 99, 100, 101, 999, 1000, 1001, 2**31 - 1, 2**31, -(2**31)),
    *(2**53 - 1, 2**53 + 1, -(2**53) - 1, 2**61, -(2**61)),  # a difference fits into 64 bits
)
# Other parameters of a query string, as they stand in the URL.
_FEW = "x", "x=", "=x", "x=1=2", "x=%FF", "x=%", "x;y=1", "&", "x=%00"
_MANY = "&".join(f"x{number}=" for number in range(40)), f"x={'y' * 2000}"
PARAMETERS = tuple(map(Source, (*_FEW, *_MANY)))
DIGITS = ("0", "00", "007", "010", "1", "9", "10", "59", "60", "61", "99", "100")
TIMES = (0.001, 0.5, 0.999, 1, 1.001, 2.4999, 59.9, 60, 60.1)
_SOURCES = r"""
    0 -0.0 1 -1 1.0 1.5 1E2 1e308 5e-324 0.1234567890123456789 123456789012345680.0
    9007199254740993 9007199254740992.0 -18446744073709551617 true false null [] {} ""
    [[[]],{},[null,"",0]] [1,[2,"3"],1.0,true] [3,1,2] {"":1,"A\u0020":null} {"a":{"b":[1]}}
    "\u0000\n\"" "a\/b" "\ud83d\ude42" "\ud800" "e\u0301" "\u00e9\u2028" "\u0020padded\u3000"
    "[1,2]" "{\"a\":\u00201}" "null" "NaN" "Infinity\u0020\"NaN\"" ["Infinity","1e999"] "007"
    "1e999"
"""
_DEEP = "[" * 150 + "]" * 150, '{"a":' * 150 + "0" + "}" * 150
JSON = (*map(Source, _SOURCES.split()), *map(Source, _DEEP), Source("1" * 400), "ab" * 40_000)
NAMES = (
    *("a", "Z", "7", "07", "007", "0", "-", ".", "_", "ab", "Ab", "AB", "a_b", "a-b", "a.b"),
    *(" ", "two words", "\u212a", "\u017f", "caf\xe9", "cafe\u0301", "☃"),
    *("a!b", "a:b", "a,b", "a%b", "\x00", "None"),
)
TITLES = tuple(text for text in TEXTS if text and len(text) <= 40 and "\0" not in text)


def near(*words: str) -> tuple[str, ...]:
    """The words, and what differs from them in one place: spaces, case, width, ends, quotes."""
    misses = dict.fromkeys(miss for word in words for miss in _misses(word))
    return (*words, *(miss for miss in misses if miss not in words))


def _misses(word: str) -> tuple[str, ...]:
    """What code may take for this word, and must not."""
    return (
        *(f" {word}", f"{word}\n", f"{word}\0", f"{word}\u3000", f"\ufeff{word}"),
        *(f"{word}0", f"0{word}", f"{word}s", f"x{word}", f"{word[:1]}x{word[1:]}"),
        *(f"+{word}", f"{word}.0", f"{word},{word}", f"{word} {word}", json.dumps(word)),
        "".join(f"%{byte:02X}" for byte in word.encode()),
        *(word[:-1], word[1:], word.swapcase(), word.capitalize(), word.upper()),
        word.translate({code: code + 0xFEE0 for code in range(33, 127)}),  # full width
    )


def lengths(limit: int, letter: str = "x") -> tuple[str, ...]:
    """Texts that are shorter and longer than a limit by one, and much longer."""
    return tuple(letter * number for number in (limit - 1, limit, limit + 1, 2 * limit))


def filled(step: str, value) -> Step:
    """The step with the value in its gap."""
    before, _, after = step.partition(GAP)
    if before == "text " and not after:
        return text_step(value)
    if not isinstance(value, str):
        written = json.dumps(value)
    elif before.startswith(("connect ", "GET ")) and not isinstance(value, Source):
        written = quote(value, safe="")
    else:
        written = value if isinstance(value, Source) or "{" not in before else json.dumps(value)
    if before.startswith("text "):
        return text_step(f"{before[5:]}{written}{after}")
    return parse_step(f"{before}{written}{after}")


def text_step(text: str, client: int = 1) -> Step:
    return Step("text", {"text": text}, client)


def bytes_step(data: bytes, client: int = 1) -> Step:
    return Step("bytes", {"hex": data.hex()}, client)
