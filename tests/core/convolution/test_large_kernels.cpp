// Winograd's convolutions with kernels other than 3 x 3, against the plain kernel in float64; independence of
// the thread count; where they are chosen.
#include "convolution_results.h"
#include "gesso/core/convolution/convolution.h"
#include "gesso/core/convolution/relu_mask.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

struct Case {
  Index batch, in_channels, out_channels;
  Size2d in, kernel, padding;
  PaddingMode mode = PaddingMode::zeros;

  ConvolutionShape shape() const {
    ConvolutionShape s{.batch = batch,
                       .in_channels = in_channels,
                       .out_channels = out_channels,
                       .in = in,
                       .kernel = kernel,
                       .padding = padding,
                       .padding_mode = mode};
    s.out = convolution_output_size(in, s.kernel, s.stride, padding, s.dilation);
    return s;
  }
};

// Each with few channels in and few out: copies are made of the side that has fewer.
const Case kCases[] = {
    {1, 1, 1, 1, 1, 0},
    {1, 2, 1, 1, 9, 4},
    {2, 1, 2, {1, 9}, {1, 4}, {0, 3}},
    {2, 2, 3, {7, 5}, {2, 3}, {0, 1}},
    {1, 3, 2, {9, 10}, {4, 7}, 0},
    {1, 2, 5, {12, 9}, {9, 6}, {5, 2}},
    {2, 3, 17, {21, 13}, 9, 4},
    {2, 17, 3, {13, 21}, 9, 4},
    {1, 3, 2, {6, 7}, {3, 4}, 7},
    {2, 1, 2, {9, 5}, 9, 4, PaddingMode::reflect},
    {1, 3, 16, {23, 37}, 9, 4, PaddingMode::reflect},
    {2, 16, 3, {19, 34}, 9, 4, PaddingMode::reflect},
    {1, 2, 3, {4, 6}, 5, {3, 2}, PaddingMode::reflect},
    {2, 3, 2, {2, 5}, {6, 5}, {7, 2}, PaddingMode::replicate},
};

}  // namespace

TEST_CASE("large kernels as sums of 3 x 3 ones agree with the plain convolution") {
  for (const Case& c : kCases) {
    CAPTURE(&c - kCases);
    check_close(convolution_results<float>(c.shape(), ConvolutionAlgorithm::winograd),
                convolution_results<double>(c.shape(), ConvolutionAlgorithm::plain), 4e-6);
  }
}

TEST_CASE("large kernels give the same bits on every number of threads") {
  for (const Case& c : kCases) {
    CAPTURE(&c - kCases);
    check_any_number_of_threads<float>(c.shape(), ConvolutionAlgorithm::winograd);
  }
}

TEST_CASE("the 9x9 convolutions of a style network are Winograd's in float32, and no others") {
  const auto is_winograd = []<class T>(const Case& c) {
    const ConvolutionResults chosen = convolution_results<T>(c.shape(), ConvolutionAlgorithm::automatic);
    const ConvolutionResults direct = convolution_results<T>(c.shape(), ConvolutionAlgorithm::direct);
    const bool differ = !identical(chosen.y, direct.y);
    CHECK(differ == !identical(chosen.dx, direct.dx));
    CHECK(differ == !identical(chosen.dw, direct.dw));
    return differ;
  };
  CHECK(is_winograd.operator()<float>({1, 3, 16, 20, 9, 4, PaddingMode::reflect}));
  CHECK(is_winograd.operator()<float>({1, 32, 3, 20, 9, 4, PaddingMode::reflect}));
  CHECK(!is_winograd.operator()<double>({1, 3, 16, 20, 9, 4, PaddingMode::reflect}));
  CHECK(!is_winograd.operator()<float>({1, 1, 25, 20, 7, 3}));  // would be filled up to 9x9
  CHECK(!is_winograd.operator()<float>({1, 1, 16, 20, 9, 4}));  // transforms would outweigh the products
}

TEST_CASE(
    "large kernels with a relu: results are cut, gradients masked, to the same bits as in passes of their own") {
  for (const Case& c :
       {Case{2, 3, 17, {21, 13}, 9, 4, PaddingMode::reflect}, Case{2, 17, 3, {13, 21}, 9, 4}}) {
    const ConvolutionShape s = c.shape();
    const auto normal = [](const Shape& shape, std::uint64_t seed) {
      return normal_numbers<float>(shape, seed);
    };
    const Tensor x = normal({s.batch, s.in_channels, s.in.height, s.in.width}, 1);
    const Tensor w = normal({s.out_channels, s.in_channels, 9, 9}, 2), b = normal({s.out_channels}, 3);
    const Tensor dy = normal({s.batch, s.out_channels, s.out.height, s.out.width}, 4);
    constexpr auto winograd = ConvolutionAlgorithm::winograd;
    Tensor z = Tensor::empty(dy.shape()), y = z.clone(), dz = z.clone();
    ReluMask mask(s.batch, s.out_channels, s.out);
    const float *px = x.data<float>(), *pw = w.data<float>(), *pb = b.data<float>();
    convolution_forward<float>(s, px, pw, pb, z.mutable_data<float>(), winograd);
    convolution_forward<float>(s, px, pw, pb, y.mutable_data<float>(), winograd, {true, &mask});
    apply_relu_mask(mask, dy.data<float>(), dz.mutable_data<float>());
    int wrong = 0, closed = 0;
    for (Index i = 0; i < z.numel(); ++i) {
      const bool open = z.data<float>()[i] > 0;
      closed += !open;
      wrong += y.data<float>()[i] != (open ? z.data<float>()[i] : 0);
      wrong += dz.data<float>()[i] != (open ? dy.data<float>()[i] : 0);
    }
    CHECK(wrong == 0);
    CHECK(closed > 100);
    Tensor dx = Tensor::empty(x.shape()), dx_of_dz = dx.clone();
    convolution_input_gradient<float>(s, dy.data<float>(), pw, dx.mutable_data<float>(), winograd, mask);
    convolution_input_gradient<float>(s, dz.data<float>(), pw, dx_of_dz.mutable_data<float>(), winograd);
    CHECK(identical(dx, dx_of_dz));
    Tensor dw = Tensor::empty(w.shape()), dw_of_dz = dw.clone();
    convolution_weight_gradient<float>(s, px, dy.data<float>(), dw.mutable_data<float>(), winograd, mask);
    convolution_weight_gradient<float>(s, px, dz.data<float>(), dw_of_dz.mutable_data<float>(), winograd);
    CHECK(identical(dw, dw_of_dz));
  }
}
