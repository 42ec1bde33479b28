"""The lesson in docs/ runs from the first cell to the last."""

from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "normalization.ipynb"


def test_notebook(tmp_path):
    nbformat = pytest.importorskip("nbformat", reason="Jupyter is not there")
    nbclient = pytest.importorskip("nbclient", reason="Jupyter is not there")
    pytest.importorskip("ipykernel", reason="Jupyter is not there")
    pytest.importorskip("matplotlib", reason="matplotlib is not there")
    assert NOTEBOOK.stat().st_size < 500_000
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count == i + 1 for i, cell in enumerate(code)), "it is committed as run, in order"
    nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
