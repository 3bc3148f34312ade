"""Ways in which a file goes wrong: bytes, lines, cells and whole columns, each change drawn from a `Random`."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

MOST_ROWS, MOST_BYTES = 200, 1 << 20
MARKS = (b",", b";", b"\t", b"|")
ODD_NUMBERS = (
    *("nan", "NaN", "inf", "-inf", "Infinity", "1e999", "-1e999", "1e308", "3.5e38", "1e-400", "-0", "-0.0", "+5", "+"),
    *(
        "0x1F",
        "1_000",
        "1,234.5",
        "1.234,5",
        "1 234",
        "12%",
        "\u20ac5",
        "5-",
        "(5)",
        "\u22125",
        "\u0663",
        "5e",
        "e5",
        ".",
    ),
    *("1" * 400, "9" * 19, "9007199254740993", "0." + "1" * 400, "1e" + "9" * 30, "00007", "--5", "1..2", "1.5.2"),
    *("", " ", "NA", "N/A", "null", "None", "#N/A", "#REF!", "-", "?", "true", "False", "yes", "text", "\u00a0"),
)
ODD_TIMES = (
    *("0000-00-00", "0001-01-01", "9999-12-31", "2023-02-29", "2024-02-29", "2024-02-30", "2024-13-01", "2024-00-10"),
    *("1677-09-21", "1678-01-01", "2261-12-31", "2262-04-12", "2024-01-01T24:00:00", "2024-01-01 23:59:60", "1/2/2024"),
    *(
        "31/12/2024",
        "12/31/2024",
        "2024-W53",
        "2024-W00",
        "2020-W53",
        "2024Q0",
        "2024Q5",
        "2024-Q1",
        "202401",
        "19700101",
    ),
    *(
        "20240230",
        "0",
        "-1",
        "1",
        "9999",
        "10000",
        "45292",
        "45292.5",
        "1704067200",
        "1704067200000",
        "99999999999999999",
    ),
    *(
        "2024-01-01T00:00:00Z",
        "2024-01-01T00:00:00+99:99",
        "2024-01-01 00:00 UTC",
        "2024-03-31 02:30:00",
        "2024-01-01 1",
    ),
    *(
        "2024-01-01 00:00:00.123456789",
        "2024-01-01 00:00:00.",
        "Jan 2024",
        "1 January 2024",
        "24-01-01",
        "today",
        "Total",
    ),
)
ODD_TEXTS = (
    *(
        '"',
        '""',
        '"""',
        "'",
        "\\",
        "\0",
        "\r",
        "\n",
        "\r\n",
        "\x1a",
        "\x1b[31m",
        "\ufeff",
        "\u2028",
        "\x85",
        "\x0b",
        "a,b",
    ),
    *(
        '"a',
        'a"',
        '"a"b',
        '"a,b"',
        "=1+1",
        "@x",
        "../../x",
        "x" * 5_000,
        "\U0001f600",
        "e\u0301",
        "\u202e",
        "id",
        "ds",
        "y",
    ),
    *(
        "forecast",
        "lo_80",
        "step",
        "unique_id",
        "1",
        "{}",
        "[]",
        "[1]",
        '{"a": 1}',
        "\\ud800",
        "# x",
        "sep=;",
        "<html>",
    ),
)
ODD_BYTES = (
    b"\xff",
    b"\x80",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\0",
)
HEADS = (
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xff\xfe\0\0",
    b"\x1f\x8b",
    b"\x28\xb5\x2f\xfd",
    b"PAR1",
    b"PK\x03\x04",
)
HEADS += (b"sep=;\n", b"# comment\n", b"Title\n", b"\n\n", b"{", b"[", b'"', b" ", b"<html>", b"%PDF", b"a,b\n", b"\0")
SPANS = (timedelta(0), timedelta(microseconds=1), timedelta(seconds=1), timedelta(minutes=7), timedelta(hours=1))
SPANS += (timedelta(hours=5), timedelta(days=1), timedelta(days=3), timedelta(weeks=1), timedelta(days=30))
SPANS += (timedelta(days=91), timedelta(days=365), timedelta(days=20_000))
FORMS = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S+02:00")
FORMS += (
    "%Y%m%d",
    "%d.%m.%Y",
    "%m/%d/%Y %H:%M",
    "%Y-%m",
    "%Y-W%V",
    "%s",
    "%Y",
    "%H:%M",
    "%d/%m/%y",
    "%m/%d/%Y %I:%M %p",
)


def mutate(data: bytes, random: Random) -> bytes:
    """Return the bytes of a file with one to four things changed; never many more rows than a small table has."""
    for _ in range(random.choice((1, 1, 1, 1, 2, 2, 3))):
        data = random.choice(WAYS)(data, random)[:MOST_BYTES]
    return data


def damage(data: bytes, random: Random) -> bytes:
    """Return the bytes of a file that is no text, with one to four bytes or spans of it changed."""
    for _ in range(random.choice((1, 1, 2, 4))):
        data = random.choice(ANY_BYTES)(data, random)
    return data


def _flip(data: bytes, random: Random) -> bytes:
    if not data:
        return data
    place = random.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << random.randrange(8)]) + data[place + 1 :]


def _insert(data: bytes, random: Random) -> bytes:
    place = random.randint(0, len(data))
    return data[:place] + random.choice((*ODD_BYTES, random.randbytes(random.randint(1, 9)))) + data[place:]


def _delete(data: bytes, random: Random) -> bytes:
    place = random.randint(0, len(data))
    return data[:place] + data[place + random.choice((1, 1, 2, 7, 50)) :]


def _cut(data: bytes, random: Random) -> bytes:
    return data[: random.randint(0, len(data))]


def _behead(data: bytes, random: Random) -> bytes:
    return data[random.randint(0, min(len(data), 60)) :]


def _overwrite(data: bytes, random: Random) -> bytes:
    place = random.randint(0, len(data))
    piece = random.choice((b"\0" * random.randint(1, 64), b"\xff" * random.randint(1, 16), random.randbytes(4)))
    return data[:place] + piece + data[place + len(piece) :]


def _swap_spans(data: bytes, random: Random) -> bytes:
    a, b, c = sorted(random.randint(0, len(data)) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def _head(data: bytes, random: Random) -> bytes:
    return random.choice(HEADS) + data


def _tail(data: bytes, random: Random) -> bytes:
    return data + random.choice((*HEADS, b"\n\n\n", b"Total,1\n", b"\x1a", b"\0" * 40, b'"\n', b",,\n", b" \n"))


def _by_lines(change: Callable[[list[bytes], Random], None]) -> Callable[[bytes, Random], bytes]:
    def changed(data: bytes, random: Random) -> bytes:
        lines = data.splitlines(keepends=True)
        if lines:
            change(lines, random)
        return b"".join(lines[: 2 * MOST_ROWS])

    return changed


def _repeat_line(lines: list[bytes], random: Random) -> None:
    line = random.choice(lines)
    lines[random.randrange(len(lines)) : 0] = [line] * random.choice((1, 1, 2, 50))


def _remove_lines(lines: list[bytes], random: Random) -> None:
    place = random.randrange(len(lines))
    del lines[place : place + random.choice((1, 1, 2, 5, 150))]


def _swap_lines(lines: list[bytes], random: Random) -> None:
    a, b = random.randrange(len(lines)), random.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]


def _shuffle_lines(lines: list[bytes], random: Random) -> None:
    header, *rows = lines
    random.shuffle(rows)
    lines[:] = [header, *rows]


def _join_lines(lines: list[bytes], random: Random) -> None:
    place = random.randrange(len(lines))
    lines[place] = lines[place].rstrip(b"\r\n")


def _end_lines(lines: list[bytes], random: Random) -> None:
    ends = random.sample((b"\n", b"\r\n", b"\r", b"\n\n", b"\n\r", b"\x0b", b"\x85"), 2)
    share = random.choice((0.02, 0.5, 1.1))
    lines[:] = [line.rstrip(b"\r\n") + ends[random.random() < share] for line in lines]


def _mark(lines: list[bytes]) -> bytes:
    return max(MARKS, key=lines[0].count)


def _by_cells(change: Callable[[list[list[bytes]], Random], None]) -> Callable[[bytes, Random], bytes]:
    def changed(data: bytes, random: Random) -> bytes:
        lines = data.splitlines()
        if not lines:
            return data
        mark = _mark(lines)
        rows = [line.split(mark) for line in lines]
        change(rows, random)
        return b"\n".join(mark.join(row) for row in rows[: 2 * MOST_ROWS]) + b"\n"

    return changed


def _odd(random: Random) -> bytes:
    return random.choice(random.choice((ODD_NUMBERS, ODD_TIMES, ODD_TEXTS))).encode("utf-8", "surrogatepass")


def _odd_cell(rows: list[list[bytes]], random: Random) -> None:
    row = random.choice(rows)
    row[random.randrange(len(row))] = _odd(random)


def _odd_header(rows: list[list[bytes]], random: Random) -> None:
    place = random.randrange(len(rows[0]))
    rows[0][place] = random.choice((*rows[0], b"", b"7", _odd(random)))


def _odd_column(rows: list[list[bytes]], random: Random) -> None:
    place = random.randrange(len(rows[0]))
    odd = [_odd(random) for _ in range(random.choice((1, 1, 2, 20)))]
    share = random.choice((0.05, 0.5, 1.0))
    for row in rows[1:]:
        if place < len(row) and random.random() < share:
            row[place] = random.choice(odd)


def _numbers(rows: list[list[bytes]], random: Random) -> None:
    place = random.randrange(len(rows[0]))
    low, high = random.choice(((0, 0), (0, 1), (-1, 1), (0, 30), (-40, 40), (-320, 308)))
    digits, empty = random.choice((0, 3, 17)), random.choice((0, 0.1, 0.6, 1))
    for row in rows[1:]:
        if place < len(row):
            number = random.choice((-1, 1)) * random.random() * 10.0 ** random.randint(low, high)
            row[place] = b"" if random.random() < empty else f"{number:.{digits}g}".encode()


def _times(rows: list[list[bytes]], random: Random) -> None:
    place = random.randrange(len(rows[0]))
    form, moment = random.choice(FORMS), datetime(random.choice((1700, 1969, 1999, 2024, 2250)), 1, 28, 22)
    usual, other = random.choice(SPANS), random.choice(SPANS)
    share = random.choice((0, 0.02, 0.5))
    for row in rows[1:]:
        if place < len(row):
            row[place] = (str(int(moment.timestamp())) if form == "%s" else moment.strftime(form)).encode()
        step = other if random.random() < share else usual
        moment = moment + step if moment.year < 9900 else moment


def _drop_column(rows: list[list[bytes]], random: Random) -> None:
    place = random.randrange(len(rows[0]))
    for row in rows:
        del row[place : place + 1]


def _repeat_column(rows: list[list[bytes]], random: Random) -> None:
    place, times = random.randrange(len(rows[0])), random.choice((1, 1, 3, 300))
    for number, row in enumerate(rows):
        cells = row[place : place + 1] * times
        named = not number and random.random() < 0.7
        row += [cell + b"_%d" % copy for copy, cell in enumerate(cells)] if named else cells


def _ragged(rows: list[list[bytes]], random: Random) -> None:
    row = random.choice(rows)
    place = random.randint(0, len(row))
    row[place : place + random.choice((0, 1))] = random.choice(([], [b""], [_odd(random)], [b"1", b"2"]))


def _other_mark(data: bytes, random: Random) -> bytes:
    old, new = random.sample((*MARKS, b" ", b".", b":"), 2)
    return data.replace(old, new, random.choice((1, 5, -1)))


def _other_name(data: bytes, random: Random) -> bytes:
    """Change a word wherever it stands: in JSON lines that is a column's name or one value of many."""
    words = re.findall(rb'[^\s,;|{}\[\]":]+', data[:2_000])
    return data.replace(random.choice(words), _odd(random), random.choice((1, 3, -1))) if words else data


ANY_BYTES = (_flip, _insert, _delete, _cut, _overwrite, _swap_spans, _behead)
LINES = (_repeat_line, _remove_lines, _swap_lines, _shuffle_lines, _join_lines, _end_lines)
CELLS = (_odd_cell, _odd_header, _odd_column, _numbers, _times, _drop_column, _repeat_column, _ragged)
WAYS = (*ANY_BYTES, _head, _tail, *map(_by_lines, LINES), *map(_by_cells, (*CELLS, *CELLS)), _other_mark, _other_name)
