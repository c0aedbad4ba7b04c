// Every parameter of LightGBM, in the order of its model files: where its value is kept here, and
// what values are allowed.
#ifndef ALMANAC_GBDT_PARAMETER_TABLE_H_
#define ALMANAC_GBDT_PARAMETER_TABLE_H_

#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "almanac/gbdt/params.h"
#include "almanac/gbdt/setting.h"

namespace almanac::gbdt {

// The default value of a parameter that is not implemented: no other is accepted.
struct NotImplemented {
  std::string_view only_value;
};

using Field = std::variant<NotImplemented, bool Params::*, int Params::*, double Params::*,
                           std::string Params::*, std::vector<int> Params::*,
                           std::vector<int8_t> Params::*, std::vector<std::string> Params::*>;

struct Parameter {
  std::string_view name;
  Field field;
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;  // low itself is not allowed
  bool is_listed = true;  // in model files

  NumberRange range() const { return {low, high, low_open}; }
};

std::span<const Parameter> ParameterTable();

struct Alias {
  std::string_view alias, name;
};
std::span<const Alias> AliasTable();

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_PARAMETER_TABLE_H_
