"""An RSA key for tests: found once, from nothing but the standard library."""

from __future__ import annotations

import random
from functools import cache

EXPONENT = 65537
SMALL = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, n, 2))]
"""Nine of ten candidates have one of these for a factor, and are told from primes in no time."""


@cache
def rsa_key(bits: int = 2048, seed: int = 7) -> tuple[int, int, int]:
    """(modulus, public exponent, private exponent). The seed makes it the same in every run: it protects nothing."""
    dice = random.Random(seed)
    while True:
        p, q = _prime(bits // 2, dice), _prime(bits // 2, dice)
        if p != q and (p * q).bit_length() == bits:
            return p * q, EXPONENT, pow(EXPONENT, -1, (p - 1) * (q - 1))


def _prime(bits: int, dice: random.Random) -> int:
    while True:
        candidate = dice.getrandbits(bits) | (1 << (bits - 1)) | 1
        if candidate % EXPONENT == 1 or not all(candidate % factor for factor in SMALL):
            continue
        if all(pow(a, candidate - 1, candidate) == 1 for a in (2, 3, 5, 7)):
            return candidate
