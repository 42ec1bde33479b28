// The page that shows how a loss network trains.
#pragma once

#include <vector>

#include "gesso/training/report/log.h"
#include "gesso/training/report/report.h"
#include "training.h"

namespace gesso {

/// How much each layer still has to learn, what teacher and student see in a picture side by side, where they
/// disagree, the filters of the first layer, settings and machine.
Report loss_network_report(LossNetworkTraining& training, const std::vector<LogEntry>& log);

}  // namespace gesso
