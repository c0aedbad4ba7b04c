#include "almanac/feature/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "almanac/base/error.h"
#include "almanac/feature/window.h"

namespace almanac {
namespace {

constexpr size_t kFieldsOfClock = 2 * kBarFields;
// Keeps the first values of neighbouring buffers out of the same set of a cache.
constexpr size_t kCacheLine = 64 / sizeof(double);

float ToCell(double value) {
  const auto cell = static_cast<float>(value);
  return std::isfinite(cell) ? cell : std::numeric_limits<float>::quiet_NaN();
}

const std::vector<int32_t>& CountingUp() {
  static const std::vector<int32_t> kNumbers = [] {
    std::vector<int32_t> numbers(KernelGraph::kBlockRows);
    std::iota(numbers.begin(), numbers.end(), 0);
    return numbers;
  }();
  return kNumbers;
}

}  // namespace

void KernelGraph::Enter(const ClockKey& clock) {
  const auto found = std::find(clocks_.begin(), clocks_.end(), clock);
  entered_ = static_cast<size_t>(found - clocks_.begin());
  if (found != clocks_.end()) return;
  clocks_.push_back(clock);
  first_field_.push_back(NewNodes(kFieldsOfClock));
}

KernelGraph::Node KernelGraph::NewNodes(size_t count) {
  const Node first = clock_of_node_.size();
  clock_of_node_.insert(clock_of_node_.end(), count, entered_);
  capacity_ = 0;
  return first;
}

KernelGraph::Node KernelGraph::Field(BarField field) const {
  return first_field_[entered_] + static_cast<size_t>(field);
}

KernelGraph::Node KernelGraph::OtherField(BarField field) const {
  if (entered().against.empty()) {
    throw Error(ErrorCode::kUsage, "feature graph", "these are the bars of one symbol",
                "enter the clock of two");
  }
  return first_field_[entered_] + kBarFields + static_cast<size_t>(field);
}

KernelGraph::Node KernelGraph::Add(const std::string& key, const std::vector<Node>& inputs,
                                   const std::function<std::unique_ptr<Kernel>()>& make) {
  const auto [place, is_new] =
      by_key_.try_emplace(fmt::format("{} {}", entered_, key), clock_of_node_.size());
  if (!is_new) return place->second;
  for (const Node input : inputs) {
    if (clock_of_node_[input] == entered_) continue;
    throw Error(ErrorCode::kUsage, "feature graph", key + " has an input of another clock",
                "hold it first");
  }
  Step step;
  step.kernel = make();
  step.clock = entered_;
  step.inputs = inputs;
  step.first_output = NewNodes(step.kernel->outputs());
  steps_.push_back(std::move(step));
  return place->second;
}

KernelGraph::Node KernelGraph::Hold(Node node) {
  if (clock_of_node_[node] == entered_) return node;
  const auto [place, is_new] =
      by_key_.try_emplace(fmt::format("{} hold {}", entered_, node), clock_of_node_.size());
  if (!is_new) return place->second;
  Step step;
  step.clock = entered_;
  step.inputs = {node};
  step.first_output = NewNodes(1);
  step.held = held_.size();
  held_.push_back(kUnknown);
  steps_.push_back(std::move(step));
  return place->second;
}

void KernelGraph::AddColumn(Node node) {
  columns_.push_back({node, clock_of_node_[node]});
  carried_.push_back(std::numeric_limits<float>::quiet_NaN());
  capacity_ = 0;
}

void KernelGraph::Prepare(size_t rows) {
  const size_t capacity = rows == 1 ? 1 : kBlockRows;
  if (capacity == capacity_) return;
  capacity_ = capacity;
  // A bar that was complete before the block may be released in it: one tick more than rows.
  stride_ = capacity + 1 + (capacity > 1 ? kCacheLine : 0);
  buffer_.assign(clock_of_node_.size() * stride_, kUnknown);
  cells_.resize(capacity + 3);
  field_is_used_.assign(clock_of_node_.size(), 0);
  places_.clear();
  for (Step& step : steps_) {
    step.first_place = places_.size();
    for (const Node input : step.inputs) {
      field_is_used_[input] = 1;
      places_.push_back(buffer_.data() + input * stride_);
    }
    const size_t outputs = step.kernel ? step.kernel->outputs() : 1;
    for (size_t o = 0; o < outputs; ++o) {
      places_.push_back(buffer_.data() + (step.first_output + o) * stride_);
    }
  }
  for (const Column& column : columns_) field_is_used_[column.node] = 1;
}

void KernelGraph::CopyFields(std::span<const ClockBlock> clocks) {
  for (size_t k = 0; k < clocks.size(); ++k) {
    for (size_t f = 0; f < kFieldsOfClock; ++f) {
      const Node node = first_field_[k] + f;
      if (field_is_used_[node] == 0) continue;
      std::copy_n(clocks[k].fields[f], clocks[k].ticks, buffer_.data() + node * stride_);
    }
  }
}

void KernelGraph::RunHold(const Step& step, std::span<const ClockBlock> clocks) {
  const ClockBlock& from = clocks[clock_of_node_[step.inputs.front()]];
  const ClockBlock& to = clocks[step.clock];
  const double* in = places_[step.first_place];
  double* out = places_[step.first_place + 1];
  for (size_t i = 0; i < to.ticks; ++i) {
    const int32_t tick = from.tick_of_row[to.row_of_tick[i]];
    out[i] = tick >= 0 ? in[tick] : tick == ClockBlock::kCarried ? held_[step.held] : kUnknown;
  }
  if (from.ticks > 0) held_[step.held] = in[from.ticks - 1];
}

void KernelGraph::WriteColumn(size_t c, size_t rows, const ClockBlock& clock, float* out) {
  const double* values = Buffer(columns_[c].node);
  // The places of kNothing and kCarried, then of the ticks.
  cells_[0] = std::numeric_limits<float>::quiet_NaN();
  cells_[1] = carried_[c];
  std::transform(values, values + clock.ticks, cells_.data() + 2, ToCell);
  carried_[c] = cells_[clock.ticks + 1];
  if (out == nullptr) return;
  for (size_t row = 0; row < rows; ++row) {
    out[row] = cells_[static_cast<size_t>(clock.tick_of_row[row] - ClockBlock::kNothing)];
  }
}

void KernelGraph::Run(size_t rows, std::span<const ClockBlock> clocks,
                      std::span<float* const> columns) {
  Prepare(rows);
  CopyFields(clocks);
  for (const Step& step : steps_) {
    if (!step.kernel) {
      RunHold(step, clocks);
      continue;
    }
    const size_t ticks = clocks[step.clock].ticks;
    if (ticks == 0) continue;
    double* const* places = places_.data() + step.first_place;
    step.kernel->Run({ticks, places, places + step.inputs.size()});
  }
  for (size_t c = 0; c < columns_.size(); ++c) {
    const ClockBlock& clock = clocks[columns_[c].clock];
    if (clock.ticks == 0 && columns.empty()) continue;
    WriteColumn(c, rows, clock, columns.empty() ? nullptr : columns[c]);
  }
}

void KernelGraph::Run(size_t rows, const std::array<const double*, kBarFields>& fields,
                      std::span<float* const> columns) {
  std::vector<float*> places(columns.size());
  for (size_t first = 0; first < rows; first += kBlockRows) {
    const size_t count = std::min(kBlockRows, rows - first);
    std::array<const double*, kFieldsOfClock> block{};
    for (size_t f = 0; f < kBarFields; ++f) {
      block[f] = fields[f] == nullptr ? nullptr : fields[f] + first;
    }
    const ClockBlock clock{count, block.data(), CountingUp().data(), CountingUp().data()};
    for (size_t c = 0; c < columns.size(); ++c) places[c] = columns[c] + first;
    Run(count, std::span(&clock, 1), places);
  }
}

void KernelGraph::SaveState(StateWriter& writer) const {
  for (const Step& step : steps_) {
    if (step.kernel) step.kernel->SaveState(writer);
  }
  writer.Bytes(held_.data(), held_.size() * sizeof(double));
  writer.Bytes(carried_.data(), carried_.size() * sizeof(float));
}

void KernelGraph::LoadState(StateReader& reader) {
  for (Step& step : steps_) {
    if (step.kernel) step.kernel->LoadState(reader);
  }
  reader.Bytes(held_.data(), held_.size() * sizeof(double));
  reader.Bytes(carried_.data(), carried_.size() * sizeof(float));
}

}  // namespace almanac
