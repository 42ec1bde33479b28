"""Optimisers step by step against PyTorch; files; threads."""

import numpy as np
import pytest

import gesso

OPTIMIZERS = [
    ("SGD", dict(lr=0.1)),
    ("SGD", dict(lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True)),
    ("Adam", dict(lr=0.05)),
    ("Adam", dict(lr=0.05, betas=(0.8, 0.9), weight_decay=0.1)),
]


@pytest.mark.parametrize("name, options", OPTIMIZERS)
def test_against_pytorch(name, options):
    torch = pytest.importorskip("torch", reason="PyTorch is not there")
    start = np.random.default_rng(1).normal(size=(3, 4))
    ours = gesso.tensor(start, requires_grad=True)
    theirs = torch.tensor(start, requires_grad=True)
    our_optimizer = getattr(gesso, name)([ours], **options)
    their_optimizer = getattr(torch.optim, name)([theirs], **options)
    for step in range(5):
        our_optimizer.zero_grad()
        (ours**4).sum().backward()
        our_optimizer.step()
        their_optimizer.zero_grad()
        (theirs**4).sum().backward()
        their_optimizer.step()
        np.testing.assert_allclose(ours.numpy(), theirs.detach().numpy(), rtol=1e-9)


def test_training_and_going_on():
    def train(net, adam, steps):
        for _ in range(steps):
            loss = gesso.mse_loss(net(x), target)
            adam.zero_grad()
            loss.backward()
            adam.step()
        return loss.item()

    gesso.manual_seed(0)
    x, target = gesso.randn((4, 3, 8, 8)), gesso.uniform((4, 8, 8, 8))

    def make():
        net = gesso.Sequential(
            gesso.Conv2d(3, 8, 3, padding=1, padding_mode="reflect"), gesso.InstanceNorm2d(8, affine=True)
        )
        return net, gesso.Adam(net.parameters(), lr=1e-2)

    net, adam = make()
    first = train(net, adam, 1)
    train(net, adam, 4)
    other, other_adam = make()
    other.load_state_dict(net.state_dict())
    other_adam.load_state_dict(adam.state_dict())
    assert train(net, adam, 5) == train(other, other_adam, 5) < first
    adam.lr = 0.5
    assert adam.lr == 0.5
    assert gesso.clip_grad_norm(net.parameters(), 1e-3) > 0


def test_files(tmp_path):
    path = str(tmp_path / "weights.safetensors")
    state = gesso.Conv2d(3, 4, 3).state_dict()
    gesso.save_safetensors(path, state)
    loaded = gesso.load_weights(path)
    assert list(loaded) == list(state)
    for key in state:
        np.testing.assert_array_equal(loaded[key], state[key])
    with pytest.raises(gesso.FileError, match="no such file"):
        gesso.load_weights(str(tmp_path / "missing.pth"))


def test_results_do_not_depend_on_threads():
    x = gesso.randn((2, 8, 64, 64))
    conv = gesso.Conv2d(8, 8, 3)
    before = gesso.num_threads()
    results = []
    try:
        for count in (1, 2, 3):
            gesso.set_num_threads(count)
            assert gesso.num_threads() == count
            results.append(conv(x).numpy().tobytes())
    finally:
        gesso.set_num_threads(before)
    assert len(set(results)) == 1
    with pytest.raises(gesso.ArgumentError):
        gesso.set_num_threads(0)
