// Matrix products against plain loops, gesso's own and those of the BLAS library; and the set-up of OpenBLAS.
#include "gesso/core/kernels/gemm.h"

#include <cmath>
#include <vector>

#include "gesso/core/build_info.h"
#include "gesso/core/kernels/blas.h"
#include "gesso/core/kernels/packed_gemm.h"
#include "gesso/core/parallel.h"
#include "gesso/core/simd/cpu.h"
#include "support.h"

using namespace gesso;

namespace {

template <class T>
std::vector<T> random(Index count, std::uint64_t seed) {
  Generator rng(seed);
  std::vector<T> values(count);
  rng.fill_normal(values.data(), count);
  return values;
}

// The definition: c = alpha op(a) op(b) + beta c.
template <class T>
void gemm_by_loop(bool ta, bool tb, Index m, Index n, Index k, T alpha, const T* a, Index lda, const T* b,
                  Index ldb, T beta, T* c, Index ldc) {
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < n; ++j) {
      double sum = 0;
      for (Index p = 0; p < k; ++p) {
        sum += static_cast<double>(a[ta ? p * lda + i : i * lda + p]) *
               static_cast<double>(b[tb ? j * ldb + p : p * ldb + j]);
      }
      T& value = c[i * ldc + j];
      value = static_cast<T>(alpha * sum + (beta == 0 ? 0 : static_cast<double>(beta * value)));
    }
  }
}

template <class T>
double largest(const std::vector<T>& u, const std::vector<T>& v) {
  double difference = 0;
  for (std::size_t i = 0; i < u.size(); ++i) {
    const double d = std::abs(static_cast<double>(u[i]) - static_cast<double>(v[i]));
    difference = d <= difference ? difference : d;  // NaN counts
  }
  return difference;
}

}  // namespace

TEST_CASE_TEMPLATE("all transposes, sizes, strides and factors agree with plain loops", T, float, double) {
  const double tolerance = std::is_same_v<T, float> ? 2e-4 : 1e-12;
  const Index sizes[][3] = {{1, 1, 1},   {1, 7, 3},     {7, 1, 3},      {5, 6, 1},    {3, 4, 5},
                            {17, 33, 9}, {70, 70, 131}, {200, 195, 40}, {97, 48, 300}};
  for (const Index(&size)[3] : sizes) {
    const Index m = size[0], n = size[1], k = size[2];
    for (int transposes = 0; transposes < 4; ++transposes) {
      const bool ta = transposes & 1, tb = transposes & 2;
      for (Index gap : {0, 3}) {  // elements between the rows
        const Index lda = (ta ? m : k) + gap, ldb = (tb ? k : n) + gap, ldc = n + gap;
        const std::vector<T> a = random<T>((ta ? k : m) * lda, 1), b = random<T>((tb ? n : k) * ldb, 2);
        for (const auto& [alpha, beta] : {std::pair<T, T>{1, 0}, {-0.5, 1}, {2, 0.25}}) {
          CAPTURE(m);
          CAPTURE(n);
          CAPTURE(k);
          CAPTURE(transposes);
          std::vector<T> c = random<T>(m * ldc, 3), expected = c, large = c, own = c;
          gemm_by_loop(ta, tb, m, n, k, alpha, a.data(), lda, b.data(), ldb, beta, expected.data(), ldc);
          gemm(ta, tb, m, n, k, alpha, a.data(), lda, b.data(), ldb, beta, c.data(), ldc);
          parallel_gemm(ta, tb, m, n, k, alpha, a.data(), lda, b.data(), ldb, beta, large.data(), ldc);
          CHECK(largest(c, expected) < tolerance);  // includes the gaps, which must not change
          CHECK(largest(large, expected) < tolerance);
          packed_gemm(ta, tb, m, n, k, alpha, a.data(), lda, b.data(), ldb, beta, own.data(), ldc);
          CHECK(largest(own, expected) < tolerance);
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("beta 0 overwrites whatever was there, and k 0 leaves beta c", T, float, double) {
  const std::vector<T> a = random<T>(6, 1), b = random<T>(6, 2);
  for (const auto multiply : {gemm<T>, packed_gemm<T>}) {
    std::vector<T> spoilt(4, static_cast<T>(NAN)), halved = {1, 2, 3, 4};
    multiply(false, false, 2, 2, 3, 1, a.data(), 3, b.data(), 2, 0, spoilt.data(), 2);
    for (T value : spoilt) CHECK(std::isfinite(value));
    multiply(false, false, 2, 2, 0, 1, a.data(), 0, b.data(), 2, T(0.5), halved.data(), 2);
    CHECK(halved == std::vector<T>{T(0.5), 1, T(1.5), 2});
    multiply(false, true, 2, 2, 0, 1, a.data(), 0, b.data(), 0, 0, halved.data(), 2);
    CHECK(halved == std::vector<T>(4, 0));
  }
  std::vector<T> untouched = {7};
  gemm<T>(false, false, 0, 1, 3, 1, a.data(), 3, b.data(), 1, 0, untouched.data(), 1);
  parallel_gemm<T>(false, false, 1, 0, 3, 1, a.data(), 3, b.data(), 0, 0, untouched.data(), 0);
  CHECK(untouched[0] == 7);
}

TEST_CASE_TEMPLATE("parallel_gemm gives the same bits for every number of threads", T, float, double) {
  const Index m = 401, n = 399, k = 123;
  const std::vector<T> a = random<T>(m * k, 1), b = random<T>(k * n, 2);
  const int before = num_threads();
  std::vector<std::vector<T>> results;
  for (int threads : {1, 2, 3}) {
    set_num_threads(threads);
    results.emplace_back(m * n);
    parallel_gemm<T>(false, false, m, n, k, 1, a.data(), k, b.data(), n, 0, results.back().data(), n);
  }
  set_num_threads(before);
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

TEST_CASE("sizes that a BLAS library cannot count are refused") {
  CHECK_THROWS_WITH_AS(
      gemm<float>(false, false, Index{1} << 31, 1, 1, 1, nullptr, 1, nullptr, 1, 0, nullptr, 1),
      doctest::Contains("gemm: a product of (2147483648, 1) and (1, 1) is too large"), ArgumentError);
}

TEST_CASE("OpenBLAS runs kernels that fit the CPU") {
  const std::string core = blas_core_type();
  const bool openblas = blas_name().starts_with("OpenBLAS");
  CAPTURE(core);
  CHECK(core.empty() == !openblas);
  const auto one_of = [&](std::initializer_list<const char*> names) {
    return std::any_of(names.begin(), names.end(), [&](const char* name) { return core == name; });
  };
  if (openblas && std::getenv("OPENBLAS_CORETYPE") == nullptr) {
    if (best_isa() == Isa::avx512) {
      CHECK(one_of({"SkylakeX", "Cooperlake", "SapphireRapids"}));
    } else if (best_isa() == Isa::avx2) {
      CHECK(one_of({"Haswell", "Zen", "Excavator"}));
    }
  }
  CHECK(build_info().blas_core == core);
  CHECK(build_info().blas == blas_name());
  CHECK(build_info().threads == num_threads());
  const std::string text = build_info().str();
  for (const std::string& part : {build_info().version, build_info().compiler, build_info().simd, core}) {
    CHECK(text.find(part) != std::string::npos);
  }
}
