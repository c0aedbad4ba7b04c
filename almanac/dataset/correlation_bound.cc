#include "almanac/dataset/correlation_bound.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "almanac/base/parallel.h"

namespace almanac {
namespace {

// The bounds are of real numbers; float32 and double round them by far less, as long as a pair's
// common rows hold so much of a column's squares as variance.
constexpr double kMargin = 1e-3;
constexpr double kLeastVariance = 1e-4;
constexpr size_t kLeftColumns = 48;  // of one product: its sums stay in the cache
constexpr size_t kLanes = 8;         // of sums, so that they do not depend on the machine's vectors
constexpr size_t kWordRows = 64;
constexpr float kLargestByte = 127;
// Values beyond the largest byte are an error like any other, and with many small values beside few
// large ones a scale that leaves some out is the better: these shares of the largest are tried.
constexpr std::array<float, 6> kShares = {1, 0.5F, 0.25F, 0.125F, 0.0625F, 0.03125F};
constexpr size_t kBasesTried = 64;  // patterns of missing rows, for one

bool Covers(const std::vector<uint64_t>& all, const std::vector<uint64_t>& some) {
  for (size_t i = 0; i < all.size(); ++i) {
    if ((some[i] & ~all[i]) != 0) return false;
  }
  return true;
}

template <typename T>
using Lanes = std::array<T, kLanes>;

template <typename T>
T Total(const Lanes<T>& lanes) {
  return std::accumulate(lanes.begin(), lanes.end(), T{0});
}

// Calls term(i, lane) for every i below `count`, several lanes side by side.
template <typename Term>
void ForLanes(size_t count, const Term& term) {
  const size_t whole = count / kLanes * kLanes;
  for (size_t i = 0; i < whole; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) term(i + lane, lane);
  }
  for (size_t i = whole; i < count; ++i) term(i, i - whole);
}

// False for a value that is not finite: then the difference is no number.
bool IsThere(float value) { return value - value == 0; }

float Largest(const std::vector<float>& values) {
  Lanes<float> largest{};
  ForLanes(values.size(), [&](size_t i, size_t lane) {
    const float size = std::abs(values[i]);
    largest[lane] = size > largest[lane] ? size : largest[lane];
  });
  return *std::max_element(largest.begin(), largest.end());
}

// The limit of the bytes' range that leaves the least error: of rounding, a twelfth of a step's
// square a row, and of what lies beyond.
float BestLimit(const std::vector<float>& values) {
  const float largest = Largest(values);
  float best = largest, least = 0;
  for (const float share : kShares) {
    const float limit = largest * share, step = limit / kLargestByte;
    Lanes<float> beyond{};
    ForLanes(values.size(), [&](size_t i, size_t lane) {
      const float excess = std::max(std::abs(values[i]) - limit, 0.0F);
      beyond[lane] += excess * excess;
    });
    const float error = Total(beyond) + step * step / 12 * static_cast<float>(values.size());
    if (share < 1 && error >= least) continue;
    least = error;
    best = limit;
  }
  return best;
}

void Quantise(const std::vector<float>& values, BoundedColumn* column) {
  const float limit = BestLimit(values);
  if (!(limit > 0)) {
    column->error = std::sqrt(column->squares);
    return;
  }
  const float scale = limit / kLargestByte, inverse = kLargestByte / limit;
  int8_t* bytes = column->bytes.data();
  Lanes<double> errors{}, squares{};
  ForLanes(values.size(), [&](size_t i, size_t lane) {
    const float steps = std::min(std::max(values[i] * inverse, -kLargestByte), kLargestByte);
    const int byte = static_cast<int>(steps + (steps < 0 ? -0.5F : 0.5F));
    bytes[i] = static_cast<int8_t>(byte);
    const double error = values[i] - scale * static_cast<float>(byte);
    errors[lane] += error * error;
    squares[lane] += static_cast<double>(byte * byte);
  });
  column->scale = scale;
  column->error = std::sqrt(Total(errors));
  column->byte_norm = scale * std::sqrt(Total(squares));
}

}  // namespace

BoundedColumn::BoundedColumn(std::span<const float> of) : values(of), bytes(of.size()) {
  Lanes<double> counts{}, sums{}, distances{};
  ForLanes(of.size(), [&](size_t i, size_t lane) {
    counts[lane] += IsThere(of[i]) ? 1.0 : 0.0;
    sums[lane] += IsThere(of[i]) ? static_cast<double>(of[i]) : 0.0;
  });
  const double count = Total(counts);
  mean = count > 0 ? Total(sums) / count : 0;
  ForLanes(of.size(), [&](size_t i, size_t lane) {
    const double distance = of[i] - mean;
    distances[lane] += IsThere(of[i]) ? distance * distance : 0.0;
  });
  const double distance = Total(distances);
  inverse_scale = distance > 0 ? std::sqrt(count / distance) : 1;
  squares = distance * inverse_scale * inverse_scale;
  std::vector<float> standardised(of.size());
  for (size_t i = 0; i < of.size(); ++i) {
    standardised[i] = IsThere(of[i]) ? static_cast<float>((of[i] - mean) * inverse_scale) : 0.0F;
  }
  Quantise(standardised, this);
}

BoundedColumns::Presence BoundedColumns::PresenceOf(std::span<const float> values) {
  Presence presence((values.size() + kWordRows - 1) / kWordRows, 0);
  for (size_t word = 0; word < presence.size(); ++word) {
    const size_t first = word * kWordRows, last = std::min(values.size(), first + kWordRows);
    uint64_t bits = 0;
    for (size_t i = first; i < last; ++i) {
      bits |= static_cast<uint64_t>(IsThere(values[i])) << (i - first);
    }
    presence[word] = bits;
  }
  return presence;
}

void BoundedColumns::Add(const std::vector<std::span<const float>>& columns) {
  std::vector<std::optional<BoundedColumn>> made(columns.size());
  std::vector<Presence> presence(columns.size());
  ParallelFor(columns.size(), [&](size_t i) {
    made[i].emplace(columns[i]);
    presence[i] = PresenceOf(columns[i]);
  });
  for (size_t i = 0; i < columns.size(); ++i) Take(std::move(*made[i]), std::move(presence[i]));
  FindBases();
}

void BoundedColumns::Add(std::vector<BoundedColumn> columns,
                         const std::vector<std::span<const float>>& values) {
  for (size_t i = 0; i < columns.size(); ++i) {
    columns[i].values = values[i];
    Take(std::move(columns[i]), PresenceOf(values[i]));
  }
  FindBases();
}

void BoundedColumns::Take(BoundedColumn column, Presence presence) {
  const size_t rows = column.values.size();
  columns_.push_back(std::move(column));
  const auto [place, is_new] = pattern_of_.try_emplace(std::move(presence), patterns_.size());
  pattern_.push_back(place->second);
  if (!is_new) return;
  size_t there = 0;
  for (const uint64_t word : place->first) there += static_cast<size_t>(std::popcount(word));
  patterns_.push_back({&place->first, rows - there, kNone, {}});
}

// The rows of `base`, or all, that `some` has not.
std::vector<BoundedColumns::Word> BoundedColumns::Beyond(const Presence& some, const Presence* base,
                                                         size_t rows) {
  std::vector<Word> words;
  for (size_t w = 0; w < some.size(); ++w) {
    const size_t left = rows - w * kWordRows;
    const uint64_t all = left < kWordRows ? (uint64_t{1} << left) - 1 : ~uint64_t{0};
    const uint64_t gone = (base != nullptr ? (*base)[w] : all) & ~some[w];
    if (gone != 0) words.push_back({static_cast<uint32_t>(w), gone});
  }
  return words;
}

void BoundedColumns::FindBases() {
  if (by_missing_.size() == patterns_.size()) return;
  by_missing_.resize(patterns_.size());
  std::iota(by_missing_.begin(), by_missing_.end(), size_t{0});
  std::stable_sort(by_missing_.begin(), by_missing_.end(),
                   [&](size_t a, size_t b) { return patterns_[a].missing < patterns_[b].missing; });
  ParallelFor(by_missing_.size(), [&](size_t place) {
    Pattern& pattern = patterns_[by_missing_[place]];
    pattern.base = kNone;
    for (size_t back = 1; back <= std::min(place, kBasesTried); ++back) {
      const size_t candidate = by_missing_[place - back];
      if (!Covers(*patterns_[candidate].presence, *pattern.presence)) continue;
      pattern.base = candidate;
      break;
    }
    const Presence* base = pattern.base == kNone ? nullptr : patterns_[pattern.base].presence;
    pattern.beyond_base = Beyond(*pattern.presence, base, columns_.front().values.size());
  });
}

ByteColumns BoundedColumns::Bytes() const {
  std::vector<const ByteColumn*> bytes;
  for (const BoundedColumn& column : columns_) bytes.push_back(&column.bytes);
  return {bytes, columns_.empty() ? 0 : columns_.front().values.size()};
}

CorrelationBounds::CorrelationBounds(const BoundedColumns& left, std::vector<size_t> left_chosen,
                                     const BoundedColumns& right, const RightSide& right_side,
                                     std::vector<size_t> right_chosen)
    : left_(left),
      right_(right),
      right_side_(right_side),
      left_chosen_(std::move(left_chosen)),
      right_chosen_(std::move(right_chosen)),
      common_(left.patterns_.size(), right.patterns_.size()),
      left_sums_(SumsOf(left, left_chosen_, right)),
      products_(left_chosen_.size(), right_chosen_.size()) {
  CountCommonRows();
  Multiply();
}

void CorrelationBounds::CountCommonRows() {
  const size_t rows = left_.size() > 0 ? left_[0].values.size() : 0;
  ParallelFor(left_.patterns_.size(), [&](size_t a) {
    const BoundedColumns::Presence& there = *left_.patterns_[a].presence;
    double* common = common_.values.data() + a * common_.width;
    for (const size_t b : right_.by_missing_) {
      const BoundedColumns::Pattern& other = right_.patterns_[b];
      common[b] = other.base == BoundedColumns::kNone
                      ? static_cast<double>(rows - left_.patterns_[a].missing)
                      : common[other.base];
      for (const auto& [place, gone] : other.beyond_base) {
        common[b] -= static_cast<double>(std::popcount(gone & there[place]));
      }
    }
  });
}

// By pattern of the others, over the rows that they have; the whole column's sum is 0.
void CorrelationBounds::AddSums(const BoundedColumn& column, const BoundedColumns& others,
                                Sums* sums) {
  for (const size_t p : others.by_missing_) {
    const BoundedColumns::Pattern& pattern = others.patterns_[p];
    Sums rest =
        pattern.base == BoundedColumns::kNone ? Sums{0, column.squares} : sums[pattern.base];
    const auto standard = [&](size_t row) {
      const float value = column.values[row];
      return IsThere(value) ? (value - column.mean) * column.inverse_scale : 0.0;
    };
    for (const auto& [place, rows] : pattern.beyond_base) {
      if (rows == ~uint64_t{0}) {
        Lanes<double> sum{}, squares{};
        ForLanes(kWordRows, [&](size_t i, size_t lane) {
          const double value = standard(place * kWordRows + i);
          sum[lane] += value;
          squares[lane] += value * value;
        });
        rest.sum -= Total(sum);
        rest.squares -= Total(squares);
        continue;
      }
      for (uint64_t gone = rows; gone != 0; gone &= gone - 1) {
        const double value =
            standard(place * kWordRows + static_cast<size_t>(std::countr_zero(gone)));
        rest.sum -= value;
        rest.squares -= value * value;
      }
    }
    sums[p] = rest;
  }
}

CorrelationBounds::Grid<CorrelationBounds::Sums> CorrelationBounds::SumsOf(
    const BoundedColumns& columns, const std::vector<size_t>& chosen,
    const BoundedColumns& others) {
  Grid<Sums> sums(chosen.size(), others.patterns_.size());
  ParallelFor(chosen.size(), [&](size_t i) {
    AddSums(columns[chosen[i]], others, sums.values.data() + i * sums.width);
  });
  return sums;
}

CorrelationBounds::Grid<CorrelationBounds::Sums> CorrelationBounds::SumsOf(
    const BoundedColumns& columns, const BoundedColumns& others) {
  std::vector<size_t> all(columns.size());
  std::iota(all.begin(), all.end(), size_t{0});
  return SumsOf(columns, all, others);
}

void CorrelationBounds::Multiply() {
  std::vector<const ByteColumn*> left;
  for (const size_t i : left_chosen_) left.push_back(&left_[i].bytes);
  ParallelFor((left.size() + kLeftColumns - 1) / kLeftColumns, [&](size_t part) {
    const size_t first = part * kLeftColumns;
    MultiplyBytes(std::span(left).subspan(first, std::min(kLeftColumns, left.size() - first)),
                  right_side_.bytes, right_chosen_,
                  products_.values.data() + first * products_.width);
  });
}

bool CorrelationBounds::MayBeAbove(double threshold, size_t i, size_t j) const {
  const size_t a = left_.pattern_[left_chosen_[i]], b = right_.pattern_[right_chosen_[j]];
  const double n = common_.at(a, b);
  if (n < 3) return false;
  const BoundedColumn &x = left_[left_chosen_[i]], &y = right_[right_chosen_[j]];
  const Sums &of_x = left_sums_.at(i, b), &of_y = right_side_.sums.at(right_chosen_[j], a);
  const double x_squares = of_x.squares - of_x.sum * of_x.sum / n;
  const double y_squares = of_y.squares - of_y.sum * of_y.sum / n;
  if (!(x_squares > kLeastVariance * x.squares) || !(y_squares > kLeastVariance * y.squares)) {
    return true;
  }
  const double covariance = x.scale * y.scale * products_.at(i, j) - of_x.sum * of_y.sum / n;
  const double error = x.error * std::sqrt(y.squares) + x.byte_norm * y.error;
  const double limit = std::max(0.0, threshold - kMargin);
  const double most = std::abs(covariance) + error;
  return most * most >= limit * limit * x_squares * y_squares;
}

}  // namespace almanac
