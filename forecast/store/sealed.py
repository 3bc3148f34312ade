"""Arrays and what they are, in one file that is checked as a whole: the files of a checkpoint.

64 hex digits: the sha256 of all that follows | LF | one line of JSON: what the arrays are | LF | safetensors
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from forecast.store import records, tensors
from forecast.surroundings import Arrays

FORMAT = 1
_KINDS = {"format": int, "data": str, "settings": dict, "tools": dict, "network": str, "finished": bool}


def encode(head: Mapping[str, Any], arrays: Arrays) -> bytes:
    """Return the file; equal arguments give equal bytes."""
    line = json.dumps({"format": FORMAT, **head}, ensure_ascii=True, allow_nan=False).encode()
    content = b"\n".join([line, tensors.encode(arrays)])
    return b"\n".join([_digest(content), content])


def head_of(data: bytes) -> dict[str, Any]:
    """Return what a file says of itself; ValueError where it is damaged or of another format."""
    return _parts(data)[0]


def open_sealed(data: bytes) -> tuple[dict[str, Any], Arrays]:
    """Return what a file says of itself, and its arrays, as float64 or int64; ValueError where it is damaged."""
    head, rest = _parts(data)
    shapes = {name: entry.shape for name, entry in tensors.entries(rest).items()}
    return head, tensors.decode(rest, shapes, tuple(tensors.TYPES))


def _parts(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the head of a file and its arrays, the seal checked."""
    seal, _, content = data.partition(b"\n")
    if seal != _digest(content):
        raise ValueError("is damaged")
    line, _, rest = content.partition(b"\n")
    head = records.parse(line)
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise ValueError("is of an unknown format")
    head = records.take(head, tuple(_KINDS), "its head")
    for key, kind in _KINDS.items():
        if type(head[key]) is not kind:
            raise ValueError(f"has a head whose {key} is of another type")
    return head, rest


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
