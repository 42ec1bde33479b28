"""Memory shared with NumPy and PyTorch, and for how long."""

import gc
import pickle
import weakref

import numpy as np
import pytest

import gesso


def torch_or_skip():
    return pytest.importorskip("torch", reason="PyTorch is not there")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (1, 2, 3, 4)])
def test_numpy_sees_the_tensors_memory(shape, dtype):
    x = gesso.zeros(shape, dtype=dtype)
    array = np.asarray(x)
    assert array.shape == shape == x.shape and array.dtype == dtype == x.dtype
    assert array.flags.c_contiguous and array.flags.writeable
    array[...] = 3
    assert x.tolist() == array.tolist()
    x.fill_(5)
    assert (array == 5).all()
    assert np.shares_memory(array, x.numpy()) or array.size == 0


def test_buffer_protocol():
    view = memoryview(gesso.tensor([[1, 2, 3], [4, 5, 6]]))
    assert (view.format, view.shape, view.strides, view.readonly) == ("f", (2, 3), (12, 4), False)
    assert view.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert bytes(gesso.ones(2)) == np.ones(2, np.float32).tobytes()


def test_what_requires_a_gradient_is_shown_to_read():
    x = gesso.ones((2, 2)).requires_grad_()
    for tensor in (x, x * 2):
        array = np.asarray(tensor)
        assert not array.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1
        with pytest.raises(BufferError, match="detach"):
            np.from_dlpack(tensor)
    x.detach().numpy()[0, 0] = 7
    assert x[0, 0].item() == 7


def test_an_array_outlives_its_tensor():
    array = np.asarray(gesso.randn((100, 100)))
    before = array.copy()
    gc.collect()
    for _ in range(10):
        gesso.randn((100, 100))  # would take the memory, were it free
    assert (array == before).all()


def test_an_array_stays_with_the_memory_it_was_made_of():
    x = gesso.ones(3).requires_grad_()
    y = x * 1
    array = np.asarray(y)
    y += 1  # recorded: y takes other memory
    assert array.tolist() == [1, 1, 1] and y.tolist() == [2, 2, 2]


def test_a_tensor_over_an_array():
    array = np.arange(6, dtype=np.float64).reshape(2, 3)
    x = gesso.as_tensor(array)
    assert np.shares_memory(array, np.asarray(x)) and x.dtype == np.float64
    array[1, 2] = 50
    assert x[1, 2].item() == 50
    x.fill_(2)
    assert (array == 2).all()
    assert not np.shares_memory(array, np.asarray(gesso.tensor(array)))


def test_a_tensor_keeps_its_array_alive():
    array = np.ones(1000, np.float32)
    alive = weakref.ref(array)
    x = gesso.as_tensor(array).requires_grad_()
    y = (x * x).sum()
    del array, x
    gc.collect()
    assert alive() is not None  # the graph needs it
    y.backward()
    del y
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize(
    "array",
    [
        np.ones((4, 4), np.float32)[:, ::2],
        np.ones((2, 3), np.float32).T,
        np.arange(3),
        np.ones(3, np.float16),
        np.ones(3, ">f8"),
        np.frombuffer(np.ones(2, np.float32).tobytes(), np.float32),  # to read only
        np.frombuffer(bytearray(b" " + np.ones(2, np.float32).tobytes()), np.uint8)[1:].view(np.float32),  # not aligned
    ],
)
def test_what_cannot_be_shared_is_copied(array):
    x = gesso.as_tensor(array)
    assert not np.shares_memory(array, np.asarray(x))
    np.testing.assert_array_equal(np.asarray(x), array)
    with pytest.raises(gesso.ArgumentError, match="gesso.tensor"):
        gesso.from_dlpack(array)


def test_tensor_of_python_numbers():
    assert gesso.tensor(2).shape == () and gesso.tensor([[1, 2], [3, 4]]).shape == (2, 2)
    assert gesso.tensor([1.5]).dtype == gesso.float32
    assert gesso.tensor(np.ones(2)).dtype == gesso.float64
    assert gesso.tensor([1], dtype="float64", requires_grad=True).requires_grad
    assert gesso.tensor(np.ones(2), dtype=np.float32).dtype == np.float32
    with pytest.raises(ValueError):
        gesso.tensor([[1, 2], [3]])
    with pytest.raises(TypeError):
        gesso.tensor("one")
    with pytest.raises(gesso.ArgumentError, match='"int32" is not one of "float32", "float64"'):
        gesso.zeros(3, dtype="int32")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pytorch_shares_both_ways(dtype):
    torch = torch_or_skip()
    theirs = torch.ones(2, 3, dtype=getattr(torch, dtype))
    ours = gesso.from_dlpack(theirs)
    theirs[0, 0] = 7
    assert ours[0, 0].item() == 7 and ours.dtype == dtype
    back = torch.from_dlpack(ours)
    back[1, 2] = 9
    assert ours[1, 2].item() == 9 and theirs[1, 2].item() == 9
    del theirs, ours
    gc.collect()
    assert back.tolist() == [[7, 1, 1], [1, 1, 9]]
    with pytest.raises(gesso.ArgumentError):
        gesso.from_dlpack(torch.arange(3))
    assert gesso.as_tensor(torch.arange(3)).tolist() == [0, 1, 2]


def test_dlpack_of_numpy():
    x = gesso.arange(4)
    array = np.from_dlpack(x)
    x.fill_(3)
    assert array.tolist() == [3, 3, 3, 3]
    assert x.__dlpack_device__() == (1, 0)


def test_pickle():
    x = gesso.randn((2, 3), dtype="float64").requires_grad_()
    y = pickle.loads(pickle.dumps(x))
    assert y.requires_grad and y.dtype == x.dtype and y.tolist() == x.tolist()
