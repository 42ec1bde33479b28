#include "gesso/core/files/safetensors_header.h"

#include <nlohmann/json.hpp>
#include <unordered_set>

#include "gesso/core/error.h"

namespace gesso::detail {
namespace {

using nlohmann::json;

// What nlohmann's parser calls for each piece. (Its parser that makes a json of the whole, with a callback that
// checks it, walks over all entries at the end of each: a header of 100 thousand took minutes.)
class Reader {
 public:
  Reader(SafetensorsHeader& header, const HeaderComplaint& complain) : header_(header), complain_(complain) {}

  bool key(std::string& name) {
    if (depth_ <= 2 && !seen_[depth_ - 1].insert(name).second) {
      complain_(name, "it is there twice");
    }
    if (depth_ == 1) {
      in_metadata_ = name == kMetadataKey;
      is_object_ = false;
      seen_[1].clear();
      if (!in_metadata_) {
        header_.entries.push_back({name, {}, {}, {}});
      }
    } else if (depth_ == 2) {
      field_ = name;
    }
    return true;
  }

  bool string(std::string& value) {
    if (depth_ == 2 && in_metadata_) {
      header_.metadata[field_] = value;
    } else if (depth_ == 2 && is_object_ && field_ == "dtype") {
      header_.entries.back().dtype = value;
    } else {
      misplaced();
    }
    return true;
  }
  bool number_unsigned(std::uint64_t value) {
    if (list_ != nullptr && depth_ == 3) {
      (*list_)->push_back(value);
    } else {
      misplaced();
    }
    return true;
  }
  bool null() { return misplaced(); }
  bool boolean(bool) { return misplaced(); }
  bool number_integer(std::int64_t) { return misplaced(); }  // negative
  bool number_float(double, const std::string&) { return misplaced(); }
  bool binary(json::binary_t&) { return misplaced(); }

  bool start_object(std::size_t) {
    if (depth_ == 1) {
      is_object_ = true;
    } else {
      misplaced();
    }
    return open();
  }
  bool start_array(std::size_t) {
    const bool is_field = depth_ == 2 && is_object_ && !in_metadata_;
    if (is_field && (field_ == "shape" || field_ == "data_offsets")) {
      SafetensorsHeader::Entry& entry = header_.entries.back();
      list_ = field_ == "shape" ? &entry.shape : &entry.data_offsets;
      list_->emplace();
    } else {
      misplaced();
    }
    return open();
  }
  bool end_object() { return end(); }
  bool end_array() { return end(); }

  bool parse_error(std::size_t byte, const std::string&, const json::exception&) {
    complain_("", concat_text("its header is not valid JSON (byte ", byte, ")"));
    return false;
  }

 private:
  bool open() {
    if (depth_ == 3) {
      complain_("", "its header is nested too deeply");
    }
    ++depth_;
    return true;
  }

  bool end() {
    --depth_;
    if (depth_ == 2) {
      list_ = nullptr;
    }
    return true;
  }

  // A value where none of its kind belongs. In an entry that shows by what is missing then.
  bool misplaced() {
    if (in_metadata_ && depth_ == 1) {
      complain_("", "its metadata is not a JSON object");
    }
    if (in_metadata_ && depth_ == 2) {
      complain_("", concat_text("the metadata '", field_, "' is not text"));
    }
    if (list_ != nullptr) {
      list_->reset();  // a list of something else than counts
      list_ = nullptr;
    }
    return true;
  }

  SafetensorsHeader& header_;
  const HeaderComplaint& complain_;
  std::unordered_set<std::string> seen_[2];       // keys of the header, of the entry
  int depth_ = 0;                                 // of open objects and lists
  bool in_metadata_ = false, is_object_ = false;  // the entry at hand
  std::string field_;
  std::optional<std::vector<std::uint64_t>>* list_ = nullptr;  // that numbers go to
};

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text, const HeaderComplaint& complain) {
  SafetensorsHeader header;
  Reader reader(header, complain);
  json::sax_parse(text, &reader);
  return header;
}

}  // namespace gesso::detail
