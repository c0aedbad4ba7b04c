// The graph of some columns of a bound set with the clocks that drive it. Inside this room.
#ifndef ALMANAC_FEATURE_FEATURE_GRAPH_H_
#define ALMANAC_FEATURE_FEATURE_GRAPH_H_

#include <span>
#include <vector>

#include "almanac/feature/clock.h"
#include "almanac/feature/feature_set.h"
#include "almanac/feature/graph.h"
#include "almanac/feature/stream.h"

namespace almanac {

class FeatureGraph {
 public:
  // Throws Error(kUsage) for a timeframe that the frame's bars cannot make.
  FeatureGraph(std::span<const FeatureSpec> specs, const FrameKey& key);

  // By symbol of the frame: whether its bars are used.
  const std::vector<char>& wanted() const { return wanted_; }
  // Goes on by a block of rows: columns[c][row] out (`columns` empty: dropped).
  void Run(const RowBlock& rows, std::span<float* const> columns);

  void SaveState(StateWriter& writer) const;
  void LoadState(StateReader& reader);

 private:
  KernelGraph graph_;
  std::vector<FrameClock> clocks_;
  std::vector<ClockBlock> ticks_;  // scratch of Run
  std::vector<char> wanted_;
};

// Goes on by the times [first, last) of a frame: `columns[c]` receives one value for each of them
// that has a row (`columns` empty: dropped).
void RunBlocks(const Frame& frame, size_t first, size_t last, FeatureGraph& graph,
               std::span<float* const> columns);

// The same, handing over block by block; rows are counted from the first.
void RunBlocks(const Frame& frame, size_t first, size_t last, FeatureGraph& graph, size_t columns,
               const FeatureStream::Sink& sink);

// How the columns of a bound set are divided: neighbours together, into groups that do not depend
// on the machine.
std::vector<ColumnGroup> GroupsOf(const FeatureSet& set);

}  // namespace almanac

#endif  // ALMANAC_FEATURE_FEATURE_GRAPH_H_
