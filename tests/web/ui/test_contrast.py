"""Both themes keep WCAG 2.2 AA: 4.5 : 1 for words, 3 : 1 for the edges and signs that carry a meaning."""

import math
import re
from functools import cache

import pytest

from tests.web.ui.conftest import CSS

THEMES = ("light", "dark")
TONES = ("neutral", "info", "success", "warning", "danger", "note")
GROUNDS = ("--surface", "--canvas", "--surface-raised", "--surface-sunken")

WORDS = [
    *((ink, ground) for ink in ("--ink", "--ink-soft", "--ink-faint", "--accent-ink") for ground in GROUNDS),
    *(
        (ink, ground)
        for ink in ("--ink", "--ink-soft", "--ink-faint")
        for ground in ("--surface-hover", "--surface-selected")
    ),
    *((f"--{tone}-ink", f"--{tone}-tint") for tone in TONES),
    *((f"--{tone}-ink", ground) for tone in TONES for ground in GROUNDS),
    *(("--ink", f"--{tone}-tint") for tone in TONES),
    *(("--ink-soft", ground) for ground in ("--accent-tint", "--note-tint", "--neutral-tint")),
    *((f"--tier-{tier}-ink", f"--tier-{tier}-tint") for tier in range(1, 5)),
    *(
        (f"--priority-{priority}-ink", ground)
        for priority in range(1, 6)
        for ground in ("--surface", "--surface-hover", "--surface-selected")
    ),
    *((f"--face-{face}-ink", f"--face-{face}-tint") for face in range(1, 7)),
    ("--on-accent", "--accent-solid"),
    ("--on-accent", "--accent-solid-hover"),
    ("--on-danger", "--danger-solid"),
    ("--on-danger", "--danger-solid-hover"),
    ("--accent-ink", "--accent-tint"),
    ("--accent-ink", "--surface-selected"),
    ("--surface", "--ink"),
]
SIGNS = [
    *(("--line-strong", ground) for ground in ("--surface", "--surface-raised", "--canvas")),
    *(("--focus", ground) for ground in GROUNDS),
    *((f"--series-{series}", "--surface") for series in (1, 3, 4, 5, 6)),
    ("--accent-solid", "--surface"),
]  # fmt: skip


@cache
def tokens() -> dict[str, str]:
    text = re.sub(r"/\*.*?\*/", "", (CSS / "tokens.css").read_text(), flags=re.DOTALL)
    return dict(re.findall(r"(--[\w-]+):\s*([^;]+);", text.split(":root[data-theme")[0]))


def luminance(token: str, theme: str) -> float:
    """Relative luminance (WCAG 2.2) of a token in a theme; OKLCH to linear sRGB after Ottosson 2020."""
    value = tokens()[token]
    if alias := re.fullmatch(r"var\((--[\w-]+)\)", value):
        return luminance(alias[1], theme)
    faces = re.findall(r"oklch\(([\d.]+)% ([\d.]+) ([\d.]+)\)", value)
    lightness, chroma, hue = map(float, faces[THEMES.index(theme) if len(faces) > 1 else 0])
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness / 100 + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness / 100 - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness / 100 - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    red, green, blue = (min(max(channel, 0), 1) for channel in (red, green, blue))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str, theme: str) -> float:
    lighter, darker = sorted((luminance(one, theme), luminance(other, theme)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_arithmetic_knows_black_on_white() -> None:
    assert luminance("--paper", "light") == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("ink", "ground"), WORDS)
def test_words_can_be_read(ink: str, ground: str, theme: str) -> None:
    assert contrast(ink, ground, theme) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("sign", "ground"), SIGNS)
def test_edges_and_signs_can_be_seen(sign: str, ground: str, theme: str) -> None:
    assert contrast(sign, ground, theme) >= 3
