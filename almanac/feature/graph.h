// Kernels wired together: the fields of bars at one end, columns at the other. What several columns
// need (a one-bar log return) is one node, computed once. Inside this room.
//
// Every node belongs to a clock: the bars of one symbol at one timeframe, or those that two symbols
// have in common. A kernel takes a step at each tick of its clock, which is one such bar; clock.h
// makes the ticks from the rows of a frame. Nodes are added to the clock that was entered last; a
// graph begins in the clock of the frame's own bars.
#ifndef ALMANAC_FEATURE_GRAPH_H_
#define ALMANAC_FEATURE_GRAPH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "almanac/feature/kernel.h"
#include "almanac/market/timeframe.h"

namespace almanac {

// Prices and volume of a bar; its times in milliseconds since 1970 (exact in double); the vwap that
// the source gave, NaN where it gave none.
enum class BarField { kOpen, kHigh, kLow, kClose, kVolume, kOpenTime, kKnownAt, kVwap };
inline constexpr size_t kBarFields = 8;

struct ClockKey {
  std::string symbol;                  // empty: the symbol of a frame of one
  std::string against;                 // empty: the bars of `symbol` alone
  std::optional<Timeframe> timeframe;  // nothing: the frame's own
  friend bool operator==(const ClockKey&, const ClockKey&) = default;
};

// The ticks of a clock in a block of rows.
struct ClockBlock {
  // What a row carries where no tick of this block does.
  static constexpr int32_t kNothing = -2;  // NaN
  static constexpr int32_t kCarried = -1;  // the values of the last tick before this block

  size_t ticks = 0;
  // Arrays of `ticks` values: BarField f of the clock's own symbol at f, of the other at
  // kBarFields + f. Those that no node uses may be null.
  const double* const* fields = nullptr;
  const int32_t* row_of_tick = nullptr;  // ascending; two ticks may fall into one row
  const int32_t* tick_of_row = nullptr;  // the tick whose values the row carries, or one of above
};

class ObservationFeeds;

// Where kernels of observations find them.
struct GraphObservations {
  std::shared_ptr<const ObservationFeeds> feeds;  // null: there are none
  std::string symbol;                             // that an empty ClockKey::symbol stands for
};

class KernelGraph {
 public:
  using Node = size_t;
  // Rows that are worked on at a time: the buffers of some dozens of nodes fit a core's cache.
  static constexpr size_t kBlockRows = 512;

  // Begins in the given clock.
  explicit KernelGraph(const ClockKey& first = {}) { Enter(first); }

  // From now on nodes are added to this clock.
  void Enter(const ClockKey& clock);
  const ClockKey& entered() const { return clocks_[entered_]; }
  const std::vector<ClockKey>& clocks() const { return clocks_; }

  // For kernels that are added from now on.
  void SetObservations(GraphObservations observations) { observations_ = std::move(observations); }
  const GraphObservations& observations() const { return observations_; }

  // A field of the entered clock's symbol, and of the other symbol.
  Node Field(BarField field) const;
  Node OtherField(BarField field) const;
  // The node called `key`, added with the kernel that `make` gives unless it is there. A key names
  // one computation with all its parameters. A kernel with several outputs takes as many nodes in
  // a row; its first is returned. Inputs are of the entered clock.
  Node Add(const std::string& key, const std::vector<Node>& inputs,
           const std::function<std::unique_ptr<Kernel>()>& make);
  // What the row of each tick of the entered clock carries of a node of any clock: the node itself
  // if it is of the entered one.
  Node Hold(Node node);
  void AddColumn(Node node);

  size_t columns() const { return columns_.size(); }

  // Goes on by a block of at most kBlockRows rows with a block for each of clocks(), in order:
  // columns[c][row] out (`columns` empty: dropped). A value that float32 cannot hold becomes NaN.
  void Run(size_t rows, std::span<const ClockBlock> clocks, std::span<float* const> columns);
  // The same for a graph of one clock that ticks at every row, any number of rows.
  void Run(size_t rows, const std::array<const double*, kBarFields>& fields,
           std::span<float* const> columns);

  // The values of a column at the ticks of the last block that Run worked on, before they became
  // float32.
  const double* LastBlock(size_t column) const { return Buffer(columns_[column].node); }

  void SaveState(StateWriter& writer) const;
  void LoadState(StateReader& reader);

 private:
  struct Step {
    std::unique_ptr<Kernel> kernel;  // null: holds its input
    size_t clock = 0;
    std::vector<Node> inputs;
    Node first_output = 0;
    size_t first_place = 0;  // in places_: inputs, then outputs
    size_t held = 0;         // in held_
  };
  struct Column {
    Node node = 0;
    size_t clock = 0;
  };

  Node NewNodes(size_t count);
  void Prepare(size_t rows);
  const double* Buffer(Node node) const { return buffer_.data() + node * stride_; }
  void CopyFields(std::span<const ClockBlock> clocks);
  void RunHold(const Step& step, std::span<const ClockBlock> clocks);
  void WriteColumn(size_t c, size_t rows, const ClockBlock& clock, float* out);

  GraphObservations observations_;
  std::vector<ClockKey> clocks_;
  std::vector<Node> first_field_;  // of each clock: both symbols' fields, in order
  size_t entered_ = 0;
  std::map<std::string, Node> by_key_;
  std::vector<size_t> clock_of_node_;
  std::vector<Step> steps_;  // inputs come before their users
  std::vector<Column> columns_;

  // State beside the kernels': the value at the last tick, of held nodes and of columns.
  std::vector<double> held_;
  std::vector<float> carried_;

  // Scratch, made for blocks of `capacity_` rows.
  size_t capacity_ = 0;
  size_t stride_ = 0;
  std::vector<double> buffer_;  // stride_ values a node
  std::vector<double*> places_;
  std::vector<char> field_is_used_;  // by node
  std::vector<float> cells_;
};

}  // namespace almanac

#endif  // ALMANAC_FEATURE_GRAPH_H_
