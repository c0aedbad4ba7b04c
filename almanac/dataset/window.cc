#include "almanac/dataset/window.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "almanac/base/error.h"

namespace almanac {
namespace {

// For every row, how many rows up to it form an unbroken run of finite features at the spacing.
std::vector<uint32_t> RunLengths(const Dataset& data, DurationMs spacing) {
  std::vector<char> finite(data.rows(), 1);
  for (size_t c = 0; c < data.features(); ++c) {
    const std::span<const float> column = data.feature(c);
    for (size_t i = 0; i < column.size(); ++i) {
      if (!std::isfinite(column[i])) finite[i] = 0;
    }
  }
  std::vector<uint32_t> run(data.rows(), 0);
  for (size_t i = 0; i < run.size(); ++i) {
    if (finite[i] == 0) continue;
    const bool joined = i > 0 && (spacing == 0 || data.times()[i] - data.times()[i - 1] == spacing);
    run[i] = joined ? run[i - 1] + 1 : 1;
  }
  return run;
}

}  // namespace

SequenceWindows::SequenceWindows(const Dataset& data, std::span<const uint32_t> rows, size_t steps,
                                 DurationMs spacing, bool with_target)
    : data_(&data), steps_(steps) {
  if (steps == 0 || spacing < 0) {
    throw Error(ErrorCode::kUsage, "windows", fmt::format("{} steps, {} ms apart", steps, spacing),
                "there must be at least one step, and the spacing must not be negative");
  }
  const std::vector<uint32_t> run = RunLengths(data, spacing);
  for (const uint32_t row : rows) {
    if (row >= data.rows()) {
      throw Error(ErrorCode::kBadData, data.symbol(),
                  fmt::format("a window ends at row {} of {}", row, data.rows()),
                  "use rows of this dataset");
    }
    const bool usable = run[row] >= steps && (!with_target || std::isfinite(data.target()[row]));
    if (usable) rows_.push_back(row);
  }
  dropped_ = rows.size() - rows_.size();
}

void SequenceWindows::Gather(std::span<const size_t> which, std::span<float> out) const {
  const size_t window_size = steps_ * features();
  const auto beyond =
      std::find_if(which.begin(), which.end(), [&](size_t window) { return window >= size(); });
  if (out.size() != which.size() * window_size || beyond != which.end()) {
    throw Error(ErrorCode::kUsage, "windows",
                fmt::format("a batch of {} windows in {} places", which.size(), out.size()),
                fmt::format("a window below {} takes {} places", size(), window_size));
  }
  for (size_t b = 0; b < which.size(); ++b) {
    for (size_t f = 0; f < features(); ++f) {
      const std::span<const float> values = column(which[b], f);
      float* place = out.data() + b * window_size + f;
      for (size_t t = 0; t < steps_; ++t) place[t * features()] = values[t];
    }
  }
}

}  // namespace almanac
