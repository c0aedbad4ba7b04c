#include "almanac/base/error.h"

#include <utility>

namespace almanac {

Error::Error(ErrorCode code, std::string where, std::string what, std::string remedy)
    : code_(code), where_(std::move(where)), problem_(std::move(what)), remedy_(std::move(remedy)) {
  if (!where_.empty()) message_ = where_ + ": ";
  message_ += problem_;
  if (!remedy_.empty()) message_ += "; " + remedy_;
}

Error Error::Within(std::string_view outer) const {
  std::string place(outer);
  if (!where_.empty()) place += ": " + where_;
  return Error(code_, std::move(place), problem_, remedy_);
}

}  // namespace almanac
