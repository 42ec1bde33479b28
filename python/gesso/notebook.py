"""What shows itself in a cell of a notebook: graphs, and reports."""

import html
import shutil
import subprocess
from pathlib import Path

from . import _gesso


class Graph:
    """The graph behind a tensor. In a notebook it draws itself, where Graphviz is installed."""

    def __init__(self, dot: str):
        self.dot = dot  #: its text in the DOT language

    def svg(self) -> str:
        """The drawing, by Graphviz's `dot`. Throws GessoError where that is missing."""
        program = shutil.which("dot")
        if program is None:
            raise _gesso.GessoError(
                "graph: drawing needs Graphviz's program `dot`, which is not there (Debian: apt-get install graphviz); "
                "the attribute .dot is the graph as text"
            )
        run = subprocess.run([program, "-Tsvg"], input=self.dot, capture_output=True, text=True)
        if run.returncode != 0:
            raise _gesso.GessoError(f"graph: dot failed: {run.stderr.strip()}")
        return run.stdout[run.stdout.index("<svg") :]

    def _repr_svg_(self):
        return self.svg() if shutil.which("dot") else None  # None: the words of __repr__ are shown

    def __repr__(self):
        operations = self.dot.count("[label=")
        draw = "" if shutil.which("dot") else "; to draw it here, install Graphviz (Debian: apt-get install graphviz)"
        return f"<gesso.Graph of {operations} boxes{draw}>"


def graph(tensor: "_gesso.Tensor") -> Graph:
    """The graph that made the tensor, to look at: boxes are operations, green ones leaves that require a gradient.

    Call it before backward(), which frees the graph. tensor.label = "x" names a box.
    """
    return Graph(_gesso.graph_dot(tensor))


def _inline(page: str, height: int) -> str:
    """A whole page in a cell: a frame of its own keeps its styles and scripts from the notebook's."""
    return (
        f'<iframe srcdoc="{html.escape(page)}" style="width:100%;height:{height}px;border:1px solid #ddd" '
        'sandbox="allow-scripts"></iframe>'
    )


class Report(_gesso._Report):
    """A page of texts, curves, tables and pictures, as gesso's programs write them; shows itself in a notebook.

    report = gesso.Report("My training", "a line below the title")
    report.section("Loss")
    report.chart("Loss", {"total": losses})
    report.write("report.html")
    """

    height = 600  #: of the frame in a notebook, pixels

    def _repr_html_(self):
        return _inline(self.html(), self.height)


class ReportPage:
    """A report that a program wrote, in a cell: ReportPage("run/report.html")."""

    def __init__(self, path, height: int = 600):
        self.path = Path(path)
        self.height = height
        if not self.path.is_file():
            raise _gesso.FileError(
                f"ReportPage: there is no file {self.path}; a training writes report.html into its folder"
            )

    def _repr_html_(self):
        return _inline(self.path.read_text(encoding="utf-8"), self.height)

    def __repr__(self):
        return f"<gesso.ReportPage {self.path}>"
