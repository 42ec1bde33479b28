// Batch norm over a batch of which each process has some of the samples: what a process computes of its own, and what it
// then does with that of all. In the order of samples, so that every number is that of normalization.h for the whole
// batch, bit for bit, however many samples each process has:
//
//     forward    plane_moments()        of the own planes; those of all processes are brought together
//                merge_plane_moments()  of all planes, to statistics, with which normalize_with() goes on
//     backward   plane_gradient_sums()  of the own planes; those of all processes are brought together
//                normalize_backward_with_sums()  of the own planes, with the sums over all
//
// Numbers whose squares no float64 holds (1e160) are not looked at twice here, as they are there.
#pragma once

#include "gesso/core/normalization/moments.h"
#include "gesso/core/normalization/normalization.h"

namespace gesso {

/// The moments of each plane, axes.planes() of them.
template <class T>
void plane_moments(const NormalizationAxes& axes, const T* x, Moments* of_planes);

/// mean, variance and inv_std of each channel, over the planes of all samples; axes.share_samples.
void merge_plane_moments(const NormalizationAxes& axes, const Moments* of_planes, double eps,
                         StatisticsOut out);

/// The sums over each plane, axes.planes() of them.
template <class T>
void plane_gradient_sums(const NormalizationAxes& axes, const NormalizeBackwardIn<T>& in,
                         GradientSums* of_planes);

/// normalize_backward() of own planes, with the sums over the planes of `all`. dgamma and dbeta are those of all.
template <class T>
void normalize_backward_with_sums(const NormalizationAxes& axes, const NormalizeBackwardIn<T>& in,
                                  const NormalizationAxes& all, const GradientSums* of_all_planes,
                                  const NormalizeBackwardOut<T>& out);

}  // namespace gesso
