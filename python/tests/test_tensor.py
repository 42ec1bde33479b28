"""Operators, indexing, gradients: against NumPy, and by finite differences."""

import math

import numpy as np
import pytest

import gesso


@pytest.fixture
def pair():
    rng = np.random.default_rng(1)
    return rng.uniform(0.5, 2, (2, 1, 3)), rng.uniform(0.5, 2, (4, 3))


OPERATORS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
}


@pytest.mark.parametrize("name", OPERATORS)
def test_arithmetic(name, pair):
    a, b = pair
    f = OPERATORS[name]
    x, y = gesso.tensor(a), gesso.tensor(b)
    for got, wanted in (
        (f(x, y), f(a, b)),
        (f(x, 3), f(a, 3)),
        (f(2.5, x), f(2.5, a)),
        (f(np.float32(2), x), f(2.0, a)),
    ):
        np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-14)
    assert gesso.gradcheck(lambda x, y: f(f(2.5, x), y), [x.requires_grad_(), y.requires_grad_()])


def test_array_times_tensor_is_refused(pair):
    with pytest.raises(TypeError):  # NumPy would compute it and lose the gradient
        pair[0] * gesso.tensor(pair[0])


def test_in_place_keeps_the_object(pair):
    x = gesso.tensor(pair[0])
    same = x
    x += 1
    x -= gesso.tensor(0.5, dtype="float64")
    x *= 2
    x /= gesso.full((3,), 4, dtype="float64")
    assert same is x
    np.testing.assert_allclose(x.numpy(), (pair[0] + 0.5) / 2)


def test_matmul(pair):
    a, b = pair
    np.testing.assert_allclose((gesso.tensor(a) @ gesso.tensor(b).transpose(0, 1)).numpy(), a @ b.T)
    assert gesso.gradcheck(lambda x, y: x @ y.transpose(0, 1), [gesso.tensor(a, requires_grad=True), gesso.tensor(b)])


def test_comparisons():
    x = gesso.tensor([1, 2, 3])
    assert (x < 2).tolist() == [1, 0, 0] and (x == gesso.tensor([1, 0, 3])).tolist() == [1, 0, 1]
    assert (2 <= x).tolist() == [0, 1, 1] and (x != 2).tolist() == [1, 0, 1]
    assert bool(x[0] == 1) and len({x, x}) == 1
    with pytest.raises(gesso.ArgumentError, match="ambiguous"):
        bool(x == 1)


def test_indexing():
    a = np.arange(24.0).reshape(2, 3, 4)
    x = gesso.tensor(a)
    for index in (
        0,
        -1,
        slice(1, 2),
        slice(None),
        (0, 1),
        (slice(None), -1),
        (1, slice(0, 2), slice(2, 9)),
        (-2, 2, 3),
    ):
        np.testing.assert_array_equal(x[index].numpy(), a[index])
    assert len(x) == 2 and [row.shape for row in x] == [(3, 4), (3, 4)]
    for wrong in (2, -3, (0, 3), (0, 0, 0, 0)):
        with pytest.raises(IndexError):
            x[wrong]
    for wrong in (slice(0, 2, 2), None, [0, 1]):
        with pytest.raises(gesso.ArgumentError):
            x[wrong]
    assert gesso.gradcheck(lambda x: x[1, :, 1:3] * x[0, 0, 0], x.requires_grad_())


def test_shapes_and_reductions():
    a = np.random.default_rng(2).normal(size=(2, 3, 4))
    x = gesso.tensor(a)
    assert x.reshape((-1, 4)).shape == (6, 4) and x.reshape(24).shape == (24,) and x.flatten(1).shape == (2, 12)
    with pytest.raises(gesso.ArgumentError, match="24 elements"):
        x.reshape((-1, 5))
    np.testing.assert_array_equal(x.permute((2, 0, 1)).numpy(), a.transpose(2, 0, 1))
    np.testing.assert_allclose(x.sum().item(), a.sum())
    np.testing.assert_allclose(x.mean((0, 2), keepdim=True).numpy(), a.mean((0, 2), keepdims=True))
    np.testing.assert_allclose(x.var(1).numpy(), a.var(1, ddof=1))
    np.testing.assert_allclose(gesso.var(x, -1, unbiased=False).numpy(), a.var(-1))
    np.testing.assert_array_equal(gesso.cat([x, x], 1).numpy(), np.concatenate([a, a], 1))
    np.testing.assert_array_equal(gesso.stack([x, x], 1).numpy(), np.stack([a, a], 1))


ELEMENTWISE = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "square": np.square,
    "abs": np.abs,
    "relu": lambda a: np.maximum(a, 0),
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "tanh": np.tanh,
    "softplus": lambda a: np.log1p(np.exp(a)),
    "silu": lambda a: a / (1 + np.exp(-a)),
    "leaky_relu": lambda a: np.where(a > 0, a, 0.01 * a),
    "gelu": lambda a: np.vectorize(lambda v: v / 2 * (1 + math.erf(v / math.sqrt(2))))(a),
}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise(name, pair):
    a = pair[0] if name in ("log", "sqrt") else pair[0] - 1.2
    x = gesso.tensor(a, requires_grad=True)
    np.testing.assert_allclose(getattr(gesso, name)(x).numpy(), ELEMENTWISE[name](a), rtol=1e-12)
    if hasattr(x, name):
        assert getattr(x, name)().tolist() == getattr(gesso, name)(x).tolist()
    assert gesso.gradcheck(getattr(gesso, name), x)


def test_backward():
    x = gesso.tensor([1, 2, 3], requires_grad=True)
    assert x.grad is None and x.is_leaf
    y = x * x
    y.retain_grad()
    y.sum().backward()
    assert x.grad.tolist() == [2, 4, 6] and y.grad.tolist() == [1, 1, 1] and not y.is_leaf
    (x * 2).backward(gesso.tensor([1, 0, 1]))
    assert x.grad.tolist() == [4, 4, 8]
    x.grad = None
    assert x.grad is None
    with pytest.raises(gesso.ArgumentError, match="one element|scalar"):
        (x * 2).backward()
    z = (x * x).sum()
    z.backward(retain_graph=True)
    z.backward()
    assert x.grad.tolist() == [4, 8, 12]
    with pytest.raises(gesso.ArgumentError, match="freed"):
        z.backward()


def test_no_grad():
    x = gesso.ones(2).requires_grad_()
    with gesso.no_grad():
        assert not gesso.grad_enabled() and not (x * 2).requires_grad
        with gesso.no_grad():
            pass
        assert not gesso.grad_enabled()
        x -= 1
    assert gesso.grad_enabled() and (x * 2).requires_grad

    @gesso.no_grad()
    def double(depth):
        return double(depth - 1) if depth else x * 2

    assert not double(3).requires_grad and gesso.grad_enabled()
    with pytest.raises(ZeroDivisionError), gesso.no_grad():
        1 / 0
    assert gesso.grad_enabled()


def test_random_numbers():
    gesso.manual_seed(5)
    first = gesso.randn((3, 4))
    gesso.manual_seed(5)
    assert gesso.randn((3, 4)).tolist() == first.tolist()
    assert gesso.randn((3, 4), generator=gesso.Generator(5)).tolist() == first.tolist()
    u = gesso.uniform(1000, -1, 2).numpy()
    assert u.min() >= -1 and u.max() < 2 and abs(u.mean() - 0.5) < 0.1
    assert gesso.arange(1, 2, 0.5).tolist() == [1, 1.5]


def test_repr():
    text = repr(gesso.ones((2, 2)).requires_grad_())
    assert "float32 (2, 2)" in text and "requires_grad" in text and "1.0000" in text
