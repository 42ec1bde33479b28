// The inner loop of max pooling (core/kernels/pooling.cpp), compiled once for each instruction set
// (core/simd/for_each_isa.h).

namespace gesso {
namespace {
namespace GESSO_ISA {

using namespace simd;

template <class T>
constexpr int kLanes = GESSO_REGISTER_BYTES / int{sizeof(T)};

// The even numbers of a register and of the one that begins at its last number.
template <int lanes>
struct EveryOther {
  static constexpr int of(int l) { return l < lanes / 2 ? 2 * l : 2 * l + 1; }
};

// x[0], x[step], x[2 step], ...; step 0 stands for any, given as `stride`.
template <int lanes, int step, class T>
GESSO_INLINE Vector<T, lanes> load_apart(const T* x, Index stride) {
  if constexpr (step == 1) {
    return load<lanes>(x);
  } else if constexpr (step == 2) {
    return shuffle<lanes>(load<lanes>(x), load<lanes>(x + lanes - 1), EveryOther<lanes>());
  } else {
    Vector<T, lanes> v{};
    for (int l = 0; l < lanes; ++l) v[l] = x[l * stride];
    return v;
  }
}

// `lanes` windows, of which the first begins at x.
template <int lanes, int step, bool with_taps, class T>
GESSO_INLINE void largest_of_register(const WindowsInRows<T>& w, const T* x, T* largest, TapOf<T>* taps) {
  auto best = Vector<T, lanes>{} - std::numeric_limits<T>::infinity();
  Vector<TapOf<T>, lanes> place{}, tap{};
  for (Index a = 0; a < w.rows; ++a, x += w.row) {
    for (Index b = 0; b < w.kernel; ++b, tap += 1) {
      const auto v = load_apart<lanes, step>(x + b, w.stride);
      const auto beats = (v > best) | (v != v);
      best = beats ? v : best;
      if constexpr (with_taps) {
        place = beats ? tap : place;
      }
    }
  }
  store(largest, best);
  if constexpr (with_taps) {
    store(taps, place);
  }
}

// Where windows are fewer than lanes, registers of half as many do.
template <int lanes, int step, bool with_taps, class T>
GESSO_INLINE void largest_of_windows(const WindowsInRows<T>& w, T* largest, TapOf<T>* taps) {
  if constexpr (lanes > kFewestWindows<T>) {
    if (w.count < lanes) {
      return largest_of_windows<lanes / 2, step, with_taps>(w, largest, taps);
    }
  }
  for (Index begin = 0; begin < w.count; begin += lanes) {
    const Index j = std::min(begin, w.count - lanes);  // the last overlaps the one before
    largest_of_register<lanes, step, with_taps>(w, w.x + j * w.stride, largest + j, taps + j);
  }
}

template <class T, bool with_taps>
void largest_for_stride(const WindowsInRows<T>& w, T* largest, TapOf<T>* taps) {
  if (w.stride == 1) {
    largest_of_windows<kLanes<T>, 1, with_taps>(w, largest, taps);
  } else if (w.stride == 2) {
    largest_of_windows<kLanes<T>, 2, with_taps>(w, largest, taps);
  } else {
    largest_of_windows<kLanes<T>, 0, with_taps>(w, largest, taps);
  }
}

template <class T>
constexpr LargestKernels<T> kLargest{largest_for_stride<T, false>, largest_for_stride<T, true>};

}  // namespace GESSO_ISA
}  // namespace
}  // namespace gesso
