// The settings of a training, written down once: a list of names, fields and ranges. The checks, the metadata
// of checkpoints and model files, what reports show, and the command line that repeats the training all
// follow from it.
//
//     struct DenoisingSettings {
//       std::string pictures;
//       Index steps = 1000;
//       double learning_rate = 1e-3;
//     };
//
//     SettingList list(DenoisingSettings& s) {
//       return {{"pictures", &s.pictures},
//               {"steps", &s.steps, 1, 1e6},
//               {"learning_rate", &s.learning_rate, 1e-6, 1, "lr"}};
//     }
//
//     DenoisingSettings settings;
//     list(settings).check();                  // ArgumentError: "steps is 0; it must be from 1 to 1000000"
//     list(settings).to_metadata();            // {"learning_rate", "0.001"}, {"pictures", "photos"}, ...
//     list(settings).from_metadata(metadata);  // the opposite
//     list(settings).options();                // " --pictures photos --steps 1000 --lr 0.001"
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "gesso/core/index.h"

namespace gesso {

/// One setting.
struct Setting {
  /// The field it is kept in.
  using Field =
      std::variant<std::string*, std::vector<std::string>*, bool*, int*, Index*, std::uint64_t*, double*>;

  std::string name;  ///< in files: never change it
  Field field;
  double low = -std::numeric_limits<double>::infinity();  ///< of a number: the smallest that is allowed ...
  double high = std::numeric_limits<double>::infinity();  ///< ... and the largest
  /// Its name on the command line (without "--") and in errors. Empty: `name`, with "-" for "_".
  std::string option = {};
};

/// The settings of a struct, which must outlive the list.
class SettingList {
 public:
  SettingList(std::initializer_list<Setting> settings) : settings_(settings) {}

  /// These settings, then those of `more`: for what several structs share.
  SettingList operator+(const SettingList& more) const;

  /// Throws ArgumentError, naming the setting, its value and the range, for the first number that is out of
  /// range or not a number.
  void check() const;

  /// Every setting as text that reads back equal: a number in as few digits as that takes, "true" or "false",
  /// a text as it is, a list of texts as a JSON array. File names may hold any bytes: those that are no UTF-8, which
  /// metadata must be, are written with to_utf8() (core/text.h).
  std::map<std::string, std::string> to_metadata() const;
  /// The opposite. Settings that `metadata` does not name keep their values: files of an earlier version do
  /// not have them all. Throws ArgumentError, naming the setting, for one that is unreadable.
  void from_metadata(const std::map<std::string, std::string>& metadata) const;

  /// Every setting as it is given on a command line, in order, each after a space; what a shell would split
  /// or interpret is in quotes.
  std::string options() const;

 private:
  std::vector<Setting> settings_;
};

/// `settings`, once its check() has passed: for member initializers.
template <class Settings>
const Settings& checked(const Settings& settings) {
  settings.check();
  return settings;
}

}  // namespace gesso
