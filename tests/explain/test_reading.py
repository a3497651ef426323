"""Reading: whatever wrote the log, and however large or hostile it is, ends in lines or in code 2."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.errors import InputError
from provisioner.explain.reading import HEAD_LIMIT, LINE_LIMIT, TAIL_LIMIT, clean, decode, read_lines, split
from tests.explain.support import causes
from tests.growth import too_fast

LINE = "Illegal instruction (core dumped)"


@pytest.mark.parametrize(
    "content",
    [
        LINE.encode(),
        ("\ufeff" + LINE).encode(),
        LINE.encode("utf-16"),
        (LINE * 3).encode("utf-16-le"),
        (LINE * 3).encode("utf-16-be"),
        b"\xff\xfe" + LINE.encode("utf-16-le") + b"\x00",
        b"\xe9\xe8 caf\xe9\r\n" + LINE.encode(),
        b"\x1b[31m" + LINE.encode() + b"\x1b[0m\x1b]0;title\x07",
        b" 10%\r 50%\r100%\r" + LINE.encode(),
        b"> > " + LINE.encode(),
        b"2024-05-01T10:00:00.1234567Z " + LINE.encode(),
        b"2024-05-01T10:00:00.123456789Z stderr F " + LINE.encode(),
        b"#12 26.43 " + LINE.encode(),
        b"train-1  | " + LINE.encode(),
        b"#> " + LINE.encode(),
        b"3: " + LINE.encode(),
        b"May 01 10:00:00 node7 python[123]: " + LINE.encode(),
        rb'{"log": "Traceback (most recent call last):\n  File \"C:\new\a.py\", line 1\n' + LINE.encode() + rb'\n"}',
        LINE.replace(" ", "\u00a0").encode(),
    ],
)
def test_whatever_wrote_it(content):
    assert causes("\n".join(split(decode(content, file="x"))))[0] == "cpu-no-avx"


@pytest.mark.parametrize(
    ("line", "cleaned"),
    [
        ("\u2018a\u2019 \u201cb\u201d", "'a' \"b\""),
        ("&gt;&gt;&gt; import x &amp;&amp; y &#39;z&#39;", ">>> import x && y 'z'"),
        (">>> import tensorflow", ">>> import tensorflow"),
        ("> quoted", "quoted"),
        ("**bold** \x08\x07 end", "bold end"),
    ],
)
def test_clean(line, cleaned):
    assert clean(line) == cleaned


@pytest.mark.parametrize(
    "content", [bytes(range(256)) * 300, b"\x7fELF\x02\x01\x01" + b"\x00\x01\x02\x03" * 2000, b"\x89PNG\r\n\x1a\n" + bytes(20) * 99]
)
def test_binary_is_refused(content):
    with pytest.raises(InputError, match="is not text"):
        decode(content, file="x")


def test_numbers_are_those_of_the_log_and_repeats_are_dropped():
    log = read_lines(["", "a", "  ", "b", "a", "a", "a", "c"])
    assert (log.text, log.numbers, log.lines) == ("a\nb\na\nc", (2, 4, 5, 8), 8)
    assert [log.line(index) for index in range(4)] == ["a", "b", "a", "c"]
    assert [log.index_at(offset) for offset in (0, 2, 3, 6, 99)] == [0, 1, 1, 3, 3]


def test_a_long_log_keeps_its_begin_and_its_end():
    log = read_lines(f"{number} {'x' * 90}" for number in range(40_000))
    assert len(log.text) <= HEAD_LIMIT + TAIL_LIMIT + 200
    assert log.text.startswith("0 x")
    assert "39999 x" in log.text
    assert log.left_out > 0


@pytest.mark.parametrize(
    "unit",
    [
        "x",
        "Could not load dynamic library '",
        "(from versions: ",
        "GLIBC_2.",
        "tensorflow ",
        "/",
        "\x1b]",
        "> ",
        "tensorflow 1.0\n",
    ],
    ids=lambda unit: unit[:12],
)
def test_the_work_grows_with_a_hostile_line(unit: str) -> None:
    causes(unit)
    assert not too_fast(lambda size: causes('File "' * (unit == "/") + unit * (size // len(unit))), 1_600_000)


def test_one_line_is_cut():
    assert len(clean("y" * 10 * LINE_LIMIT)) == LINE_LIMIT


@settings(max_examples=150)
@given(st.binary(max_size=3000))
def test_any_bytes_end_in_an_answer_or_a_refusal(content):
    try:
        text = decode(content, file="x")
    except InputError:
        return
    assert causes(text)


PIECES = [
    "libcudart.so.11.0",
    "(from versions: none)",
    "tensorflow==",
    "'",
    '"',
    "GLIBC_2.",
    "undefined symbol: ",
    "module 'tensorflow' has no attribute '",
    "\n",
]


@settings(max_examples=150)
@given(
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=12)), max_size=40),
    st.dictionaries(st.sampled_from(["os", "python", "cuda", "gpu", "tensorflow", "driver"]), st.text(max_size=30)),
)
def test_any_text_and_context_end_in_an_answer(pieces, context):
    messages_ = causes("".join(pieces), context)
    assert messages_
    assert len(messages_) == len(set(messages_))
