// All of gesso: #include <gesso/gesso.h>.
#pragma once

#include "gesso/autograd/convolution.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/gradcheck.h"
#include "gesso/autograd/matmul.h"
#include "gesso/autograd/node.h"
#include "gesso/autograd/padding.h"
#include "gesso/autograd/pooling.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/autograd/upsampling.h"
#include "gesso/core/build_info.h"
#include "gesso/core/memory_pool.h"
#include "gesso/core/parallel.h"
#include "gesso/core/tensor.h"
#include "gesso/layers/module.h"
#include "gesso/layers/sequential.h"
