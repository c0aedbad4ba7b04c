#include "almanac/feature/panel.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "almanac/base/config.h"
#include "almanac/base/error.h"
#include "almanac/feature/window.h"

namespace almanac {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

void Rank(std::span<const float> values, const std::vector<size_t>& known, std::span<float> out) {
  std::vector<size_t> order = known;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  const auto count = static_cast<double>(order.size());
  std::vector<float> ranks(order.size());
  for (size_t first = 0; first < order.size();) {
    size_t last = first;
    while (last < order.size() && values[order[last]] == values[order[first]]) ++last;
    // The mean of the ranks first + 1, ..., last.
    const double rank = static_cast<double>(first + 1 + last) / 2;
    std::fill(ranks.begin() + static_cast<ptrdiff_t>(first),
              ranks.begin() + static_cast<ptrdiff_t>(last), static_cast<float>(rank / count));
    first = last;
  }
  for (size_t i = 0; i < order.size(); ++i) out[order[i]] = ranks[i];
}

void Standardise(std::span<const float> values, const std::vector<size_t>& known,
                 std::span<float> out) {
  Moments::Value fold;
  for (const size_t s : known) {
    const Moments::Value one = Moments::Of(values[s]);
    fold = fold.count == 0 ? one : Moments::Join(fold, one);
  }
  const double deviation = fold.SampleDeviation();
  for (const size_t s : known) {
    out[s] = deviation > 0 ? static_cast<float>((values[s] - fold.mean) / deviation) : kNaN;
  }
}

std::vector<size_t> FindColumns(const FeatureTable& table, const std::vector<std::string>& wanted) {
  std::vector<std::string> names;
  for (const MatrixColumn& column : table.names) names.push_back(column.name);
  std::vector<size_t> found;
  for (const std::string& name : wanted) {
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end()) {
      const auto near = NearestWord(name, names);
      throw Error(ErrorCode::kUsage, "panel", fmt::format("no column \"{}\"", name),
                  near ? fmt::format("did you mean \"{}\"?", *near) : "name one of the tables'");
    }
    found.push_back(static_cast<size_t>(at - names.begin()));
  }
  return found;
}

void RequireSameColumns(const std::vector<FeatureTable>& tables) {
  for (const FeatureTable& table : tables) {
    const bool same =
        std::equal(table.names.begin(), table.names.end(), tables.front().names.begin(),
                   tables.front().names.end(),
                   [](const MatrixColumn& a, const MatrixColumn& b) { return a.name == b.name; });
    if (same) continue;
    throw Error(ErrorCode::kUsage, "panel", "tables of different columns",
                "compute the same feature set for every symbol");
  }
}

}  // namespace

std::string_view Name(CrossSection kind) { return kind == CrossSection::kRank ? "rank" : "zscore"; }

void StandAmong(CrossSection kind, std::span<const float> values, std::span<float> out) {
  std::vector<size_t> known;
  for (size_t s = 0; s < values.size(); ++s) {
    if (!std::isnan(values[s])) known.push_back(s);
  }
  if (out.data() != values.data()) std::fill(out.begin(), out.end(), kNaN);
  if (known.empty()) return;
  kind == CrossSection::kRank ? Rank(values, known, out) : Standardise(values, known, out);
}

PanelRow::PanelRow(CrossSection kind, std::vector<size_t> columns)
    : kind_(kind), columns_(std::move(columns)) {}

std::span<const float> PanelRow::Step(std::span<const std::span<const float>> rows) {
  values_.resize(rows.size());
  out_.resize(rows.size() * columns_.size());
  for (size_t c = 0; c < columns_.size(); ++c) {
    for (size_t s = 0; s < rows.size(); ++s) {
      values_[s] = rows[s].empty() ? kNaN : rows[s][columns_[c]];
    }
    StandAmong(kind_, values_, values_);
    for (size_t s = 0; s < rows.size(); ++s) out_[s * columns_.size() + c] = values_[s];
  }
  return out_;
}

void AppendCrossSection(CrossSection kind, const std::vector<std::string>& columns,
                        std::vector<FeatureTable>& tables) {
  if (tables.empty()) return;
  RequireSameColumns(tables);
  const std::vector<size_t> wanted = FindColumns(tables.front(), columns);
  std::vector<size_t> picked(wanted.size());
  for (size_t c = 0; c < picked.size(); ++c) picked[c] = c;
  PanelRow panel(kind, picked);
  std::vector<TimeMs> times;
  for (FeatureTable& table : tables) {
    times.insert(times.end(), table.index.begin(), table.index.end());
    for (const std::string& name : columns) {
      table.names.push_back({fmt::format("{}_among_{}", name, Name(kind)),
                             kind == CrossSection::kRank ? "ratio" : "standard deviations"});
      table.columns.emplace_back(table.rows(), kNaN);
    }
  }
  std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end()), times.end());

  std::vector<size_t> place(tables.size());
  std::vector<std::vector<float>> cells(tables.size(), std::vector<float>(wanted.size()));
  std::vector<std::span<const float>> rows(tables.size());
  for (const TimeMs time : times) {
    for (size_t s = 0; s < tables.size(); ++s) {
      const bool has_row = place[s] < tables[s].rows() && tables[s].index[place[s]] == time;
      for (size_t c = 0; c < wanted.size() && has_row; ++c) {
        cells[s][c] = tables[s].columns[wanted[c]][place[s]];
      }
      rows[s] = has_row ? std::span<const float>(cells[s]) : std::span<const float>();
    }
    const std::span<const float> stands = panel.Step(rows);
    for (size_t s = 0; s < tables.size(); ++s) {
      if (rows[s].empty()) continue;
      const size_t first = tables[s].columns.size() - wanted.size();
      for (size_t c = 0; c < wanted.size(); ++c) {
        tables[s].columns[first + c][place[s]] = stands[s * wanted.size() + c];
      }
      ++place[s];
    }
  }
}

}  // namespace almanac
