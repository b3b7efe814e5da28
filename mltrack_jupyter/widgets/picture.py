"""A picture as a list of lines, rectangles and texts, written once and drawn as SVG or as PNG."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby, pairwise
from typing import Any

from mltrack_jupyter.widgets.texts import escape

Point = tuple[float, float]
_INK = "#333333"
_FONTS = ("DejaVuSans.ttf", "Arial.ttf", "Helvetica.ttc")


@dataclass(frozen=True)
class Line:
    """A line through points; without a colour it has that of the page's text."""

    points: Sequence[Point]
    colour: str = ""
    width: float = 1.0
    opacity: float = 1.0
    dashed: bool = False


@dataclass(frozen=True)
class Rect:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    colour: str


@dataclass(frozen=True)
class Text:
    """A text; ``y`` is its base line, ``anchor`` is start, middle or end, ``full`` shows on hovering."""

    x: float
    y: float
    text: str
    size: float = 11.0
    anchor: str = "start"
    opacity: float = 1.0
    bold: bool = False
    full: str = ""


@dataclass
class Picture:
    """What is drawn, in the order of drawing, on a canvas of ``width`` by ``height`` pixels."""

    width: int
    height: int
    label: str
    items: list[Line | Rect | Text] = field(default_factory=list)

    def svg(self) -> str:
        """Return an inline SVG without scripts, styles sheets or references."""
        shapes = [item for item in self.items if not isinstance(item, Text)]
        body = "".join(_svg_group(style, items) for style, items in groupby(shapes, _style))
        texts = "".join(_svg_text(item) for item in self.items if isinstance(item, Text))
        # The halo keeps a label readable where lines pass behind it; without a theme there is none.
        halo = "paint-order:stroke;stroke:var(--jp-layout-color0,transparent);stroke-width:3px"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'width="{self.width}" role="img" aria-label="{escape(self.label)}" fill="currentColor" '
            'font-family="var(--jp-ui-font-family, system-ui, sans-serif)" '
            f'style="max-width:100%;height:auto;display:block">{body}<g style="{halo}">{texts}</g></svg>'
        )

    def png(self, scale: float = 2, *, smooth: bool = True) -> bytes:
        """Return a PNG on white, so many times as large. Hard edges make it a third smaller."""
        from PIL import Image, ImageDraw

        # Pillow draws hard edges: smooth lines are drawn twice as large and reduced; texts need not be.
        fine = 2 if smooth else 1
        size = (round(self.width * scale), round(self.height * scale))
        image = Image.new("RGB", (size[0] * fine, size[1] * fine), "white")
        pen = ImageDraw.Draw(image)
        for item in self.items:
            if not isinstance(item, Text):
                _draw(pen, item, scale * fine)
        if smooth:
            image = image.resize(size, Image.Resampling.BOX)
            pen = ImageDraw.Draw(image)
        for item in self.items:
            if isinstance(item, Text):
                _write(pen, item, scale)
        file = io.BytesIO()
        image.quantize(32, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
        return file.getvalue()


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _style(item: Line | Rect) -> str:
    """Return the attributes that neighbours share, so that they are written once."""
    if isinstance(item, Rect):
        return ""
    dashes = ' stroke-dasharray="3 3"' if item.dashed else ""
    opacity = f' stroke-opacity="{item.opacity:g}"' if item.opacity < 1 else ""
    return f'fill="none" stroke-width="{item.width:g}"{opacity}{dashes}'


def _svg_group(style: str, items: Iterable[Line | Rect]) -> str:
    body = "".join(_svg_line(item) if isinstance(item, Line) else _svg_rect(item) for item in items)
    return f"<g {style}>{body}</g>" if style else body


def _svg_rect(item: Rect) -> str:
    x, y, width, height = map(_number, (item.x, item.y, item.width, item.height))
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{item.colour}"/>'


def _svg_line(item: Line) -> str:
    # Half a pixel more or less is not seen, and hundreds of lines are much shorter for it.
    precise = _number if len(item.points) == 2 else round
    path = "L".join(f"{precise(x)} {precise(y)}" for x, y in item.points)
    return f'<path d="M{path}" stroke="{item.colour or "currentColor"}"/>'


def _svg_text(item: Text) -> str:
    extra = "" if item.anchor == "start" else f' text-anchor="{item.anchor}"'
    extra += f' opacity="{item.opacity:g}"' if item.opacity < 1 else ""
    extra += ' font-weight="600"' if item.bold else ""
    title = f"<title>{escape(item.full)}</title>" if item.full and item.full != item.text else ""
    position = f'x="{_number(item.x)}" y="{_number(item.y)}" font-size="{item.size:g}"'
    return f"<text {position}{extra}>{escape(item.text)}{title}</text>"


def _draw(pen: Any, item: Line | Rect, scale: float) -> None:
    if isinstance(item, Rect):
        box = (item.x, item.y, item.x + item.width, item.y + item.height)
        pen.rectangle([value * scale for value in box], fill=item.colour)
        return
    colour = _on_white(item.colour or _INK, item.opacity)
    points = [(x * scale, y * scale) for x, y in item.points]
    for start, end in pairwise(points):
        for part in _dashes(start, end, 3 * scale) if item.dashed else [(start, end)]:
            pen.line(part, fill=colour, width=max(1, round(item.width * scale)), joint="curve")


def _dashes(start: Point, end: Point, length: float) -> list[tuple[Point, Point]]:
    span = ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5
    count = max(1, int(span / (2 * length)))
    step = ((end[0] - start[0]) / count, (end[1] - start[1]) / count)
    firsts = [(start[0] + step[0] * i, start[1] + step[1] * i) for i in range(count)]
    return [((x, y), (x + step[0] / 2, y + step[1] / 2)) for x, y in firsts]


def _write(pen: Any, item: Text, scale: float) -> None:
    anchor = {"start": "ls", "middle": "ms", "end": "rs"}[item.anchor]
    place = (item.x * scale, item.y * scale)
    pen.text(
        place,
        item.text,
        fill=_on_white(_INK, item.opacity),
        font=_font(round(item.size * scale)),
        anchor=anchor,
        stroke_width=2,
        stroke_fill="white",
    )
    if item.bold:
        # The fonts at hand have no bold face: written twice, half a pixel apart.
        pen.text(
            (place[0] + 1, place[1]),
            item.text,
            fill=_INK,
            font=_font(round(item.size * scale)),
            anchor=anchor,
        )


def _on_white(colour: str, opacity: float) -> tuple[int, ...]:
    parts = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return tuple(round(255 + (part - 255) * opacity) for part in parts)


@lru_cache(maxsize=16)
def _font(size: int) -> Any:
    from PIL import ImageFont

    for name in _FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)
