// Panels: the rows of many symbols with unequal histories, in order of time, then symbol; and which
// inputs a model knows when.
//
// A panel holds one dataset a symbol (the same features and target in each) and copies none of
// their values. Rows of one time are neighbours: they form a group, over which ranks are taken and
// books are made. Splits see the rows' times and label intervals, so that no label of one symbol
// reaches into a later part of another.
//
// Roles, as a Temporal Fusion Transformer tells them apart:
//   observed      known at the row's time and not before: windows look back
//   known_future  a function of the time alone (calendars), so that rows ahead are known as well
//   static        one value a symbol (a sector's number)
// docs/datasets.md has the checks.
#ifndef ALMANAC_DATASET_PANEL_H_
#define ALMANAC_DATASET_PANEL_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/config.h"
#include "almanac/base/time.h"
#include "almanac/dataset/dataset.h"

namespace almanac {

enum class ColumnRole { kObserved, kKnownFuture, kStatic };
std::string_view Name(ColumnRole role);  // "observed", "known_future", "static"

// {static: [sector], known_future: [hour_sin, hour_cos]}: all others are observed. Throws
// Error(kUsage) for a column that is not among `names` (the nearest suggested) or has two roles.
std::vector<ColumnRole> ReadRoles(const ConfigNode& node, const std::vector<std::string>& names);

class Panel {
 public:
  struct Place {
    uint32_t symbol = 0;
    uint32_t row = 0;  // of the symbol's dataset
  };
  struct Group {  // rows of one time
    size_t first = 0;
    size_t count = 0;
  };

  // Symbols are put in order of their names. `roles`: one a feature; empty: all observed. Throws
  // Error(kUsage) for no parts, a symbol that is there twice, other features or another target than
  // the first part's; Error(kBadData) that names column, symbol and time for a static column that
  // changes or is not finite, and a known-future column that differs between symbols at one time or
  // is not finite.
  explicit Panel(std::vector<Dataset> parts, std::vector<ColumnRole> roles = {});

  size_t symbols() const { return parts_.size(); }
  const Dataset& part(size_t symbol) const { return parts_[symbol]; }
  size_t features() const { return parts_.front().features(); }
  const std::vector<ColumnRole>& roles() const { return roles_; }
  // The numbers of the features that have the role, in order.
  std::vector<size_t> FeaturesOf(ColumnRole role) const;

  size_t rows() const { return places_.size(); }
  Place place(size_t row) const { return places_[row]; }
  std::span<const TimeMs> times() const { return times_; }  // not decreasing
  std::span<const TimeMs> label_end() const { return label_end_; }
  double target(size_t row) const { return parts_[places_[row].symbol].target()[places_[row].row]; }
  const std::vector<Group>& groups() const { return groups_; }  // in order of time

  DataSplit SplitRows(const SplitSpec& spec) const {
    return DataSplit::Chronological(times_, label_end_, spec);
  }

 private:
  void CheckAlike() const;
  void LayOut();
  void CheckStatic(size_t feature) const;
  void CheckKnownFuture(size_t feature) const;

  std::vector<Dataset> parts_;
  std::vector<ColumnRole> roles_;
  std::vector<Place> places_;
  std::vector<TimeMs> times_, label_end_;
  std::vector<Group> groups_;
};

// The T rows of one symbol that end at a panel row, and the H rows of it that follow, as views.
//
// A window can be used if its T x F features are finite, no row of its symbol is missing inside it,
// and (with a horizon) the H rows ahead are there; a row is missing where another symbol of the
// panel has a row between two of its own. Other rows are dropped and counted.
class PanelWindows {
 public:
  struct Options {
    size_t steps = 1;    // T
    size_t horizon = 0;  // H
    bool with_target = true;
    bool across_gaps = false;  // missing rows do not matter
  };

  // The windows that end at `rows` of the panel, in their order. The panel must outlive this.
  // Throws Error(kUsage) for 0 steps, Error(kBadData) for a row outside the panel.
  PanelWindows(const Panel& panel, std::span<const uint32_t> rows, const Options& options);

  size_t size() const { return rows_.size(); }
  size_t dropped() const { return dropped_; }
  std::span<const uint32_t> rows() const { return rows_; }  // of the panel

  // The T values of a feature, oldest first.
  std::span<const float> Past(size_t window, size_t feature) const;
  // The H values of a feature in the rows ahead. Throws Error(kUsage) unless its role is
  // known_future: nothing else is known there.
  std::span<const float> Future(size_t window, size_t feature) const;
  float Static(size_t window, size_t feature) const;

  // Copies windows into a batch: out[(b * T + t) * F + f], the F features those of `features`.
  void GatherPast(std::span<const size_t> which, std::span<const size_t> features,
                  std::span<float> out) const;
  // out[(b * H + h) * F + f], of known-future features.
  void GatherFuture(std::span<const size_t> which, std::span<const size_t> features,
                    std::span<float> out) const;

 private:
  const Panel* panel_;
  Options options_;
  std::vector<uint32_t> rows_;
  size_t dropped_ = 0;
};

}  // namespace almanac

#endif  // ALMANAC_DATASET_PANEL_H_
