"""gradcheck, inspect_normalization, graphs and reports."""

import shutil

import numpy as np
import pytest

import gesso


def test_gradcheck_finds_a_wrong_gradient():
    x = gesso.tensor([1.0, 2.0], dtype="float64", requires_grad=True)
    good = gesso.gradcheck(lambda x: x * x, x)
    assert good and good.checked == 2 and "ok" in repr(good)
    bad = gesso.gradcheck(lambda x: x * x.detach(), x)  # the gradient of one factor is lost
    assert not bad and "WRONG" in repr(bad)
    np.testing.assert_allclose(bad.worst_numeric, 2 * bad.worst_analytic, rtol=1e-6)
    with pytest.raises(gesso.ArgumentError, match="float64"):
        gesso.gradcheck(lambda x: x * x, gesso.ones(2).requires_grad_())
    with pytest.raises(gesso.ArgumentError, match="must return a gesso.Tensor"):
        gesso.gradcheck(lambda x: 1.0, x)
    with pytest.raises(ZeroDivisionError):
        gesso.gradcheck(lambda x: 1 / 0, x)


@pytest.mark.parametrize(
    "layer",
    [
        gesso.InstanceNorm2d(3, affine=True),
        gesso.BatchNorm2d(3),
        gesso.GroupNorm(1, 3),
        gesso.LayerNorm(5),
        gesso.RMSNorm(5),
    ],
)
def test_inspect_normalization(layer):
    x = gesso.randn((2, 3, 4, 5)).requires_grad_()
    upstream = gesso.randn(x.shape)
    found = gesso.inspect_normalization(layer, x.detach(), upstream)
    running = getattr(layer, "running_mean", None)
    assert running is None or running.tolist() == [0, 0, 0]  # nothing changed
    y = layer(x)
    y.backward(upstream)
    (terms,) = found.parts
    np.testing.assert_array_equal(found.y, y.numpy())
    np.testing.assert_array_equal(found.dx, x.grad.numpy())
    np.testing.assert_array_equal(terms.upstream_term + terms.mean_term + terms.xhat_term, found.dx)
    np.testing.assert_allclose(terms.inv_std, 1 / np.sqrt(terms.variance + layer.eps))
    assert terms.xhat.shape == x.shape and (0 <= terms.removed_by_mean).all() and (terms.removed_by_xhat <= 1).all()


def test_inspect_batch_instance_norm():
    found = gesso.inspect_normalization(
        gesso.BatchInstanceNorm2d(3), gesso.randn((2, 3, 4, 5)), gesso.randn((2, 3, 4, 5))
    )
    assert [part.mean.shape for part in found.parts] == [(3,), (2, 3)]


def some_graph():
    x = gesso.randn((1, 3, 4, 4)).requires_grad_()
    x.label = "picture"
    assert x.label == "picture"
    return gesso.graph(gesso.InstanceNorm2d(3)(x).relu().mean())


def test_graph():
    graph = some_graph()
    assert "instance_norm" in graph.dot and "picture" in graph.dot
    assert graph.dot == gesso.Graph(graph.dot).dot
    with pytest.raises(gesso.ArgumentError):
        gesso.graph(gesso.ones(2))


def test_graph_in_a_notebook():
    if not shutil.which("dot"):
        pytest.skip("Graphviz is not there")
    svg = some_graph()._repr_svg_()
    assert svg.startswith("<svg") and "instance_norm" in svg and svg.rstrip().endswith("</svg>")


def test_graph_without_graphviz(monkeypatch):
    monkeypatch.setenv("PATH", "")
    graph = some_graph()
    assert graph._repr_svg_() is None and "apt-get install graphviz" in repr(graph)
    with pytest.raises(gesso.GessoError, match="graphviz"):
        graph.svg()


def test_report(tmp_path):
    report = gesso.Report("Title <b>", "one line")
    report.section("Numbers")
    report.text("A paragraph.", "Another.")
    report.chart("Loss", {"a": [3, 2, 1], "b": (np.arange(3), np.array([1.0, 4.0, 2.0]))}, log_scale=True)
    report.table("Layers", ["name", "parameters"], [["conv", 12], ["norm", 3.5]])
    report.matrices("Planes", {"x": np.eye(3)})
    report.pictures(
        "Pictures", {"noise": np.random.default_rng(0).uniform(size=(3, 8, 8)).astype(np.float32)}, exact=True
    )
    page = report.html()
    for text in ("A paragraph.", "Loss", "parameters", "3.5", "noise", "data:image/png"):
        assert text in page
    cell = report._repr_html_()
    assert cell.startswith("<iframe srcdoc=") and "<script" not in cell  # escaped
    path = tmp_path / "report.html"
    report.write(str(path))
    assert gesso.ReportPage(path)._repr_html_() == cell
    with pytest.raises(gesso.FileError, match="no file"):
        gesso.ReportPage(tmp_path / "missing.html")
    with pytest.raises(gesso.ArgumentError):
        report.chart("Wrong", {"a": ([1, 2], [1])})
        report.html()
