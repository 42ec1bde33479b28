#include "gesso/core/convolution/frame.h"

#include <algorithm>
#include <vector>

#include "gesso/core/dtype.h"
#include "gesso/core/index.h"
#include "gesso/core/kernels/panel_products.h"
#include "gesso/core/memory/scratch.h"
#include "gesso/core/parallel.h"
#include "gesso/core/tensor.h"

namespace gesso {
namespace {

// One dimension of a convolution; steps: from one position to the next in x, in dy and in a kernel.
struct Axis {
  Index in, out, kernel, stride, padding, dilation, x_step, dy_step, tap_step;
};

// Positions begin <= k < begin + count of the padded picture, and the results i that read any of them by a
// tap u: k = stride i + dilation u.
struct Run {
  Index begin = 0, count = 0, first_out = 0, outs = 0;
};

// What is read of positions begin <= k < end.
Run read_part(const Axis& a, Index begin, Index end) {
  Index first = end, last = begin, first_out = a.out, last_out = 0;
  for (Index u = 0; u < a.kernel; ++u) {
    for (Index k = begin; k < end; ++k) {
      const Index from_tap = k - a.dilation * u, i = from_tap / a.stride;
      if (from_tap >= 0 && from_tap % a.stride == 0 && i < a.out) {
        first = std::min(first, k);
        last = std::max(last, k);
        first_out = std::min(first_out, i);
        last_out = std::max(last_out, i);
      }
    }
  }
  return first == end ? Run{} : Run{first, last - first + 1, first_out, last_out - first_out + 1};
}

// The positions of a run that tap u reads: every stride-th from `first` on, counted from the run's begin, by
// the results from `out` on, counted from the run's first.
struct TapRun {
  Index first, out, count;
};

TapRun read_by_tap(const Axis& a, const Run& run, Index u) {
  const Index end = run.begin + run.count - a.dilation * u;  // of stride i
  const Index begin = std::max(run.begin - a.dilation * u, run.first_out * a.stride);
  const Index out = divide_up(begin, a.stride);
  const Index last = std::min(run.first_out + run.outs, divide_up(std::max<Index>(end, 0), a.stride));
  return {out * a.stride + a.dilation * u - run.begin, out - run.first_out, std::max<Index>(last - out, 0)};
}

// Where x has what each position of a run shows: offsets in a plane.
std::vector<Index> shown_by(const Run& run, const Axis& a, PaddingMode mode) {
  std::vector<Index> shown(run.count);
  for (Index k = 0; k < run.count; ++k) {
    shown[k] = padding_source(run.begin + k - a.padding, a.in, mode) * a.x_step;
  }
  return shown;
}

// One side of the frame: a few positions of the axis across it by many of the axis along it.
struct Strip {
  Strip(const Axis& across_axis, const Run& few, const Axis& along_axis, const Run& many, PaddingMode mode)
      : across(across_axis),
        along(along_axis),
        narrow(few),
        wide(many),
        narrow_shown(shown_by(few, across_axis, mode)),
        wide_shown(shown_by(many, along_axis, mode)) {}

  const Axis &across, &along;
  Run narrow, wide;
  std::vector<Index> narrow_shown, wide_shown;

  Index results() const { return narrow.outs * wide.outs; }  // of a channel
};

// dy where a strip is read, of the channels of each sample and group of the convolution as groups of columns:
// packed[sample][group][channel / 16][across][along][channel % 16].
template <class T>
Tensor pack_results(const ConvolutionShape& s, const Strip& strip, const T* dy) {
  const Index groups = divide_up(s.group_out(), kGroup), size = strip.results() * kGroup;
  Tensor packed = Tensor::empty({s.batch, s.groups, groups, size}, dtype_of<T>);
  T* const to = packed.mutable_data<T>();
  parallel_for(s.batch * s.groups * groups, 4, [&](Index begin, Index end) {
    for (Index task = begin; task < end; ++task) {
      const Index first = task % groups * kGroup;
      const int channels = static_cast<int>(std::min<Index>(kGroup, s.group_out() - first));
      const T* plane = dy + (task / groups * s.group_out() + first) * s.out_pixels();
      for (Index i = 0; i < strip.narrow.outs; ++i) {
        const T* from = plane + (strip.narrow.first_out + i) * strip.across.dy_step +
                        strip.wide.first_out * strip.along.dy_step;
        T* row = to + task * size + i * strip.wide.outs * kGroup;
        if (strip.along.dy_step == 1) {
          panel_kernels<T>().transpose(from, s.out_pixels(), channels, nullptr,
                                       static_cast<int>(strip.wide.outs), row);
          continue;
        }
        for (Index j = 0; j < strip.wide.outs; ++j) {
          for (int c = 0; c < channels; ++c) {
            row[j * kGroup + c] = from[c * s.out_pixels() + j * strip.along.dy_step];
          }
        }
      }
    }
  });
  return packed;
}

// The weights from the channels of y to those of x, as panels for each tap:
// packed[tap][group][channel of x / 32][channel of y][channel of x % 32].
template <class T>
Tensor pack_weights(const ConvolutionShape& s, const T* w) {
  const Index panels = divide_up(s.group_in(), kPanel), tap_size = s.groups * panels * s.group_out() * kPanel;
  Tensor packed = Tensor::empty({s.taps(), tap_size}, dtype_of<T>);
  T* const to = packed.mutable_data<T>();
  parallel_for(s.groups * panels * s.group_out(), 64, [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row) {
      const Index o = row % s.group_out(), panel = row / s.group_out(), group = panel / panels;
      const Index first = panel % panels * kPanel;
      const T* from = w + ((group * s.group_out() + o) * s.group_in() + first) * s.taps();
      const Index channels = std::min<Index>(kPanel, s.group_in() - first);
      T* const by_tap = scratch<T>(s.taps() * kGroup);  // [tap][channel of x % 16]
      for (Index c = 0; c < channels; c += kGroup, from += kGroup * s.taps()) {
        panel_kernels<T>().transpose(from, s.taps(), static_cast<int>(std::min<Index>(kGroup, channels - c)),
                                     nullptr, static_cast<int>(s.taps()), by_tap);
        for (Index tap = 0; tap < s.taps(); ++tap) {
          std::copy_n(by_tap + tap * kGroup, kGroup, to + tap * tap_size + row * kPanel + c);
        }
      }
    }
  });
  return packed;
}

}  // namespace

template <class T>
void add_frame_gradient(const ConvolutionShape& s, const T* dy, const T* w, T* dx) {
  if (s.padding_mode == PaddingMode::zeros || s.batch == 0) {
    return;
  }
  const Axis vertical{s.in.height,       s.out.height, s.kernel.height, s.stride.height, s.padding.height,
                      s.dilation.height, s.in.width,   s.out.width,     s.kernel.width};
  const Axis horizontal{
      s.in.width, s.out.width, s.kernel.width, s.stride.width, s.padding.width, s.dilation.width, 1, 1, 1};
  const auto [top, left] = s.padding;
  const Index bottom = top + s.in.height, right = left + s.in.width;
  const Run all_columns = read_part(horizontal, 0, right + left);
  const Run middle_rows = read_part(vertical, top, bottom);
  const PaddingMode mode = s.padding_mode;
  const Strip strips[] = {
      {vertical, read_part(vertical, 0, top), horizontal, all_columns, mode},
      {vertical, read_part(vertical, bottom, bottom + top), horizontal, all_columns, mode},
      {horizontal, read_part(horizontal, 0, left), vertical, middle_rows, mode},
      {horizontal, read_part(horizontal, right, right + left), vertical, middle_rows, mode}};
  std::vector<Tensor> results;
  for (const Strip& strip : strips) results.push_back(pack_results(s, strip, dy));
  const Tensor weights = pack_weights(s, w);
  const Index panels = divide_up(s.group_in(), kPanel), panel_size = s.group_out() * kPanel;
  const Index longest = std::max(all_columns.count, middle_rows.count);

  // What reaches the channels of a panel by way of the strips: each in turn, because they meet at the
  // corners.
  parallel_for(s.batch * s.groups * panels, 1, [&](Index task, Index) {
    const Index plane = task / panels, first = task % panels * kPanel;  // plane: of samples and groups
    const Index channels = std::min<Index>(kPanel, s.group_in() - first);
    const int groups = static_cast<int>(divide_up(channels, kGroup));
    const Index group_size = longest * kGroup;
    T* const sums = scratch<T>(kPanel / kGroup * group_size);  // [channel / 16][along][channel % 16]
    T* const to = dx + (plane * s.group_in() + first) * s.in_pixels();
    for (std::size_t side = 0; side < std::size(strips); ++side) {
      const auto& [across, along, narrow, wide, narrow_shown, wide_shown] = strips[side];
      const Index size = strips[side].results() * kGroup;
      const T* from = results[side].template data<T>() + plane * divide_up(s.group_out(), kGroup) * size;
      for (Index k = 0; k < narrow.count; ++k) {
        std::fill_n(sums, groups * group_size, T{0});
        for (Index u = 0; u < across.kernel; ++u) {
          const TapRun rows = read_by_tap(across, {narrow.begin + k, 1, narrow.first_out, narrow.outs}, u);
          for (Index v = 0; rows.count > 0 && v < along.kernel; ++v) {
            const TapRun run = read_by_tap(along, wide, v);
            const Index tap = u * across.tap_step + v * along.tap_step;
            const T* weight = weights.data<T>() +
                              ((tap * s.groups + plane % s.groups) * panels + task % panels) * panel_size;
            panel_kernels<T>().product(from + (rows.out * wide.outs + run.out) * kGroup, size,
                                       static_cast<int>(run.count), static_cast<int>(s.group_out()), weight,
                                       groups, sums + run.first * kGroup, along.stride * kGroup, group_size,
                                       true, weight + panel_size);
          }
        }
        for (Index c = 0; c < channels; ++c) {
          const T* sum = sums + c / kGroup * group_size + c % kGroup;
          T* row = to + c * s.in_pixels() + narrow_shown[k];
          for (Index j = 0; j < wide.count; ++j) row[wide_shown[j]] += sum[j * kGroup];
        }
      }
    }
  });
}

template void add_frame_gradient(const ConvolutionShape&, const float*, const float*, float*);
template void add_frame_gradient(const ConvolutionShape&, const double*, const double*, double*);

}  // namespace gesso
