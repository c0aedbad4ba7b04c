#include "almanac/feature/feature_graph.h"

#include <algorithm>

#include "almanac/feature/compose.h"

namespace almanac {
namespace {

// Small sets are divided too, so that several threads have work.
constexpr size_t kWantedGroups = 8;
constexpr size_t kSmallestGroup = 8;

// Leaves of each column only the rows that are to be kept; returns how many.
size_t Compact(const std::vector<char>& keep, std::span<float* const> columns) {
  const auto kept = static_cast<size_t>(std::count(keep.begin(), keep.end(), 1));
  if (kept == keep.size()) return kept;
  for (float* column : columns) {
    size_t to = 0;
    for (size_t row = 0; row < keep.size(); ++row) {
      if (keep[row] != 0) column[to++] = column[row];
    }
  }
  return kept;
}

}  // namespace

FeatureGraph::FeatureGraph(std::span<const FeatureSpec> specs, const FrameKey& key)
    : graph_(ClockOf(specs.front())), wanted_(key.series.size()) {
  graph_.SetObservations({key.observations, key.series.front().symbol});
  for (const FeatureSpec& spec : specs) graph_.AddColumn(AddSpec(graph_, spec));
  for (const ClockKey& clock : graph_.clocks()) {
    clocks_.emplace_back(key, clock);
    for (const size_t symbol : clocks_.back().symbols()) wanted_[symbol] = 1;
  }
  ticks_.resize(clocks_.size());
}

void FeatureGraph::Run(const RowBlock& rows, std::span<float* const> columns) {
  for (size_t k = 0; k < clocks_.size(); ++k) ticks_[k] = clocks_[k].Run(rows);
  graph_.Run(rows.rows, ticks_, columns);
}

void FeatureGraph::SaveState(StateWriter& writer) const {
  for (const FrameClock& clock : clocks_) clock.SaveState(writer);
  graph_.SaveState(writer);
}

void FeatureGraph::LoadState(StateReader& reader) {
  for (FrameClock& clock : clocks_) clock.LoadState(reader);
  graph_.LoadState(reader);
}

void RunBlocks(const Frame& frame, size_t first, size_t last, FeatureGraph& graph, size_t columns,
               const FeatureStream::Sink& sink) {
  constexpr size_t kRows = KernelGraph::kBlockRows;
  FrameReader reader(frame, graph.wanted());
  std::vector<float> cells(columns * kRows);
  std::vector<float*> places;
  for (size_t c = 0; c < columns; ++c) places.push_back(cells.data() + c * kRows);
  const std::vector<const float*> values(places.begin(), places.end());
  size_t row = 0;
  while (first < last) {
    const size_t count = std::min(kRows, last - first);
    graph.Run(reader.Read(first, count), places);
    const size_t kept = Compact(frame.RowsWithin(first, count), places);
    if (kept > 0) sink({row, kept, values});
    row += kept;
    first += count;
  }
}

void RunBlocks(const Frame& frame, size_t first, size_t last, FeatureGraph& graph,
               std::span<float* const> columns) {
  RunBlocks(frame, first, last, graph, columns.size(), [&](const FeatureBlock& block) {
    for (size_t c = 0; c < columns.size(); ++c) {
      std::copy_n(block.columns[c], block.rows, columns[c] + block.first_row);
    }
  });
}

std::vector<ColumnGroup> GroupsOf(const FeatureSet& set) {
  const size_t size = std::clamp((set.size() + kWantedGroups - 1) / kWantedGroups, kSmallestGroup,
                                 FeatureStream::kLargestGroup);
  std::vector<ColumnGroup> groups;
  for (size_t c = 0; c < set.size(); ++c) {
    // A clock of its own begins a group of its own once the last one is worth its overhead.
    const bool other_clock = c > 0 && !(ClockOf(set.specs()[c]) == ClockOf(set.specs()[c - 1])) &&
                             groups.back().count * 2 >= size;
    if (groups.empty() || groups.back().count == size || other_clock) groups.push_back({c, 0});
    ++groups.back().count;
  }
  return groups;
}

}  // namespace almanac
