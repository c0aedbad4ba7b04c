// The value of one setting as it was given, and how to complain about it. Inside this room.
#ifndef ALMANAC_GBDT_SETTING_H_
#define ALMANAC_GBDT_SETTING_H_

#include <limits>
#include <string>
#include <string_view>

namespace almanac::gbdt {

struct NumberRange {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;  // low itself is not allowed
};

// All throw Error(kUsage, place).
struct Setting {
  std::string place;
  std::string_view name, text;

  [[noreturn]] void Fail(const std::string& what, const std::string& remedy) const;
  double Number(const NumberRange& range) const;
  int Whole(const NumberRange& range) const;
  bool Switch() const;  // LightGBM's words: true, 1, +; false, 0, -
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_SETTING_H_
