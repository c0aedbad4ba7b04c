// Kernels wired together: the fields of bars at one end, columns at the other. What several columns
// need (a one-bar log return) is one node, computed once. Inside this room.
#ifndef ALMANAC_FEATURE_GRAPH_H_
#define ALMANAC_FEATURE_GRAPH_H_

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "almanac/feature/kernel.h"

namespace almanac {

// Prices and volume of a bar; its times in milliseconds since 1970 (exact in double); the vwap that
// the source gave, NaN where it gave none.
enum class BarField { kOpen, kHigh, kLow, kClose, kVolume, kOpenTime, kKnownAt, kVwap };
inline constexpr size_t kBarFields = 8;

class KernelGraph {
 public:
  using Node = size_t;
  // Rows that are worked on at a time: the buffers of some dozens of nodes fit a core's cache.
  static constexpr size_t kBlockRows = 512;

  KernelGraph();

  Node Field(BarField field) const { return static_cast<Node>(field); }
  // The node called `key`, added with the kernel that `make` gives unless it is there. A key names
  // one computation with all its parameters. A kernel with several outputs takes as many nodes in
  // a row; its first is returned.
  Node Add(const std::string& key, const std::vector<Node>& inputs,
           const std::function<std::unique_ptr<Kernel>()>& make);
  void AddColumn(Node node) { columns_.push_back(node); }

  size_t columns() const { return columns_.size(); }
  // Goes on by `rows` bars: fields[f][row] in, columns[c][row] out (`columns` empty: dropped). A
  // field that no column uses may be null. A value that float32 cannot hold becomes NaN.
  void Run(size_t rows, const std::array<const double*, kBarFields>& fields,
           std::span<float* const> columns);

  // The values of a column in the last block that Run worked on, before they became float32.
  const double* LastBlock(size_t column) const { return nodes_[columns_[column]]; }

  void SaveState(StateWriter& writer) const;
  void LoadState(StateReader& reader);

 private:
  struct Step {
    std::unique_ptr<Kernel> kernel;
    std::vector<Node> inputs;
    Node first_output = 0;
  };
  void RunBlock(size_t rows, const std::array<const double*, kBarFields>& fields);

  std::map<std::string, Node> by_key_;
  std::vector<Step> steps_;  // inputs come before their users
  // Of the nodes that are not fields.
  std::vector<std::unique_ptr<double[]>> buffers_;
  std::vector<Node> columns_;
  std::vector<const double*> inputs_;  // scratch of RunBlock
  std::vector<double*> outputs_;
  std::vector<const double*> nodes_;
};

}  // namespace almanac

#endif  // ALMANAC_FEATURE_GRAPH_H_
