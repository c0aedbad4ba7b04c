// Candles as the named patterns read them, and the kernel that looks for one pattern. Inside this
// room.
//
// "Long", "doji", "near" and the like are TA-Lib's default candle settings: a body, a shadow or a
// distance against the mean body, range or shadows of the 5 or 10 candles *before* the one that is
// judged. Those means are nodes of the graph, computed once for all patterns.
#ifndef ALMANAC_FEATURE_FAMILY_CANDLESTICK_H_
#define ALMANAC_FEATURE_FAMILY_CANDLESTICK_H_

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <type_traits>
#include <typeinfo>

#include "almanac/feature/family.h"
#include "almanac/feature/window.h"

namespace almanac::candlestick {

// The series that patterns are made of, in this order everywhere.
enum Series : size_t {
  kOpen,
  kHigh,
  kLow,
  kClose,
  kBodyMean,       // of |close - open| over the 10 candles before
  kRangeMean,      // of high - low over the 10 candles before
  kShadowsMean,    // of both shadows together over the 10 candles before
  kNearRangeMean,  // of high - low over the 5 candles before
  kKnown,          // candles in a row, up to this one, without a NaN
  kSeries
};

using SeriesPointers = std::array<const double*, kSeries>;

// One candle among its neighbours.
class Candle {
 public:
  Candle(const SeriesPointers& series, std::ptrdiff_t row) : series_(series), row_(row) {}

  Candle Before(std::ptrdiff_t candles) const { return {series_, row_ - candles}; }
  double known() const { return At(kKnown); }

  double open() const { return At(kOpen); }
  double high() const { return At(kHigh); }
  double low() const { return At(kLow); }
  double close() const { return At(kClose); }
  double top() const { return std::max(open(), close()); }
  double bottom() const { return std::min(open(), close()); }
  double body() const { return std::abs(close() - open()); }
  double range() const { return high() - low(); }
  double upper() const { return high() - top(); }
  double lower() const { return bottom() - low(); }

  bool white() const { return close() >= open(); }
  bool black() const { return close() < open(); }
  double color() const { return white() ? 1 : -1; }

  bool Long() const { return body() > At(kBodyMean); }
  bool Short() const { return body() < At(kBodyMean); }
  bool Doji() const { return DojiFor(*this); }
  // By the mean range that `judge` is measured with.
  bool DojiFor(const Candle& judge) const { return body() <= 0.1 * judge.At(kRangeMean); }

  bool LongUpper() const { return upper() > body(); }
  bool LongLower() const { return lower() > body(); }
  bool VeryLongUpper() const { return upper() > 2 * body(); }
  bool VeryLongLower() const { return lower() > 2 * body(); }
  bool ShortUpper() const { return upper() < At(kShadowsMean) / 2; }
  bool ShortLower() const { return lower() < At(kShadowsMean) / 2; }
  bool ExceedsShortUpper() const { return upper() > At(kShadowsMean) / 2; }
  // Practically no shadow, and clearly one.
  bool NoUpper() const { return upper() < 0.1 * At(kRangeMean); }
  bool NoLower() const { return lower() < 0.1 * At(kRangeMean); }
  bool HasUpper() const { return upper() > 0.1 * At(kRangeMean); }
  bool HasLower() const { return lower() > 0.1 * At(kRangeMean); }

  // Distances measured by the ranges before this candle.
  double near() const { return 0.2 * At(kNearRangeMean); }
  double far() const { return 0.6 * At(kNearRangeMean); }
  double equal() const { return 0.05 * At(kNearRangeMean); }

  bool BodyAbove(const Candle& other) const { return bottom() > other.top(); }
  bool BodyBelow(const Candle& other) const { return top() < other.bottom(); }
  bool Above(const Candle& other) const { return low() > other.high(); }
  bool Below(const Candle& other) const { return high() < other.low(); }
  bool SameColor(const Candle& other) const { return white() == other.white(); }

 private:
  double At(Series series) const { return series_[series][row_]; }

  const SeriesPointers& series_;
  std::ptrdiff_t row_;
};

// Without branches: what a pattern asks is unpredictable, and cheap.
template <typename... Conditions>
bool All(Conditions... conditions) {
  return (conditions & ...);
}
template <typename... Conditions>
bool Any(Conditions... conditions) {
  return (conditions | ...);
}
inline bool Within(double value, double middle, double distance) {
  return All(value <= middle + distance, value >= middle - distance);
}
inline double When(bool condition, double value) { return condition ? value : 0; }

// A pattern is a function of a candle and those before it, at most kMostBefore, that gives its
// value. It is compiled into the loop over a block; there is no call per bar.
template <auto kPattern>
class PatternKernel final : public Kernel {
 public:
  // Known where more than `look_back` candles in a row are; `penetration` goes to the pattern.
  PatternKernel(double look_back, double penetration)
      : look_back_(look_back), penetration_(penetration) {
    for (auto& series : tail_) series.fill(kUnknown);
  }

  size_t inputs() const override { return kSeries; }
  size_t outputs() const override { return 1; }

  void Run(const KernelBlock& block) override {
    // The first rows are looked at beside the rows before them, the others where they lie.
    const size_t head = std::min(block.rows, kMostBefore);
    std::array<std::array<double, 2 * kMostBefore>, kSeries> joined;
    SeriesPointers series;
    for (size_t s = 0; s < kSeries; ++s) {
      std::copy(tail_[s].begin(), tail_[s].end(), joined[s].begin());
      std::copy_n(block.inputs[s], head, joined[s].data() + kMostBefore);
      series[s] = joined[s].data() + kMostBefore;
    }
    Evaluate(series, 0, head, block.outputs[0]);
    for (size_t s = 0; s < kSeries; ++s) {
      const double* last = block.rows > kMostBefore ? block.inputs[s] + block.rows - kMostBefore
                                                    : joined[s].data() + head;
      std::copy_n(last, kMostBefore, tail_[s].begin());
    }
    std::copy_n(block.inputs, kSeries, series.begin());
    Evaluate(series, head, block.rows, block.outputs[0]);
  }

  void SaveState(StateWriter& writer) const override {
    const_cast<PatternKernel&>(*this).Visit(writer);
  }
  void LoadState(StateReader& reader) override { Visit(reader); }

 private:
  static constexpr size_t kMostBefore = 6;
  void Evaluate(const SeriesPointers& series, size_t first, size_t end, double* out) const {
    for (size_t row = first; row < end; ++row) {
      const Candle candle(series, static_cast<std::ptrdiff_t>(row));
      const double value = ValueOf(candle);
      out[row] = candle.known() > look_back_ ? value : kUnknown;
    }
  }

  double ValueOf(const Candle& candle) const {
    if constexpr (std::is_invocable_v<decltype(kPattern), const Candle&>) {
      return kPattern(candle);
    } else {
      return kPattern(candle, penetration_);
    }
  }

  template <typename Archive>
  void Visit(Archive& archive) {
    archive(tail_);
  }

  double look_back_;
  double penetration_;
  std::array<std::array<double, kMostBefore>, kSeries> tail_;  // the last rows, oldest first
};

// The nodes of Series.
std::vector<KernelGraph::Node> AddSeries(KernelGraph& graph);

// A family of one pattern: its name, what it looks for, its values and TA-Lib's name. kLookBack is
// the number of candles before the row's that it needs.
template <auto kPattern, int kLookBack>
Family PatternFamily(const std::string& name, const std::string& formula, const std::string& values,
                     const std::string& source) {
  Family family;
  family.info = {
      "candle_" + name,   formula, "none", values, fmt::format("{} bars", kLookBack + 1), 0,
      "TA-Lib: " + source};
  constexpr bool kPlain = std::is_invocable_v<decltype(kPattern), const Candle&>;
  if constexpr (!kPlain) {
    family.info.parameters = {{.name = "penetration", .smallest = 0, .largest = 100}};
  }
  family.add_all = [](KernelGraph& graph, std::span<const int64_t> v) {
    const int64_t percent = kPlain ? 0 : v[0];
    const std::string key =
        fmt::format("candle pattern({},{})", typeid(PatternKernel<kPattern>).name(), percent);
    return graph.Add(key, AddSeries(graph), [&] {
      return std::make_unique<PatternKernel<kPattern>>(kLookBack,
                                                       static_cast<double>(percent) / 100);
    });
  };
  family.look_back = [](std::span<const int64_t>) -> int64_t { return kLookBack + 1; };
  return family;
}

// The values a pattern can have.
inline constexpr char kUp[] = "0, 100";
inline constexpr char kDown[] = "-100, 0";
inline constexpr char kColor[] = "-100, 0, 100";

std::vector<Family> SingleCandlePatterns();
std::vector<Family> TwoCandlePatterns();
std::vector<Family> ThreeCandlePatterns();
std::vector<Family> LongerPatterns();

}  // namespace almanac::candlestick

#endif  // ALMANAC_FEATURE_FAMILY_CANDLESTICK_H_
