// The page that shows how a loss network trains.
#pragma once

#include <vector>

#include "gesso/training/report/log.h"
#include "gesso/training/report/report.h"
#include "training.h"

namespace gesso {

/// Loss and accuracy over the steps, the first layer's filters, some crops, settings and machine.
Report loss_network_report(LossNetworkTraining& training, const std::vector<LogEntry>& log);

}  // namespace gesso
