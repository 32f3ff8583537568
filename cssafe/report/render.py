"""Render a report: `python -m cssafe.report.render html|pdf` reads the JSON of files.to_json and writes the file.

A program of its own, so that V8 for Vega and the fonts never stay in the memory of the app.
"""

import io
import json
import re
import sys
import tempfile
from base64 import b64encode
from html import unescape
from pathlib import Path
from typing import Any

import pymupdf_fonts
import uharfbuzz
import vl_convert
from fontTools.pens.svgPathPen import SVGPathPen
from fpdf import FPDF, FontFace
from jinja2 import Environment, FileSystemLoader

FONT = "FiraGO"
"""A font with Latin, Greek, Cyrillic, Devanagari, Arabic, Hebrew, Thai and Georgian letters, from a package."""

STYLES = {"": "figo", "B": "figbo"}
"""Style in fpdf2 -> its name in pymupdf_fonts."""

CONFIG = {"font": f"{FONT}, sans-serif", "background": "white", "view": {"stroke": None}}

INK, GREY = (17, 17, 17), (90, 90, 90)
"""RGB that stays readable in print: contrast on white 18.9 and 6.9 (WCAG asks for 4.5)."""

MARGIN_MM = 16
"""Margin of the A4 pages."""

PIXEL_SCALE = 2.5
"""Pixels of a chart's picture for each of its own: 240 an inch on the page."""


def main() -> None:
    report = json.loads(sys.stdin.buffer.read())
    with tempfile.TemporaryDirectory() as folder:
        for style, name in STYLES.items():
            (Path(folder) / f"{FONT}{style}.ttf").write_bytes(pymupdf_fonts.fontbuffers[name]())
        vl_convert.register_font_directory(folder)
        sys.stdout.buffer.write({"html": html, "pdf": pdf}[sys.argv[1]](report, Path(folder)))


def html(report: dict[str, Any], fonts: Path) -> bytes:
    """A self-contained HTML file without scripts. fonts: folder of the fonts as FONT + style."""
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
    # Each chart as its own picture, because the ids in all SVGs are the same.
    environment.filters["base64"] = lambda svg: b64encode(svg.encode()).decode()
    return (
        environment.get_template("template.html")
        .render(report | {"sections": [_drawn(section) for section in report["sections"]]})
        .encode()
    )


def pdf(report: dict[str, Any], fonts: Path) -> bytes:
    """A PDF on A4. fonts: folder of the fonts as FONT + style."""
    paper = Paper(report, fonts)
    for style in STYLES:
        paper.add_font(FONT, style, fonts / f"{FONT}{style}.ttf")
    paper.set_text_shaping(True)
    paper.set_title(report["title"])
    paper.set_lang(report["language"])
    paper.set_creator("CSSAFE")
    paper.set_margin(MARGIN_MM)
    paper.set_auto_page_break(True, MARGIN_MM + 4)
    paper.add_page()
    paper.write_line(report["title"], 20, "B")
    paper.write_line(report["about"], 10, colour=GREY)
    paper.figures()
    sections = [_drawn(section) for section in report["sections"]]
    for section in sections:
        paper.section(section)
    paper.write_line(report["validity"], 8.5, colour=GREY)
    for section in sections:
        paper.rows(section)
    return bytes(paper.output())


class Paper(FPDF):
    """The pages of a report; synthetic reports say so at the top of each."""

    def __init__(self, report: dict[str, Any], fonts: Path) -> None:
        super().__init__(format="A4")
        self._report, self._fonts = report, fonts

    def header(self) -> None:
        if self._report["notice"]:
            self.write_line(self._report["notice"], 8.5, "B")

    def footer(self) -> None:
        self.set_y(-MARGIN_MM)
        self.set_font(FONT, "", 8)
        self.set_text_color(GREY)
        shaping = self.text_shaping
        self.set_text_shaping(True)
        self.cell(self.epw, 5, f"CSSAFE, {self._report['title']}, {self.page_no()}", align="C")
        self.text_shaping = shaping

    def write_line(self, text: str, size: float, style: str = "", colour: tuple[int, int, int] = INK) -> None:
        """A paragraph over the whole width."""
        self.set_font(FONT, style, size)
        self.set_text_color(colour)
        self.multi_cell(self.epw, size * 0.5, text, new_x="LMARGIN", new_y="NEXT", align="L")
        self.ln(size * 0.12)

    def figures(self) -> None:
        """The key figures side by side."""
        self.ln(2)
        top, width = self.get_y(), self.epw / max(1, len(self._report["figures"]))
        for i, figure in enumerate(self._report["figures"]):
            for down, (text, size, style) in zip(
                (0, 5, 14), ((figure["label"], 9, ""), (figure["value"], 20, "B"), (figure["note"], 9, "")), strict=True
            ):
                self.set_xy(self.l_margin + i * width, top + down)
                self.set_font(FONT, style, size)
                self.set_text_color(INK if style else GREY)
                self.cell(width, size * 0.45, text)
        self.set_xy(self.l_margin, top + 22)

    def section(self, section: dict[str, Any]) -> None:
        self.will_break(24)
        self.ln(2)
        self.write_line(section["title"], 13, "B")
        for sentence in section["sentences"]:
            self.write_line(sentence, 10)
        for chart in section["charts"]:
            self.will_break(self.epw * chart["height"] / chart["width"])
            picture = io.BytesIO(
                vl_convert.svg_to_png(outline_devanagari(chart["svg"], self._fonts), scale=PIXEL_SCALE)
            )
            self.image(picture, w=self.epw, alt_text=chart["alt"])
            self.ln(1)
        if section["charts"] and section["reading"]:
            self.write_line(section["reading"], 8.5, colour=GREY)

    def rows(self, section: dict[str, Any]) -> None:
        """The table of a section; wide ones in smaller letters."""
        if not section["table"]:
            return
        self.will_break(30)
        self.ln(3)
        self.write_line(section["behind"], 11, "B")
        if not section["charts"] and section["reading"]:
            self.write_line(section["reading"], 8.5, colour=GREY)
        wide = len(section["table"][0]) > 7
        self.c_margin = 0.5 if wide else 1
        self.set_font(FONT, "", 5.5 if wide else 8.5)
        self.set_text_color(INK)
        heads, *rows = section["table"]
        widths = [max(*map(len, head.split()), *(len(row[i]) for row in rows)) + 3 for i, head in enumerate(heads)]
        self.set_text_shaping(any(_needs_shaping(cell) for row in section["table"] for cell in row))
        with self.table(
            headings_style=FontFace(emphasis="BOLD"),
            borders_layout="HORIZONTAL_LINES",
            col_widths=widths,
            text_align="LEFT",
            line_height=3.2 if wide else 4.6,
        ) as table:
            for row in section["table"]:
                table.row(row)
        self.set_text_shaping(True)

    def will_break(self, height: float) -> None:
        """Begin a new page unless this height in millimetres fits."""
        if self.will_page_break(height):
            self.add_page()


def _needs_shaping(text: str) -> bool:
    """Whether the text has letters from Hebrew to the last script before punctuation. Shaping takes half of a table's time, and
    most tables hold only figures."""
    return any("\u0590" <= letter < "\u2000" for letter in text)


def outline_devanagari(svg: str, fonts: Path) -> str:
    """The SVG with its Devanagari as outlines: vl_convert draws the letters of a syllable on top of each other. fonts: folder
    of the fonts as FONT + style."""
    faces = {style: uharfbuzz.Font(uharfbuzz.Face((fonts / f"{FONT}{style}.ttf").read_bytes())) for style in STYLES}

    def outline(found: re.Match[str]) -> str:
        if not any("\u0900" <= letter < "\u0980" for letter in found["words"]):
            return found[0]
        given = dict(re.findall(r'([\w-]+)="([^"]*)"', found["attributes"]))
        font, buffer = faces["B" if given.get("font-weight") == "bold" else ""], uharfbuzz.Buffer()
        buffer.add_str(unescape(found["words"]))
        buffer.direction, buffer.script, buffer.language = "ltr", "Deva", "hi"
        uharfbuzz.shape(font, buffer)
        shapes, along = [], 0
        for glyph, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
            pen = SVGPathPen(None)
            font.draw_glyph_with_pen(glyph.codepoint, pen)
            shapes.append(
                f'<path transform="translate({along + place.x_offset},{place.y_offset})" d="{pen.getCommands()}"/>'
            )
            along += place.x_advance
        size = float(given.pop("font-size", "10px").removesuffix("px")) / font.face.upem
        start = {"middle": -along / 2, "end": -along}.get(given.pop("text-anchor", ""), 0)
        kept = " ".join(f'{name}="{value}"' for name, value in given.items())
        return f'<g {kept}><g transform="scale({size},{-size}) translate({start},0)">{"".join(shapes)}</g></g>'

    return re.sub(r"<text (?P<attributes>[^>]*)>(?P<words>[^<]*)</text>", outline, svg)


def _drawn(section: dict[str, Any]) -> dict[str, Any]:
    """The section with its charts as SVG, and the width and height of each."""
    charts = []
    for chart in section["charts"]:
        svg = vl_convert.vegalite_to_svg(chart["spec"], config=CONFIG, allowed_base_urls=[])
        width, height = (float(svg.split(f' {side}="', 1)[1].split('"', 1)[0]) for side in ("width", "height"))
        charts.append({"svg": svg, "alt": chart["alt"], "width": width, "height": height})
    return section | {"charts": charts}


if __name__ == "__main__":
    main()
