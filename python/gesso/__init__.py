"""gesso: a small deep-learning framework with normalization as its subject.

    import gesso

    x = gesso.randn((4, 3, 8, 8)).requires_grad_()
    norm = gesso.InstanceNorm2d(3, affine=True)
    loss = (norm(x) ** 2).mean()
    loss.backward()
    x.grad.numpy()

Names follow PyTorch's where PyTorch has the thing. docs/python.md is the guide, docs/normalization.ipynb a lesson.
"""

import contextlib as _contextlib

import numpy as _numpy

from . import _gesso
from ._gesso import *  # noqa: F403
from ._gesso import _version as __version__
from .notebook import Graph, Report, ReportPage, graph

float32 = _numpy.float32
float64 = _numpy.float64


class no_grad(_contextlib.ContextDecorator):
    """Within it, operations are not recorded: `with gesso.no_grad():`, or `@gesso.no_grad()` above a function."""

    def __init__(self):
        self._guards = []  # one for each time that it was entered: a decorated function may call itself

    def __enter__(self):
        self._guards.append(_gesso._NoGradGuard())

    def __exit__(self, *error):
        self._guards.pop()


__all__ = [name for name in dir(_gesso) if not name.startswith("_")]
for _name in __all__:  # what they are called by whoever uses them, in errors and in help()
    if isinstance(getattr(_gesso, _name), type):
        getattr(_gesso, _name).__module__ = __name__
__all__ += ["Graph", "Report", "ReportPage", "__version__", "float32", "float64", "graph", "no_grad"]
