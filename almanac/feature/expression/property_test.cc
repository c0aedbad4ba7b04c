// Random expressions against a slow, obvious evaluator over whole arrays, and random text against
// the parser. ALMANAC_FUZZ_SECONDS=600 and ALMANAC_FUZZ_SEED=7 make long runs of the latter.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>

#include "almanac/base/error.h"
#include "almanac/base/random.h"
#include "almanac/feature/build.h"
#include "almanac/feature/expression/expression.h"
#include "almanac/feature/expression/function.h"
#include "almanac/feature/random_series_for_test.h"

namespace almanac {
namespace {

constexpr size_t kRows = 300;  // one block of the graph, so that LastBlock is everything
constexpr double kInfinity = std::numeric_limits<double>::infinity();
using Array = std::vector<double>;

// A tree that knows its text. Windows are short against kRows.
struct Tree {
  std::string function;  // "" for a leaf
  std::string text;
  std::vector<std::unique_ptr<Tree>> arguments;
  int64_t n = 0;
  double q = 0;
};

std::unique_ptr<Tree> RandomLeaf(Random& random) {
  auto leaf = std::make_unique<Tree>();
  const char* const leaves[] = {"open", "high", "low", "close", "volume", "rsi(5)", "2", "0.25"};
  leaf->text = leaves[random.Below(8)];
  return leaf;
}

bool IsNumber(const Tree& tree) {
  if (tree.function.empty()) return tree.text == "2" || tree.text == "0.25";
  return std::all_of(tree.arguments.begin(), tree.arguments.end(),
                     [](const auto& argument) { return IsNumber(*argument); });
}

const char* const kPointwise[] = {
    "+",   "-",   "*",   "/",    "<",   "<=",   ">",   ">=",    "==",  "!=",  "and",  "or",
    "not", "neg", "abs", "sign", "log", "sqrt", "exp", "power", "min", "max", "clip", "where"};
const char* const kWindowed[] = {
    "lag", "delta",  "sum",  "mean",   "highest",  "lowest", "ema",        "wilder",      "wma",
    "std", "zscore", "rank", "median", "quantile", "slope",  "covariance", "correlation", "beta"};

size_t Arity(const std::string& name) {
  for (const char* const one : {"not", "neg", "abs", "sign", "log", "sqrt", "exp"}) {
    if (name == one) return 1;
  }
  return name == "clip" || name == "where" ? 3 : 2;
}

std::unique_ptr<Tree> RandomTree(Random& random, int depth);

std::unique_ptr<Tree> RandomPointwise(Random& random, int depth) {
  auto tree = std::make_unique<Tree>();
  tree->function = kPointwise[random.Below(std::size(kPointwise))];
  for (size_t a = 0; a < Arity(tree->function); ++a) {
    tree->arguments.push_back(RandomTree(random, depth - 1));
  }
  const auto text = [&](size_t a) { return tree->arguments[a]->text; };
  if (tree->function == "neg" || tree->function == "not") {
    tree->text = fmt::format("({} {})", tree->function == "neg" ? "-" : "not", text(0));
  } else if (std::isalpha(tree->function[0]) != 0 && tree->function != "and" &&
             tree->function != "or") {
    tree->text = tree->function + "(" + text(0);
    for (size_t a = 1; a < tree->arguments.size(); ++a) tree->text += ", " + text(a);
    tree->text += ")";
  } else {
    tree->text = fmt::format("({} {} {})", text(0), tree->function, text(1));
  }
  return tree;
}

std::unique_ptr<Tree> RandomWindowed(Random& random, int depth) {
  auto tree = std::make_unique<Tree>();
  tree->function = kWindowed[random.Below(std::size(kWindowed))];
  const bool pair =
      tree->function == "covariance" || tree->function == "correlation" || tree->function == "beta";
  tree->text = tree->function + "(";
  for (int a = 0; a < (pair ? 2 : 1); ++a) {
    do {
      if (a == static_cast<int>(tree->arguments.size())) tree->arguments.emplace_back();
      tree->arguments[static_cast<size_t>(a)] = RandomTree(random, depth - 1);
    } while (IsNumber(*tree->arguments.back()));
    tree->text += tree->arguments.back()->text + ", ";
  }
  tree->n = 2 + static_cast<int64_t>(random.Below(12));
  tree->q = 0.25 * static_cast<double>(random.Below(5));
  tree->text += std::to_string(tree->n);
  if (tree->function == "quantile") tree->text += fmt::format(", {}", tree->q);
  tree->text += ")";
  return tree;
}

std::unique_ptr<Tree> RandomTree(Random& random, int depth) {
  if (depth <= 0 || random.Below(6) == 0) return RandomLeaf(random);
  return random.Below(2) == 0 ? RandomPointwise(random, depth) : RandomWindowed(random, depth);
}

double Truth(bool value) { return value ? 1 : 0; }

// By the documentation, one value at a time.
double Pointwise(const std::string& f, double a, double b, double c) {
  if (f == "where") return std::isnan(a) ? kUnknown : (a != 0 ? b : c);
  if (std::isnan(a) || std::isnan(b) || std::isnan(c)) return kUnknown;
  if (f == "+") return a + b;
  if (f == "-") return a - b;
  if (f == "*") return a * b;
  if (f == "/") return a / b;
  if (f == "<") return Truth(a < b);
  if (f == "<=") return Truth(a <= b);
  if (f == ">") return Truth(a > b);
  if (f == ">=") return Truth(a >= b);
  if (f == "==") return Truth(a == b);
  if (f == "!=") return Truth(a != b);
  if (f == "and") return Truth(a != 0 && b != 0);
  if (f == "or") return Truth(a != 0 || b != 0);
  if (f == "not") return Truth(a == 0);
  if (f == "neg") return -a;
  if (f == "abs") return a < 0 ? -a : a;
  if (f == "sign") return a < 0 ? -1 : Truth(a > 0);
  if (f == "log") return std::log(a);
  if (f == "sqrt") return std::sqrt(a);
  if (f == "exp") return std::exp(a);
  if (f == "power") return std::pow(a, b);
  if (f == "min") return a < b ? a : b;
  if (f == "max") return a > b ? a : b;
  if (f == "clip") return std::min(std::max(a, b), c);
  ADD_FAILURE() << f;
  return 0;
}

struct LongMoments {
  long double mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;
};

LongMoments MomentsOf(const Array& x, const Array& y) {
  LongMoments m;
  const auto count = static_cast<long double>(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    m.mean_x += x[i] / count;
    m.mean_y += y[i] / count;
  }
  for (size_t i = 0; i < x.size(); ++i) {
    m.xx += (x[i] - m.mean_x) * (x[i] - m.mean_x);
    m.yy += (y[i] - m.mean_y) * (y[i] - m.mean_y);
    m.xy += (x[i] - m.mean_x) * (y[i] - m.mean_y);
  }
  return m;
}

// A function of a window of known values, oldest first.
double OfWindow(const Tree& tree, const Array& x, const Array& y) {
  const std::string& f = tree.function;
  const auto n = static_cast<long double>(x.size());
  Array sorted = x;
  std::sort(sorted.begin(), sorted.end());
  long double sum = 0, weighted = 0, crossed = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    sum += x[i];
    weighted += x[i] * static_cast<long double>(i + 1);
  }
  for (size_t i = 0; i < x.size(); ++i) {
    crossed += (x[i] - sum / n) * (static_cast<long double>(i) - (n - 1) / 2);
  }
  const LongMoments m = MomentsOf(x, y.empty() ? x : y);
  if (f == "sum") return static_cast<double>(sum);
  if (f == "mean") return static_cast<double>(sum / n);
  if (f == "highest") return sorted.back();
  if (f == "lowest") return sorted.front();
  if (f == "wma") return static_cast<double>(weighted / (n * (n + 1) / 2));
  if (f == "std") return static_cast<double>(std::sqrt(m.xx / (n - 1)));
  if (f == "zscore") return static_cast<double>((x.back() - m.mean_x) / std::sqrt(m.xx / (n - 1)));
  if (f == "slope") return static_cast<double>(crossed / (n * (n * n - 1) / 12));
  if (f == "covariance") return static_cast<double>(m.xy / (n - 1));
  if (f == "correlation") return static_cast<double>(m.xy / std::sqrt(m.xx * m.yy));
  if (f == "beta") return static_cast<double>(m.xy / m.yy);
  if (f == "rank") {
    double less = 0, equal = 0;
    for (const double value : x) {
      less += Truth(value < x.back());
      equal += Truth(value == x.back());
    }
    return (less + (equal + 1) / 2) / static_cast<double>(n);
  }
  const double share = f == "median" ? 0.5 : tree.q;
  const double place = share * static_cast<double>(x.size() - 1);
  const auto below = static_cast<size_t>(std::floor(place));
  const double next = sorted[std::min(below + 1, x.size() - 1)];
  return sorted[below] + (place - static_cast<double>(below)) * (next - sorted[below]);
}

Array Recursive(const Array& x, int64_t n, double weight) {
  Array out(x.size(), kUnknown);
  long double sum = 0, mean = 0;
  int64_t seen = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i])) continue;
    ++seen;
    if (seen <= n) {
      sum += x[i];
      mean = sum / static_cast<long double>(n);
    } else {
      mean =
          mean * (1 - static_cast<long double>(weight)) + x[i] * static_cast<long double>(weight);
    }
    if (seen >= n) out[i] = static_cast<double>(mean);
  }
  return out;
}

Array SlowWindowed(const Tree& tree, const Array& x, const Array& y) {
  const auto n = static_cast<size_t>(tree.n);
  if (tree.function == "ema") return Recursive(x, tree.n, 2.0 / static_cast<double>(tree.n + 1));
  if (tree.function == "wilder") return Recursive(x, tree.n, 1.0 / static_cast<double>(tree.n));
  Array out(kRows, kUnknown);
  for (size_t i = 0; i < kRows; ++i) {
    if (tree.function == "lag" || tree.function == "delta") {
      if (i >= n) out[i] = tree.function == "lag" ? x[i - n] : x[i] - x[i - n];
      continue;
    }
    if (i + 1 < n) continue;
    const Array window_x(x.begin() + static_cast<std::ptrdiff_t>(i + 1 - n),
                         x.begin() + static_cast<std::ptrdiff_t>(i + 1));
    Array window_y;
    if (!y.empty()) {
      window_y.assign(y.begin() + static_cast<std::ptrdiff_t>(i + 1 - n),
                      y.begin() + static_cast<std::ptrdiff_t>(i + 1));
    }
    const auto unknown = [](double value) { return std::isnan(value); };
    if (std::any_of(window_x.begin(), window_x.end(), unknown)) continue;
    if (std::any_of(window_y.begin(), window_y.end(), unknown)) continue;
    out[i] = OfWindow(tree, window_x, window_y);
  }
  return out;
}

Array Fast(const std::string& text, const CandleSeries& series) {
  KernelGraph graph;
  graph.AddColumn(Expression(text).AddTo(graph));
  std::vector<float> cells(kRows);
  float* column = cells.data();
  graph.Run(kRows,
            {series.open.data(), series.high.data(), series.low.data(), series.close.data(),
             series.volume.data()},
            std::span(&column, 1));
  return {graph.LastBlock(0), graph.LastBlock(0) + kRows};
}

// What the kernels give for an argument; for a number, the number.
Array ArgumentOf(const Tree& tree, const CandleSeries& series) {
  if (!IsNumber(tree)) return Fast(tree.text, series);
  const Array with_bars = Fast("close * 0 + " + tree.text, series);
  return Array(kRows, with_bars[0]);
}

double LargestIn(const Array& values, size_t last, size_t count) {
  double largest = 0;
  for (size_t i = last + 1 - std::min(count, last + 1); i <= last; ++i) {
    largest = std::max(largest, std::isfinite(values[i]) ? std::abs(values[i]) : 0.0);
  }
  return largest;
}

// How far rounding may take a function's value, given the size of its arguments: sums by a few
// units of the largest; quotients by as much over what they divide by.
double Allowed(const Tree& tree, const std::vector<Array>& arguments, size_t row, double value) {
  constexpr double kUnit = 1e-12;
  const auto n = static_cast<size_t>(tree.n);
  if (row + 1 < n) return 0;  // warm-up: nothing but NaN
  const bool recursive = tree.function == "ema" || tree.function == "wilder";
  const double size = LargestIn(arguments[0], row, recursive ? kRows : n);
  if (size > 1e150) return kInfinity;  // squares do not fit a double, but do a long double
  const double own = kUnit * std::abs(value);
  const auto deviation = [&](const Array& values) {
    const Array window(values.begin() + static_cast<std::ptrdiff_t>(row + 1 - n),
                       values.begin() + static_cast<std::ptrdiff_t>(row + 1));
    return static_cast<double>(std::sqrt(MomentsOf(window, window).xx));
  };
  const std::string& f = tree.function;
  if (f == "zscore") return own + 100 * kUnit * size / deviation(arguments[0]);
  if (f == "covariance" || f == "correlation" || f == "beta") {
    const double size_y = LargestIn(arguments[1], row, n);
    if (size_y > 1e150) return kInfinity;
    const double dx = deviation(arguments[0]), dy = deviation(arguments[1]);
    const double error = 100 * kUnit * (size * dy + size_y * dx + kUnit * size * size_y);
    if (f == "covariance") return own + error;
    return own + error / (f == "beta" ? dy * dy : dx * dy) +
           100 * kUnit * std::abs(value) * (size_y / dy + (f == "beta" ? 0 : size / dx));
  }
  return own + kUnit * static_cast<double>(std::max<size_t>(n, 1)) * size;
}

bool IsExact(const std::string& f) {
  for (const char* const exact :
       {"lag", "delta", "highest", "lowest", "rank", "median", "quantile"}) {
    if (f == exact) return true;
  }
  return std::find(std::begin(kPointwise), std::end(kPointwise), f) != std::end(kPointwise);
}

struct Tally {
  size_t trees = 0, compared = 0, known = 0, skipped = 0;
};

// Compares every function of the tree with the slow one on what the kernels give as its arguments:
// errors of the arguments do not add up, so the limits can be tight.
void CheckTree(const Tree& tree, const CandleSeries& series, Tally& tally) {
  if (tree.function.empty() || IsNumber(tree)) return;
  std::vector<Array> arguments;
  for (const auto& argument : tree.arguments) {
    CheckTree(*argument, series, tally);
    if (testing::Test::HasFatalFailure()) return;
    arguments.push_back(ArgumentOf(*argument, series));
  }
  const Array fast = Fast(tree.text, series);
  const int64_t look_back = Expression(tree.text).look_back();
  Array slow(kRows);
  if (tree.n > 0) {
    slow = SlowWindowed(tree, arguments[0], arguments.size() > 1 ? arguments[1] : Array());
  } else {
    const auto value = [&](size_t a, size_t row) {
      return a < arguments.size() ? arguments[a][row] : 0.0;
    };
    for (size_t row = 0; row < kRows; ++row) {
      slow[row] = Pointwise(tree.function, value(0, row), value(1, row), value(2, row));
      if (static_cast<int64_t>(row) + 1 < look_back) slow[row] = kUnknown;
    }
  }
  ++tally.trees;
  for (size_t row = 0; row < kRows; ++row) {
    const double expected = std::isfinite(slow[row]) ? slow[row] : kUnknown;
    const double found = std::isfinite(fast[row]) ? fast[row] : kUnknown;
    ++tally.compared;
    if (IsExact(tree.function)) {
      ASSERT_TRUE(expected == found || (std::isnan(expected) && std::isnan(found)))
          << tree.text << " row " << row << ": " << found << " for " << expected;
    } else {
      const double allowed = Allowed(tree, arguments, row, expected);
      // Where rounding decides whether there is anything to divide by, either may be NaN.
      if (!std::isfinite(allowed) ||
          allowed > 1e-3 * (std::abs(expected) + LargestIn(fast, row, 1))) {
        tally.skipped += std::isfinite(expected) && std::isfinite(found) && expected != found;
        continue;
      }
      ASSERT_EQ(std::isnan(expected), std::isnan(found)) << tree.text << " row " << row;
      if (std::isnan(expected)) continue;
      ASSERT_NEAR(found, expected, allowed) << tree.text << " row " << row;
    }
    tally.known += !std::isnan(found);
  }
}

TEST(ExpressionProperty, RandomTreesEqualTheSlowEvaluator) {
  Random random(2024);
  const CandleSeries series = RandomSeries(kRows, 11);
  Tally tally;
  for (int trial = 0; trial < 300; ++trial) {
    const auto tree = RandomTree(random, 4);
    try {
      if (!IsNumber(*tree)) Expression(tree->text);
    } catch (const Error& error) {  // a number that is not finite: log(0.25 - 0.25)
      ASSERT_NE(error.problem().find("not a finite number"), std::string::npos) << error.what();
      continue;
    }
    CheckTree(*tree, series, tally);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(tally.trees, 600U);
  EXPECT_GT(tally.known, tally.compared / 3);
  EXPECT_LT(tally.skipped, tally.known / 20);
}

// ------------------------------------------------------------------------------------ random text

std::string RandomText(Random& random) {
  static const char* const kPieces[] = {
      "close",    "open", "volume", "vwap",  "rsi",         "macd_line", "ema", "lag", "where",
      "quantile", "beta", "atr",    "min",   "(",           ")",         "(",   ")",   ",",
      "+",        "-",    "*",      "/",     "<",           ">=",        "==",  "!=",  "&&",
      "||",       "!",    "and",    "or",    "not",         "0",         "1",   "14",  "2.5",
      "1e9",      "-1",   "0.5",    "1e308", " ",           "\n",        ".",   "=",   "^",
      "**",       "\"",   "\xff",   "\xc3",  "\xe2\x82\xac"};
  std::string text;
  const size_t pieces = 1 + random.Below(random.Below(10) == 0 ? 600 : 25);
  for (size_t i = 0; i < pieces; ++i) text += kPieces[random.Below(std::size(kPieces))];
  return text;
}

std::string Mutated(std::string text, Random& random) {
  const size_t changes = 1 + random.Below(4);
  for (size_t i = 0; i < changes && !text.empty(); ++i) {
    const size_t place = random.Below(text.size());
    switch (random.Below(4)) {
      case 0:
        text[place] = static_cast<char>(random.Below(256));
        break;
      case 1:
        text.erase(place, 1 + random.Below(5));
        break;
      case 2:
        text.insert(place, text.substr(random.Below(text.size()), random.Below(40)));
        break;
      default:
        text.insert(place, std::string(1 + random.Below(300), "(-!"[random.Below(3)]));
    }
  }
  return text;
}

// Either it is an expression, whose kernels then run, or an Error(kUsage) that points into it.
bool Try(const std::string& text, const CandleSeries& series) {
  try {
    const Expression expression(text);
    EXPECT_GE(expression.look_back(), 1);
    if (expression.look_back() > 100'000) return true;  // big windows: memory, not a fault
    KernelGraph graph;
    graph.AddColumn(expression.AddTo(graph));
    if (graph.clocks().size() > 1) return true;  // of another symbol: runs in a frame
    std::vector<float> cells(8);
    float* column = cells.data();
    graph.Run(8,
              {series.open.data(), series.high.data(), series.low.data(), series.close.data(),
               series.volume.data(), nullptr, nullptr, series.close.data()},
              std::span(&column, 1));
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage) << text;
    EXPECT_EQ(error.where().rfind("character ", 0), 0U) << error.what();
    EXPECT_EQ(error.remedy().back(), '^') << error.what();
    return false;
  }
}

int64_t Setting(const char* name, int64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoll(text);
}

TEST(ExpressionProperty, NoTextDoesHarm) {
  Random random(static_cast<uint64_t>(Setting("ALMANAC_FUZZ_SEED", 1)));
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::seconds(Setting("ALMANAC_FUZZ_SECONDS", 0));
  const CandleSeries series = RandomSeries(8, 2);
  size_t accepted = 0, refused = 0;
  while (accepted + refused < 6000 || std::chrono::steady_clock::now() < until) {
    std::string text;
    if (random.Below(3) == 0) {
      text = RandomText(random);
    } else {
      text = RandomTree(random, 1 + static_cast<int>(random.Below(5)))->text;
      if (random.Below(5) != 0) text = Mutated(text, random);
    }
    (Try(text, series) ? accepted : refused) += 1;
    if (HasFailure()) FAIL() << text;
  }
  EXPECT_GT(accepted, 600U);
  EXPECT_GT(refused, 600U);
}

}  // namespace
}  // namespace almanac
