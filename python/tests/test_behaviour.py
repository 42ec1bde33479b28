"""How the module lives with Python: errors, Ctrl-C, threads, forks, types."""

import ast
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import gesso


def test_errors():
    for error, python in (
        (gesso.ArgumentError, ValueError),
        (gesso.FileError, OSError),
        (gesso.OutOfMemoryError, MemoryError),
    ):
        assert issubclass(error, gesso.GessoError) and issubclass(error, python) and issubclass(error, RuntimeError)
    with pytest.raises(gesso.ArgumentError, match=r"conv2d: .*\(1, 2, 3\)"):
        gesso.conv2d(gesso.zeros((1, 3, 4, 4)), gesso.zeros((1, 2, 3)))
    with pytest.raises(TypeError, match="weight: gesso.Tensor"):
        gesso.conv2d(gesso.zeros((1, 3, 4, 4)), 3)
    with pytest.raises(gesso.ArgumentError, match='"mirror" is not one of "zeros", "reflect", "replicate"'):
        gesso.Conv2d(3, 4, 3, padding_mode="mirror")

    class Forgetful(gesso.Module):
        def __init__(self):
            self.part = gesso.ReLU()

    with pytest.raises(gesso.ArgumentError, match=r"super\(\).__init__\(\)"):
        Forgetful()


def test_control_c():
    code = """if True:
        import gesso
        x = gesso.randn((4, 16, 32, 32), dtype="float64").requires_grad_()
        conv = gesso.Conv2d(16, 16, 3).to("float64")
        print("ready", flush=True)
        gesso.gradcheck(conv, x, max_elements=10**6)  # half an hour
    """
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert child.stdout.readline() == "ready\n"
        time.sleep(0.5)
        child.send_signal(signal.SIGINT)
        errors = child.communicate(timeout=60)[1]
    finally:
        child.kill()
    assert "KeyboardInterrupt" in errors and child.returncode != 0


class Interrupted(Exception):
    """What the signals below become."""


@pytest.fixture
def interrupted_soon():
    """A function after which Interrupted comes within a moment: what Ctrl-C does, which is a signal too."""

    def interrupt(*_):
        raise Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    yield lambda: signal.setitimer(signal.ITIMER_REAL, 0.02)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def half_a_second_of(apply):
    """Calls apply() for half a second and returns what each call did: work too long to miss a signal, on any processor."""
    end = time.monotonic() + 0.5
    results = []
    while time.monotonic() < end:
        results.append(apply())
    return results


def test_a_long_backward_is_interrupted(interrupted_soon):
    weight = gesso.randn((32, 32, 7, 7)) * 0.03
    x = gesso.randn((1, 32, 32, 32)).requires_grad_()
    y = x

    def convolve():
        nonlocal y
        y = gesso.conv2d(y, weight, padding=3)

    half_a_second_of(convolve)
    loss = y.sum()
    with pytest.raises(Interrupted):
        interrupted_soon()
        loss.backward()
    assert x.grad is None  # it did not come so far
    x.sum().backward()  # nothing is left of the first
    assert x.grad[0, 0, 0, 0].item() == 1


def test_a_long_network_is_interrupted(interrupted_soon):
    x = gesso.zeros((1, 32, 96, 96))
    convolutions = [gesso.Conv2d(32, 32, 3, padding=1)]
    last = gesso.BatchNorm2d(32)
    with gesso.no_grad():
        convolutions += [gesso.Conv2d(32, 32, 3, padding=1) for _ in half_a_second_of(lambda: convolutions[0](x))]
        network = gesso.Sequential(*convolutions, last)
        with pytest.raises(Interrupted):
            interrupted_soon()
            network(x)
    assert (last.running_var.numpy() == 1).all()  # it did not come so far


def test_other_threads_run_meanwhile():
    x = gesso.randn((32, 32, 128, 128))
    conv = gesso.Conv2d(32, 32, 5)
    longest = 0.0
    done = threading.Event()

    def work():
        nonlocal longest
        for _ in range(3):
            start = time.monotonic()
            conv(x)
            longest = max(longest, time.monotonic() - start)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    turns = 0
    while not done.is_set():
        time.sleep(0.001)
        turns += 1
    thread.join()
    assert turns > 10, f"{turns} turns while a convolution took {longest} s"


def child_work(seed):
    x = gesso.randn((4, 8, 64, 64), generator=gesso.Generator(seed)).requires_grad_()
    y = gesso.InstanceNorm2d(8)(gesso.conv2d(x, gesso.ones((8, 8, 3, 3))))
    (y * y * y).sum().backward()
    return x.grad.sum().item(), y


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_fork():
    wanted = [child_work(seed) for seed in range(4)]  # the parent's threads are awake
    with multiprocessing.get_context("fork").Pool(2) as pool:
        got = pool.map_async(child_work, range(4)).get(timeout=120)
    for (a, x), (b, y) in zip(wanted, got):
        assert a == b and x.tolist() == y.tolist()


def test_types_and_words():
    package = Path(gesso.__file__).parent
    assert (package / "py.typed").exists()
    stub = ast.parse((package / "_gesso.pyi").read_text())
    defined = {node.name for node in stub.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    for name in gesso.__all__:
        thing = getattr(gesso, name)
        assert name in defined or not hasattr(gesso._gesso, name) or name == "__version__", f"{name} is not in the stub"
        if callable(thing) and name not in ("float32", "float64"):
            assert thing.__doc__, f"{name} has no words"
    assert gesso.Tensor.__module__ == "gesso"
    assert gesso.__version__ in gesso.build_info()
