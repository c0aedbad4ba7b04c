#include "almanac/evaluate/json_value.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace almanac {

Json NumberOrNull(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

}  // namespace almanac
