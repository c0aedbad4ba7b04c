#include "almanac/feature/stream.h"

#include <fmt/format.h>

#include <algorithm>

#include "almanac/base/error.h"
#include "almanac/feature/feature_graph.h"

namespace almanac {

FeatureStream::FeatureStream(const FeatureSet& set, const Frame& frame)
    : set_(set.BoundTo(frame.key().symbols())), frame_(&frame), groups_(GroupsOf(set_)) {
  for (size_t t = 0; t < frame.times().size(); ++t) {
    if (frame.HasRow(t)) index_.push_back(frame.times()[t]);
  }
}

std::vector<MatrixColumn> FeatureStream::Names() const {
  std::vector<MatrixColumn> names;
  for (const FeatureInfo& info : set_.Columns()) names.push_back({info.name, info.unit});
  return names;
}

FeatureGraph FeatureStream::GraphOf(size_t g) const {
  if (g >= groups_.size()) {
    throw Error(ErrorCode::kUsage, "FeatureStream::Compute",
                fmt::format("group {} of {}", g, groups_.size()));
  }
  const ColumnGroup group = groups_[g];
  return {std::span(set_.specs()).subspan(group.first, group.count), frame_->key()};
}

void FeatureStream::Compute(size_t g, const Sink& sink) const {
  FeatureGraph graph = GraphOf(g);
  RunBlocks(*frame_, 0, frame_->times().size(), graph, group(g).count, sink);
}

void FeatureStream::Compute(size_t g, std::span<float* const> out) const {
  FeatureGraph graph = GraphOf(g);
  RunBlocks(*frame_, 0, frame_->times().size(), graph, out);
}

}  // namespace almanac
