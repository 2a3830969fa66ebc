"""The hash functions of other systems, over bytes. SHA, MD5 and CRC are Python's own; the others are written out."""

from __future__ import annotations

import hashlib
import zlib

_ALL = 0xFFFFFFFF


def utf8(text: str) -> bytes:
    """The bytes of a text."""
    return text.encode("utf-8", "surrogatepass")


def cbor(key: str | None, text: str) -> bytes:
    """A text as CBOR (RFC 8949), alone or in a list behind a key."""
    return _cbor_text(text) if key is None else b"\x82" + _cbor_text(key) + _cbor_text(text)


def _cbor_text(text: str) -> bytes:
    written = utf8(text)
    length = len(written)
    if length < 24:
        return bytes([0x60 | length]) + written
    kind, size = next((kind, size) for kind, size in ((0x78, 1), (0x79, 2), (0x7A, 4), (0x7B, 8)) if length < 1 << 8 * size)
    return bytes([kind]) + length.to_bytes(size, "big") + written


def fnv1a32(text: bytes) -> int:
    """FNV-1a with 32 bits."""
    value = 0x811C9DC5
    for byte in text:
        value = (value ^ byte) * 0x01000193 & _ALL
    return value


def murmur3_32(text: bytes, seed: int = 0) -> int:
    """MurmurHash3, x86, 32 bits."""
    value, whole = seed, len(text) // 4 * 4
    for start in range(0, whole, 4):
        value = _rotated(value ^ _scrambled(int.from_bytes(text[start : start + 4], "little")), 13)
        value = value * 5 + 0xE6546B64 & _ALL
    value ^= _scrambled(int.from_bytes(text[whole:], "little")) ^ len(text)
    value = (value ^ value >> 16) * 0x85EBCA6B & _ALL
    value = (value ^ value >> 13) * 0xC2B2AE35 & _ALL
    return value ^ value >> 16


def _scrambled(word: int) -> int:
    return _rotated(word * 0xCC9E2D51 & _ALL, 15) * 0x1B873593 & _ALL


def _rotated(word: int, bits: int) -> int:
    return (word << bits | word >> 32 - bits) & _ALL


_P1, _P2, _P3, _P4, _P5 = 2654435761, 2246822519, 3266489917, 668265263, 374761393


def xxhash32(text: bytes, seed: int = 0) -> int:
    """xxHash with 32 bits."""
    start = 0
    value = seed + _P5
    if len(text) >= 16:
        lanes = [seed + _P1 + _P2 & _ALL, seed + _P2 & _ALL, seed, seed - _P1 & _ALL]
        while start + 16 <= len(text):
            for lane in range(4):
                word = int.from_bytes(text[start : start + 4], "little")
                lanes[lane] = _rotated(lanes[lane] + word * _P2 & _ALL, 13) * _P1 & _ALL
                start += 4
        value = sum(_rotated(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18), strict=True))
    value = value + len(text) & _ALL
    while start + 4 <= len(text):
        word = int.from_bytes(text[start : start + 4], "little")
        value = _rotated(value + word * _P3 & _ALL, 17) * _P4 & _ALL
        start += 4
    for byte in text[start:]:
        value = _rotated(value + byte * _P5 & _ALL, 11) * _P1 & _ALL
    value = (value ^ value >> 15) * _P2 & _ALL
    value = (value ^ value >> 13) * _P3 & _ALL
    return value ^ value >> 16


def crc32(text: bytes) -> int:
    """CRC-32, as zlib has it."""
    return zlib.crc32(text)


def sha1_digits(text: bytes, digits: int) -> int:
    """The first hexadecimal digits of SHA-1."""
    return int(hashlib.sha1(text, usedforsecurity=False).hexdigest()[:digits], 16)


def sha256_bytes(text: bytes, count: int, *, little: bool = False) -> int:
    """The first bytes of SHA-256."""
    return int.from_bytes(hashlib.sha256(text).digest()[:count], "little" if little else "big")


_MOST_ROUNDS = 16


def md5_repeated(text: bytes, grid: int) -> int:
    """Flagsmith's number: where the remainder would be the grid, the text is hashed twice, three times …."""
    for rounds in range(1, _MOST_ROUNDS + 1):
        repeated = b",".join([text] * rounds)
        number = int.from_bytes(hashlib.md5(repeated, usedforsecurity=False).digest(), "big") % (grid + 1)
        if number < grid:
            return number
    return grid - 1
