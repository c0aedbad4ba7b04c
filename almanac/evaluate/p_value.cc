#include "almanac/evaluate/p_value.h"

#include <fmt/format.h>

#include <cmath>

namespace almanac {

std::string FormatPValue(double p) {
  if (std::isnan(p)) return "p not defined";
  if (p < 0.001) return "p < 0.001";
  if (p > 0.99) return "p > 0.99";
  if (p < 0.01) return fmt::format("p = {:.3f}", p);
  // Two digits would hide on which side of 5 % it lies.
  if (p >= 0.045 && p < 0.055) return fmt::format("p = {:.4f}", p);
  return fmt::format("p = {:.2f}", p);
}

}  // namespace almanac
