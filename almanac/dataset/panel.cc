#include "almanac/dataset/panel.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "almanac/base/error.h"

namespace almanac {
namespace {

[[noreturn]] void ThrowAt(const Dataset& part, size_t feature, size_t row, std::string what,
                          std::string remedy) {
  throw Error(ErrorCode::kBadData,
              fmt::format("{} of {} {}", part.feature_names()[feature], part.symbol(),
                          FormatTime(part.times()[row])),
              std::move(what), std::move(remedy));
}

size_t FeatureNumber(const ConfigNode& node, std::string_view key, const std::string& name,
                     const std::vector<std::string>& names) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<size_t>(found - names.begin());
  const std::optional<std::string> nearest = NearestWord(name, names);
  throw Error(ErrorCode::kUsage, node.Place(key), fmt::format("no column \"{}\"", name),
              nearest ? fmt::format("did you mean \"{}\"?", *nearest)
                      : fmt::format("columns are {}", fmt::join(names, ", ")));
}

void CheckBatch(size_t places, size_t wanted, bool inside) {
  if (places == wanted && inside) return;
  throw Error(
      ErrorCode::kUsage, "panel windows", fmt::format("a batch in {} places", places),
      fmt::format("these windows take {}, each window being one of those there are", wanted));
}

}  // namespace

std::string_view Name(ColumnRole role) {
  switch (role) {
    case ColumnRole::kObserved:
      return "observed";
    case ColumnRole::kKnownFuture:
      return "known_future";
    case ColumnRole::kStatic:
      return "static";
  }
  return "";
}

std::vector<ColumnRole> ReadRoles(const ConfigNode& node, const std::vector<std::string>& names) {
  std::vector<ColumnRole> roles(names.size(), ColumnRole::kObserved);
  for (const ColumnRole role : {ColumnRole::kStatic, ColumnRole::kKnownFuture}) {
    for (const std::string& name : node.Strings(Name(role), {})) {
      ColumnRole& of_column = roles[FeatureNumber(node, Name(role), name, names)];
      if (of_column != ColumnRole::kObserved) {
        throw Error(ErrorCode::kUsage, node.Place(Name(role)), name + " is there twice",
                    "a column has one role");
      }
      of_column = role;
    }
  }
  return roles;
}

Panel::Panel(std::vector<Dataset> parts, std::vector<ColumnRole> roles)
    : parts_(std::move(parts)), roles_(std::move(roles)) {
  std::sort(parts_.begin(), parts_.end(),
            [](const Dataset& a, const Dataset& b) { return a.symbol() < b.symbol(); });
  CheckAlike();
  LayOut();
  for (size_t f = 0; f < features(); ++f) {
    if (roles_[f] == ColumnRole::kStatic) CheckStatic(f);
    if (roles_[f] == ColumnRole::kKnownFuture) CheckKnownFuture(f);
  }
}

void Panel::CheckAlike() const {
  if (parts_.empty()) throw Error(ErrorCode::kUsage, "panel", "no symbols", "give one or more");
  const Dataset& first = parts_.front();
  for (size_t s = 1; s < parts_.size(); ++s) {
    if (parts_[s].symbol() == parts_[s - 1].symbol()) {
      throw Error(ErrorCode::kUsage, "panel", parts_[s].symbol() + " is there twice",
                  "give each symbol once");
    }
    if (parts_[s].feature_names() == first.feature_names() &&
        parts_[s].target_name() == first.target_name() &&
        parts_[s].target_classes() == first.target_classes()) {
      continue;
    }
    throw Error(
        ErrorCode::kUsage, "panel",
        fmt::format("{} and {} have other columns or targets", first.symbol(), parts_[s].symbol()),
        "all symbols of a panel have the same, in the same order");
  }
  if (roles_.empty() || roles_.size() == first.features()) return;
  throw Error(ErrorCode::kUsage, "panel",
              fmt::format("{} roles for {} features", roles_.size(), first.features()),
              "give one for each, or none");
}

void Panel::LayOut() {
  if (roles_.empty()) roles_.assign(features(), ColumnRole::kObserved);
  for (size_t s = 0; s < parts_.size(); ++s) {
    for (size_t row = 0; row < parts_[s].rows(); ++row) {
      places_.push_back({static_cast<uint32_t>(s), static_cast<uint32_t>(row)});
    }
  }
  const auto time_of = [&](const Place& p) { return parts_[p.symbol].times()[p.row]; };
  std::stable_sort(places_.begin(), places_.end(),
                   [&](const Place& a, const Place& b) { return time_of(a) < time_of(b); });
  for (const Place& p : places_) {
    if (times_.empty() || times_.back() != time_of(p)) groups_.push_back({times_.size(), 0});
    ++groups_.back().count;
    times_.push_back(time_of(p));
    label_end_.push_back(parts_[p.symbol].label_end()[p.row]);
  }
}

void Panel::CheckStatic(size_t feature) const {
  for (const Dataset& part : parts_) {
    const std::span<const float> values = part.feature(feature);
    for (size_t row = 0; row < values.size(); ++row) {
      if (std::isfinite(values[row]) && values[row] == values.front()) continue;
      ThrowAt(part, feature, row, fmt::format("is {} and was {}", values[row], values.front()),
              "a static column has one finite value a symbol; make it observed");
    }
  }
}

void Panel::CheckKnownFuture(size_t feature) const {
  for (const Group& group : groups_) {
    const Place first = places_[group.first];
    const float wanted = parts_[first.symbol].feature(feature)[first.row];
    for (size_t i = group.first; i < group.first + group.count; ++i) {
      const Dataset& part = parts_[places_[i].symbol];
      const float value = part.feature(feature)[places_[i].row];
      if (std::isfinite(value) && value == wanted) continue;
      ThrowAt(part, feature, places_[i].row,
              fmt::format("is {}, and {} of {} at that time", value, wanted,
                          parts_[first.symbol].symbol()),
              "a known-future column is finite and a function of the time alone");
    }
  }
}

std::vector<size_t> Panel::FeaturesOf(ColumnRole role) const {
  std::vector<size_t> numbers;
  for (size_t f = 0; f < roles_.size(); ++f) {
    if (roles_[f] == role) numbers.push_back(f);
  }
  return numbers;
}

namespace {

// For every row of each symbol, how many rows up to it follow each other without a gap, and how
// many of them have only finite features.
struct Runs {
  std::vector<std::vector<uint32_t>> unbroken, finite;
};

Runs RunsOf(const Panel& panel, bool across_gaps) {
  std::vector<TimeMs> panel_times;
  for (const Panel::Group& group : panel.groups())
    panel_times.push_back(panel.times()[group.first]);
  Runs runs;
  for (size_t s = 0; s < panel.symbols(); ++s) {
    const Dataset& part = panel.part(s);
    std::vector<uint32_t> unbroken(part.rows(), 1), finite(part.rows(), 0);
    std::vector<char> is_finite(part.rows(), 1);
    for (size_t f = 0; f < part.features(); ++f) {
      for (size_t row = 0; row < part.rows(); ++row) {
        if (!std::isfinite(part.feature(f)[row])) is_finite[row] = 0;
      }
    }
    auto next = panel_times.begin();
    for (size_t row = 0; row < part.rows(); ++row) {
      // `next` is the panel's first time after the row before.
      const bool joined = row > 0 && (across_gaps || *next == part.times()[row]);
      if (joined) unbroken[row] = unbroken[row - 1] + 1;
      if (is_finite[row] != 0) finite[row] = (joined ? finite[row - 1] : 0) + 1;
      next = std::upper_bound(next, panel_times.end(), part.times()[row]);
    }
    runs.unbroken.push_back(std::move(unbroken));
    runs.finite.push_back(std::move(finite));
  }
  return runs;
}

}  // namespace

PanelWindows::PanelWindows(const Panel& panel, std::span<const uint32_t> rows,
                           const Options& options)
    : panel_(&panel), options_(options) {
  if (options.steps == 0) {
    throw Error(ErrorCode::kUsage, "panel windows", "0 steps", "a window has one at least");
  }
  const Runs runs = RunsOf(panel, options.across_gaps);
  for (const uint32_t row : rows) {
    if (row >= panel.rows()) {
      throw Error(ErrorCode::kBadData, "panel windows",
                  fmt::format("a window ends at row {} of {}", row, panel.rows()),
                  "use rows of this panel");
    }
    const Panel::Place place = panel.place(row);
    const size_t last = place.row + options.horizon;
    const bool ahead = last < panel.part(place.symbol).rows() &&
                       runs.unbroken[place.symbol][last] > options.horizon;
    const bool usable = runs.finite[place.symbol][place.row] >= options.steps && ahead &&
                        (!options.with_target || std::isfinite(panel.target(row)));
    if (usable) rows_.push_back(row);
  }
  dropped_ = rows.size() - rows_.size();
}

std::span<const float> PanelWindows::Past(size_t window, size_t feature) const {
  const Panel::Place place = panel_->place(rows_[window]);
  return panel_->part(place.symbol)
      .feature(feature)
      .subspan(place.row + 1 - options_.steps, options_.steps);
}

std::span<const float> PanelWindows::Future(size_t window, size_t feature) const {
  if (panel_->roles()[feature] != ColumnRole::kKnownFuture) {
    throw Error(
        ErrorCode::kUsage, panel_->part(0).feature_names()[feature],
        fmt::format("is {}: its values ahead are not known", Name(panel_->roles()[feature])),
        "only known_future columns are");
  }
  const Panel::Place place = panel_->place(rows_[window]);
  return panel_->part(place.symbol).feature(feature).subspan(place.row + 1, options_.horizon);
}

float PanelWindows::Static(size_t window, size_t feature) const {
  if (panel_->roles()[feature] != ColumnRole::kStatic) {
    throw Error(ErrorCode::kUsage, panel_->part(0).feature_names()[feature],
                fmt::format("is {}, not static", Name(panel_->roles()[feature])),
                "take its window");
  }
  const Panel::Place place = panel_->place(rows_[window]);
  return panel_->part(place.symbol).feature(feature)[place.row];
}

namespace {

// out[(b * steps + t) * F + f] from views.
void Gather(std::span<const size_t> which, std::span<const size_t> features, size_t steps,
            std::span<float> out,
            const std::function<std::span<const float>(size_t, size_t)>& view) {
  for (size_t b = 0; b < which.size(); ++b) {
    for (size_t f = 0; f < features.size(); ++f) {
      const std::span<const float> values = view(which[b], features[f]);
      float* place = out.data() + b * steps * features.size() + f;
      for (size_t t = 0; t < steps; ++t) place[t * features.size()] = values[t];
    }
  }
}

}  // namespace

void PanelWindows::GatherPast(std::span<const size_t> which, std::span<const size_t> features,
                              std::span<float> out) const {
  CheckBatch(out.size(), which.size() * options_.steps * features.size(),
             std::all_of(which.begin(), which.end(), [&](size_t w) { return w < size(); }));
  Gather(which, features, options_.steps, out,
         [&](size_t window, size_t feature) { return Past(window, feature); });
}

void PanelWindows::GatherFuture(std::span<const size_t> which, std::span<const size_t> features,
                                std::span<float> out) const {
  CheckBatch(out.size(), which.size() * options_.horizon * features.size(),
             std::all_of(which.begin(), which.end(), [&](size_t w) { return w < size(); }));
  Gather(which, features, options_.horizon, out,
         [&](size_t window, size_t feature) { return Future(window, feature); });
}

}  // namespace almanac
