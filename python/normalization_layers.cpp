// The normalization layers.
#include "bindings.h"

namespace gesso::python {
namespace {

template <class Layer>
auto add_layer(nb::module_& m, const char* name, const char* doc) {
  return nb::class_<Layer, NormalizationLayer>(m, name, doc)
      .def_prop_ro(
          "weight", [](const Layer& self) { return maybe(self.weight); }, "gamma, or None")
      .def_prop_ro(
          "bias", [](const Layer& self) { return maybe(self.bias); }, "beta, or None");
}

template <class Layer>
void add_running_statistics(nb::class_<Layer, NormalizationLayer> layer) {
  layer
      .def_prop_ro(
          "running_mean", [](const Layer& self) { return maybe(self.running_mean); }, "(C), or None")
      .def_prop_ro(
          "running_var", [](const Layer& self) { return maybe(self.running_var); }, "(C), or None")
      .def("reset_running_stats", &Layer::reset_running_stats, "Mean 0, variance 1, no batches seen.");
}

template <class Layer>
void add_instance_norm(nb::module_& m, const char* name, const char* doc) {
  auto layer = add_layer<Layer>(m, name, doc);
  layer.def(
      "__init__",
      [](Layer* self, Index channels, double eps, double momentum, bool affine, bool track_running_stats) {
        new (self) Layer(
            channels,
            {.eps = eps, .momentum = momentum, .affine = affine, .track_running_stats = track_running_stats});
      },
      "num_features"_a, "eps"_a = 1e-5, "momentum"_a = 0.1, "affine"_a = false,
      "track_running_stats"_a = false);
  add_running_statistics<Layer>(layer);
}

template <class Layer>
auto add_batch_norm(nb::module_& m, const char* name, const char* doc) {
  auto layer = add_layer<Layer>(m, name, doc);
  layer.def(
      "__init__",
      [](Layer* self, Index channels, double eps, std::optional<double> momentum, bool affine,
         bool track_running_stats) {
        new (self) Layer(
            channels,
            {.eps = eps, .momentum = momentum, .affine = affine, .track_running_stats = track_running_stats});
      },
      "num_features"_a, "eps"_a = 1e-5, "momentum"_a.none() = 0.1, "affine"_a = true,
      "track_running_stats"_a = true);
  add_running_statistics<Layer>(layer);
  return layer;
}

}  // namespace

void bind_normalization_layers(nb::module_& m) {
  nb::class_<NormalizationLayer, FusedActivation>(m, "NormalizationLayer",
                                                  "The base of the normalization layers.")
      .def_prop_ro("eps", [](const NormalizationLayer& self) { return self.eps(); })
      .def_prop_ro(
          "statistics", [](const NormalizationLayer& self) { return name_of(self.statistics()); },
          "Which mean and variance it uses now: \"per_instance\", \"per_batch\" or \"running\".")
      .def(
          "set_statistics",
          [](NormalizationLayer& self, const std::optional<std::string>& word) {
            self.set_statistics(
                word ? std::optional(choose<Statistics>("set_statistics", *word,
                                                        {{"per_instance", Statistics::per_instance},
                                                         {"per_batch", Statistics::per_batch},
                                                         {"running", Statistics::running}}))
                     : std::nullopt);
          },
          "statistics"_a.none(), "Uses these in training and evaluation; None: the layer's own rule again.");

  add_instance_norm<InstanceNorm1d>(m, "InstanceNorm1d", "Instance norm of x (N, C, L) or (C, L).");
  add_instance_norm<InstanceNorm2d>(m, "InstanceNorm2d", R"(
Instance norm of x (N, C, H, W) or (C, H, W): every plane (n, c) by its own mean and variance, in training
and evaluation alike (Ulyanov et al. 2016, arXiv 1607.08022).

    y = weight (x - mean) / sqrt(variance + eps) + bias)");
  add_instance_norm<InstanceNorm3d>(m, "InstanceNorm3d",
                                    "Instance norm of x (N, C, D, H, W) or (C, D, H, W).");
  add_batch_norm<BatchNorm1d>(m, "BatchNorm1d", "Batch norm of x (N, C) or (N, C, L).");
  add_batch_norm<BatchNorm2d>(m, "BatchNorm2d", R"(
Batch norm of x (N, C, H, W): every channel by its mean and variance over the batch in training, by running
ones after eval() (Ioffe and Szegedy 2015, arXiv 1502.03167). momentum None averages all batches alike.)");
  add_batch_norm<BatchInstanceNorm2d>(m, "BatchInstanceNorm2d", R"(
A mix of batch norm and instance norm with a trained share of batch norm, rho, for each channel (Nam and Kim
2018, arXiv 1805.07925).

    y = weight (rho x-hat[batch] + (1 - rho) x-hat[instance]) + bias)")
      .def_ro("rho", &BatchInstanceNorm2d::rho, "(C), begins as 1.");

  add_layer<GroupNorm>(
      m, "GroupNorm",
      "The channels of a sample in groups, each by its own mean and variance (Wu and He 2018).")
      .def(
          "__init__",
          [](GroupNorm* self, Index groups, Index channels, double eps, bool affine) {
            new (self) GroupNorm(groups, channels, {.eps = eps, .affine = affine});
          },
          "num_groups"_a, "num_channels"_a, "eps"_a = 1e-5, "affine"_a = true);
  add_layer<LayerNorm>(m, "LayerNorm",
                       "The last dimensions of x by their own mean and variance (Ba et al. 2016).")
      .def(
          "__init__",
          [](LayerNorm* self, const IntOrList& shape, double eps, bool affine) {
            new (self) LayerNorm(shape_of(shape), {.eps = eps, .elementwise_affine = affine});
          },
          "normalized_shape"_a, "eps"_a = 1e-5, "elementwise_affine"_a = true);
  nb::class_<RMSNorm, NormalizationLayer>(
      m, "RMSNorm", "The last dimensions of x divided by their root mean square (Zhang and Sennrich 2019).")
      .def(
          "__init__",
          [](RMSNorm* self, const IntOrList& shape, std::optional<double> eps, bool affine) {
            new (self) RMSNorm(shape_of(shape), {.eps = eps, .elementwise_affine = affine});
          },
          "normalized_shape"_a, "eps"_a.none() = nb::none(), "elementwise_affine"_a = true)
      .def_prop_ro(
          "weight", [](const RMSNorm& self) { return maybe(self.weight); }, "gamma, or None");
  add_layer<ConditionalInstanceNorm2d>(m, "ConditionalInstanceNorm2d", R"(
Instance norm with a row of gamma and beta for each of several styles (Dumoulin et al. 2017, arXiv
1610.07629). Begins with style 0.)")
      .def(
          "__init__",
          [](ConditionalInstanceNorm2d* self, Index styles, Index channels, double eps) {
            new (self) ConditionalInstanceNorm2d(styles, channels, {.eps = eps});
          },
          "num_styles"_a, "num_features"_a, "eps"_a = 1e-5)
      .def("set_style", &ConditionalInstanceNorm2d::set_style, "style"_a, "All samples get this style.")
      .def("set_styles", &ConditionalInstanceNorm2d::set_styles, "styles"_a, "Sample n gets style styles[n].")
      .def("set_mix", &ConditionalInstanceNorm2d::set_mix, "mix"_a,
           "Sample n gets the mix of styles in row n of mix (N, num_styles); gradients go to mix if it "
           "requires one.");
  m.def("set_styles", &set_styles, "network"_a, "styles"_a,
        "set_styles() of every ConditionalInstanceNorm2d in the network.");
  m.def("set_style_mix", &set_style_mix, "network"_a, "mix"_a,
        "set_mix() of every ConditionalInstanceNorm2d in the network.");
}

}  // namespace gesso::python
