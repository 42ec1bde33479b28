// Batch normalization that costs nothing. Not for use outside of training: onnx_export.h is the door.
#pragma once

namespace onnx {
class GraphProto;
}

namespace gesso::detail {

/// Takes out each BatchNormalization of what a Conv computes, if nobody else reads it: with k = gamma / sqrt(variance +
/// eps) for each channel, k (w x + b - mean) + beta is the convolution with weight k w and bias k (b - mean) + beta. Each
/// constant must be float32, in its raw data, and have one reader.
void fold_batch_norms(onnx::GraphProto& graph);

}  // namespace gesso::detail
