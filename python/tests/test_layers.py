"""Every layer and function, forward and backward: against PyTorch, the definition in NumPy, and finite differences."""

import numpy as np
import pytest

import gesso


def data(*shape, seed=3):
    return np.random.default_rng(seed).normal(1, 2, shape)


def statistics(x, axes, eps=1e-5):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


# ---- the normalization family, by its definition

X = (3, 4, 5, 6)
DEFINITIONS = {
    "instance": (lambda x: gesso.instance_norm(x), lambda a: statistics(a, (2, 3))),
    "batch": (lambda x: gesso.batch_norm(x, None, None, training=True), lambda a: statistics(a, (0, 2, 3))),
    "group": (lambda x: gesso.group_norm(x, 2), lambda a: statistics(a.reshape(3, 2, -1), 2).reshape(X)),
    "layer": (lambda x: gesso.layer_norm(x, (5, 6)), lambda a: statistics(a, (2, 3))),
    "RMS": (
        lambda x: gesso.rms_norm(x, (5, 6)),
        lambda a: a / np.sqrt((a * a).mean((2, 3), keepdims=True)),  # eps is 2e-16
    ),
    "adaptive": (
        lambda x: gesso.adaptive_instance_norm(x, gesso.tensor(data(1, 4, 2, 3, seed=9))),
        lambda a: statistics(a, (2, 3)) * np.sqrt(data(1, 4, 2, 3, seed=9).var((2, 3), keepdims=True) + 1e-5)
        + data(1, 4, 2, 3, seed=9).mean((2, 3), keepdims=True),
    ),
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_definition(name):
    function, definition = DEFINITIONS[name]
    x = gesso.tensor(data(*X), requires_grad=True)
    np.testing.assert_allclose(function(x).numpy(), definition(data(*X)), rtol=1e-10, atol=1e-10)
    assert gesso.gradcheck(function, x)


def test_adaptive_instance_norm_gives_both_gradients():
    content, style = (gesso.tensor(data(2, 3, 4, 5, seed=s), requires_grad=True) for s in (1, 2))
    assert gesso.gradcheck(gesso.adaptive_instance_norm, [content, style])


def test_conditional_instance_norm():
    norm = gesso.ConditionalInstanceNorm2d(3, 4).to("float64")
    weight, bias = data(3, 4, seed=5), data(3, 4, seed=6)
    norm.load_state_dict({"weight": weight, "bias": bias})
    a = data(*X)
    x = gesso.tensor(a, requires_grad=True)

    def wanted(mix):
        return statistics(a, (2, 3)) * (mix @ weight)[:, :, None, None] + (mix @ bias)[:, :, None, None]

    norm.set_style(2)
    np.testing.assert_allclose(norm(x).numpy(), wanted(np.eye(3)[[2]]), rtol=1e-10, atol=1e-10)
    norm.set_styles([0, 2, 1])
    np.testing.assert_allclose(norm(x).numpy(), wanted(np.eye(3)[[0, 2, 1]]), rtol=1e-10, atol=1e-10)
    mix = np.array([[0.2, 0.3, 0.5]])
    norm.set_mix(gesso.tensor(mix))
    np.testing.assert_allclose(norm(x).numpy(), wanted(mix), rtol=1e-10, atol=1e-10)
    assert gesso.gradcheck(norm, x)
    network = gesso.Sequential(norm)
    gesso.set_styles(network, [1])
    np.testing.assert_allclose(network(x).numpy(), wanted(np.eye(3)[[1]]), rtol=1e-10, atol=1e-10)
    gesso.set_style_mix(network, gesso.tensor(mix))
    np.testing.assert_allclose(network(x).numpy(), wanted(mix), rtol=1e-10, atol=1e-10)
    with pytest.raises(gesso.ArgumentError):
        norm.set_style(3)


def test_batch_instance_norm():
    norm = gesso.BatchInstanceNorm2d(4).to("float64")
    state = norm.state_dict()
    state["rho"] = np.array([0, 0.3, 0.7, 1])
    norm.load_state_dict(state)
    a = data(*X)
    rho = state["rho"][:, None, None]
    wanted = rho * statistics(a, (0, 2, 3)) + (1 - rho) * statistics(a, (2, 3))
    np.testing.assert_allclose(norm(gesso.tensor(a)).numpy(), wanted, rtol=1e-10, atol=1e-10)
    norm.load_state_dict(dict(state, rho=np.array([0.1, 0.3, 0.7, 0.9])))  # finite differences must stay inside [0, 1]
    assert gesso.gradcheck(norm, gesso.tensor(a, requires_grad=True))


# ---- layers that PyTorch has

LAYERS = [
    ("Conv2d", (3, 4, 3), dict(padding=1), (2, 3, 6, 7)),
    ("Conv2d", (4, 6, (3, 2)), dict(stride=(2, 1), dilation=(1, 2), groups=2, bias=False), (2, 4, 8, 9)),
    ("Conv2d", (2, 3, 3), dict(padding=2, padding_mode="reflect"), (1, 2, 5, 6)),
    ("ConvTranspose2d", (3, 4, 3), dict(stride=2, padding=1, output_padding=1), (2, 3, 4, 5)),
    ("Linear", (5, 3), {}, (2, 4, 5)),
    ("Linear", (5, 3), dict(bias=False), (4, 5)),
    ("InstanceNorm1d", (3,), dict(affine=True), (2, 3, 7)),
    ("InstanceNorm2d", (3,), {}, (2, 3, 4, 5)),
    ("InstanceNorm2d", (3,), dict(affine=True, track_running_stats=True, momentum=0.3, eps=1e-3), (2, 3, 4, 5)),
    ("InstanceNorm3d", (2,), dict(affine=True), (2, 2, 3, 4, 2)),
    ("BatchNorm1d", (3,), {}, (4, 3)),
    ("BatchNorm2d", (3,), dict(momentum=None), (4, 3, 2, 2)),
    ("BatchNorm2d", (3,), dict(affine=False, track_running_stats=False), (4, 3, 2, 2)),
    ("GroupNorm", (2, 4), {}, (3, 4, 2, 3)),
    ("GroupNorm", (2, 4), dict(affine=False), (3, 4, 2, 3)),
    ("LayerNorm", ((3, 4),), {}, (2, 3, 4)),
    ("LayerNorm", (4,), dict(elementwise_affine=False), (2, 3, 4)),
    ("RMSNorm", ((3, 4),), {}, (2, 3, 4)),
    ("RMSNorm", (4,), dict(eps=1e-3, elementwise_affine=False), (2, 3, 4)),
    ("ReLU", (), {}, (3, 4)),
    ("LeakyReLU", (0.2,), {}, (3, 4)),
    ("Tanh", (), {}, (3, 4)),
    ("Sigmoid", (), {}, (3, 4)),
    ("SiLU", (), {}, (3, 4)),
    ("Flatten", (), {}, (2, 3, 4)),
    ("ReflectionPad2d", ((1, 2, 0, 3),), {}, (1, 2, 5, 6)),
    ("MaxPool2d", (2,), {}, (1, 2, 6, 7)),
    ("AvgPool2d", (3,), dict(stride=2, padding=1), (1, 2, 6, 7)),
    ("AdaptiveAvgPool2d", ((2, 3),), {}, (1, 2, 5, 7)),
    ("Upsample", (), dict(scale_factor=2, mode="nearest"), (1, 2, 3, 4)),
    ("Upsample", (), dict(scale_factor=2, mode="bilinear"), (1, 2, 3, 4)),
]


@pytest.mark.parametrize(
    "name, args, options, shape", LAYERS, ids=[f"{i}-{layer[0]}" for i, layer in enumerate(LAYERS)]
)
def test_against_pytorch(name, args, options, shape):
    torch = pytest.importorskip("torch", reason="PyTorch is not there")
    ours = getattr(gesso, name)(*args, **options).to("float64")
    if not hasattr(torch.nn, name):
        pytest.skip(f"PyTorch {torch.__version__} has no {name}")
    theirs = getattr(torch.nn, name)(*args, **options).double()
    rng = np.random.default_rng(7)
    state = {k: v if v.ndim == 0 else rng.uniform(0.5, 1.5, v.shape) for k, v in ours.state_dict().items()}
    assert list(state) == list(theirs.state_dict())
    ours.load_state_dict(state)
    theirs.load_state_dict({k: torch.as_tensor(v) for k, v in state.items()})

    for training in (True, False):
        assert ours.train(training) is ours and ours.training == training
        theirs.train(training)
        ours.zero_grad()
        theirs.zero_grad()
        x = gesso.tensor(data(*shape), requires_grad=True)
        their_x = torch.tensor(data(*shape), requires_grad=True)
        y, their_y = ours(x), theirs(their_x)
        close = dict(rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(y.numpy(), their_y.detach().numpy(), **close)
        upstream = data(*y.shape, seed=11)
        y.backward(gesso.tensor(upstream))
        their_y.backward(torch.tensor(upstream))
        np.testing.assert_allclose(x.grad.numpy(), their_x.grad.numpy(), **close)
        for (key, p), (their_key, their_p) in zip(ours.named_parameters(), theirs.named_parameters()):
            assert key == their_key
            np.testing.assert_allclose(p.grad.numpy(), their_p.grad.numpy(), **close)
        for key, value in ours.state_dict().items():  # running statistics
            if not (name.startswith("Instance") and key == "num_batches_tracked"):
                np.testing.assert_allclose(value, theirs.state_dict()[key].numpy(), **close)


@pytest.mark.parametrize(
    "name, args, options, shape", LAYERS, ids=[f"{i}-{layer[0]}" for i, layer in enumerate(LAYERS)]
)
def test_gradients(name, args, options, shape):
    layer = getattr(gesso, name)(*args, **options).to("float64")
    result = gesso.gradcheck(layer, gesso.tensor(data(*shape), requires_grad=True))
    assert result, result


FUNCTIONS = {
    "conv2d": ((1, 2, 5, 6), (3, 2, 3, 3), (3,)),
    "conv_transpose2d": ((1, 2, 3, 4), (2, 3, 3, 2), (3,)),
    "linear": ((2, 5), (3, 5), (3,)),
    "matmul": ((2, 3, 4), (4, 2)),
    "mse_loss": ((2, 3), (2, 3)),
    "l1_loss": ((2, 3), (2, 3)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_against_pytorch(name):
    torch = pytest.importorskip("torch", reason="PyTorch is not there")
    inputs = [data(*shape, seed=i) for i, shape in enumerate(FUNCTIONS[name])]
    ours = [gesso.tensor(a, requires_grad=True) for a in inputs]
    theirs = [torch.tensor(a, requires_grad=True) for a in inputs]
    y = getattr(gesso, name)(*ours)
    z = getattr(torch if name == "matmul" else torch.nn.functional, name)(*theirs)
    np.testing.assert_allclose(y.numpy(), z.detach().numpy(), rtol=1e-10, atol=1e-10)
    y.sum().backward()
    z.sum().backward()
    for a, b in zip(ours, theirs):
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-10, atol=1e-10)
    assert gesso.gradcheck(getattr(gesso, name), ours)


def test_other_functions():
    x = gesso.tensor(data(2, 3, 4, 4), requires_grad=True)
    for function in (
        gesso.gram_matrix,
        lambda x: gesso.softmax(x, 1),
        lambda x: gesso.log_softmax(x, 1),
        lambda x: gesso.max_pool2d(x, 2),
        lambda x: gesso.avg_pool2d(x, (2, 3), stride=1),
        lambda x: gesso.adaptive_avg_pool2d(x, 1),
        lambda x: gesso.upsample_nearest2d(x, 2),
        lambda x: gesso.upsample_bilinear2d(x, 1.5),
        lambda x: gesso.pad2d(x, (1, 0, 2, 1), "replicate"),
        lambda x: gesso.clamp(x, -1, 2),
        lambda x: gesso.where(x > 0, x * 2, gesso.minimum(x, gesso.maximum(x, x * 3))),
        lambda x: gesso.cross_entropy(x.reshape((6, 16)), [0, 3, 5, 7, 11, 15], label_smoothing=0.1),
    ):
        result = gesso.gradcheck(function, x)
        assert result, result


# ---- modules


class Net(gesso.Module):
    def __init__(self):
        super().__init__()
        self.conv = gesso.Conv2d(3, 4, 3, padding=1)
        self.body = gesso.Sequential(gesso.InstanceNorm2d(4, affine=True).then("relu"), gesso.Conv2d(4, 2, 1))
        self.gain = self.register_parameter("gain", gesso.ones((2, 1, 1)))

    def forward(self, x, scale=1):
        return self.body(self.conv(x)) * self.gain * scale


def test_a_module_of_ones_own():
    net = Net()
    x = gesso.randn((2, 3, 5, 5))
    keys = ["gain", "conv.weight", "conv.bias", "body.0.weight", "body.0.bias", "body.1.weight", "body.1.bias"]
    assert list(net.state_dict()) == keys and [k for k, _ in net.named_parameters()] == keys
    assert (net(x) * 3).tolist() == net(x, scale=3).tolist()
    assert gesso.Sequential(net)(x).tolist() == net(x).tolist()  # C++ calls Python's forward
    assert net.body[0] is net.body[-2] and len(net.body) == 2
    assert repr(net).startswith("Net(\n  (conv): Conv2d(3, 4")
    net(x).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    assert not net.eval().body[0].training
    assert gesso.gradcheck(net.to("float64"), gesso.randn((1, 3, 3, 3), dtype="float64").requires_grad_())


def test_parts_live_as_long_as_the_whole():
    net = gesso.Sequential()
    net.append(Net())
    assert net(gesso.randn((1, 3, 4, 4))).shape == (1, 2, 4, 4)


def test_state_dict():
    net, other = Net(), Net()
    state = net.state_dict()
    assert all(isinstance(value, np.ndarray) for value in state.values())
    other.load_state_dict(state)
    x = gesso.randn((1, 3, 4, 4))
    assert other(x).tolist() == net(x).tolist()
    with gesso.no_grad():
        net.gain *= 2
    assert state["gain"].max() == 1  # a copy
    state["gaim"] = state.pop("gain")
    with pytest.raises(gesso.ArgumentError, match="gaim"):
        other.load_state_dict(state)
    assert other.load_state_dict(state, strict=False) == (["gain"], ["gaim"])


def test_parameters_change_in_place():
    norm = gesso.InstanceNorm2d(2, affine=True)
    with gesso.no_grad():
        norm.weight -= 0.25
        norm.bias.copy_(np.array([1, 2]))
    assert norm.state_dict()["weight"].tolist() == [0.75, 0.75] and norm.bias.tolist() == [1, 2]
    with pytest.raises(AttributeError):
        norm.weight = gesso.ones(2)


def test_statistics():
    norm = gesso.BatchNorm2d(3)
    assert norm.statistics == "per_batch" and norm.eval().statistics == "running"
    norm.set_statistics("per_instance")
    assert norm.statistics == "per_instance"
    norm.set_statistics(None)
    assert norm.statistics == "running" and norm.running_mean.tolist() == [0, 0, 0]
    with pytest.raises(gesso.ArgumentError, match="per_image"):
        norm.set_statistics("per_image")
