// The columns of Qlib's Alpha158 and Alpha360, by Qlib's formulas with Qlib's constants.
//
// Formulas: qlib/contrib/data/loader.py (Alpha158DL, Alpha360DL), operators: qlib/data/ops.py and
// qlib/data/_libs/rolling.pyx. Qlib computes windows that are not full yet (min_periods = 1) and
// skips what is missing in them; here such rows are NaN.
#include <algorithm>
#include <cmath>

#include "almanac/feature/cell/joint.h"
#include "almanac/feature/cell/sorted.h"
#include "almanac/feature/family/technical.h"

namespace almanac {
namespace {

using technical::AddCell;
using technical::Change;
using technical::Close;
using technical::Difference;
using technical::ExtremeAge;
using technical::Gain;
using technical::High;
using technical::Lag;
using technical::Line;
using technical::Loss;
using technical::Low;
using technical::Map;
using technical::MeanAndDeviation;
using technical::Open;
using technical::Ratio;
using technical::RollingMaximum;
using technical::RollingMinimum;
using technical::RollingSum;
using technical::SampleDeviation;
using technical::Sign;
using technical::Signal;
using technical::Signals;
using technical::Size;
using technical::Volume;
using Node = KernelGraph::Node;
using Values = std::span<const int64_t>;
using Bar = std::array<double, 4>;  // open, high, low, close

// Qlib adds it to what it divides by.
constexpr double kTiny = 1e-12;
// Qlib gives no R squared and no correlation of what varies less (np.isclose(std, 0, atol=2e-5)).
constexpr double kLeastDeviation = 2e-5;

// The vwap that the source gave; where it gave none, or 0 for a bar without trades, the typical
// price.
Signal Vwap(KernelGraph& graph) {
  const Signal given = {"vwap", graph.Field(BarField::kVwap)};
  return Map<2>(graph, "vwap or typical price", {given, technical::TypicalPrice(graph)},
                [](const std::array<double, 2>& in) {
                  return in[0] > 0 && std::isfinite(in[0]) ? in[0] : in[1];
                });
}

template <typename Function>
Node OfBar(KernelGraph& graph, const char* name, Function function) {
  return Map<4>(graph, name, {Open(graph), High(graph), Low(graph), Close(graph)}, function).node;
}

Node AddKmid(KernelGraph& graph, Values) {
  return OfBar(graph, "kmid", [](const Bar& b) { return (b[3] - b[0]) / b[0]; });
}
Node AddKlen(KernelGraph& graph, Values) {
  return OfBar(graph, "klen", [](const Bar& b) { return (b[1] - b[2]) / b[0]; });
}
Node AddKmid2(KernelGraph& graph, Values) {
  return OfBar(graph, "kmid2", [](const Bar& b) { return (b[3] - b[0]) / (b[1] - b[2] + kTiny); });
}
Node AddKup(KernelGraph& graph, Values) {
  return OfBar(graph, "kup", [](const Bar& b) { return (b[1] - std::max(b[0], b[3])) / b[0]; });
}
Node AddKup2(KernelGraph& graph, Values) {
  return OfBar(graph, "kup2",
               [](const Bar& b) { return (b[1] - std::max(b[0], b[3])) / (b[1] - b[2] + kTiny); });
}
Node AddKlow(KernelGraph& graph, Values) {
  return OfBar(graph, "klow", [](const Bar& b) { return (std::min(b[0], b[3]) - b[2]) / b[0]; });
}
Node AddKlow2(KernelGraph& graph, Values) {
  return OfBar(graph, "klow2",
               [](const Bar& b) { return (std::min(b[0], b[3]) - b[2]) / (b[1] - b[2] + kTiny); });
}
Node AddKsft(KernelGraph& graph, Values) {
  return OfBar(graph, "ksft", [](const Bar& b) { return (2 * b[3] - b[1] - b[2]) / b[0]; });
}
Node AddKsft2(KernelGraph& graph, Values) {
  return OfBar(graph, "ksft2",
               [](const Bar& b) { return (2 * b[3] - b[1] - b[2]) / (b[1] - b[2] + kTiny); });
}

Signal Ref(KernelGraph& graph, const Signal& signal, int64_t bars) {
  return bars == 0 ? signal : Lag(graph, signal, bars);
}

// part / (whole + 1e-12)
Signal TinyRatio(KernelGraph& graph, const Signal& part, const Signal& whole) {
  return Map<2>(graph, "tiny ratio", {part, whole},
                [](const std::array<double, 2>& in) { return in[0] / (in[1] + kTiny); });
}

template <Signal (*kPrice)(KernelGraph&)>
Node AddPrice(KernelGraph& graph, Values v) {
  return Ratio(graph, Ref(graph, kPrice(graph), v[0]), Close(graph)).node;
}
template <Signal (*kPrice)(const KernelGraph&)>
Node AddPrice(KernelGraph& graph, Values v) {
  return Ratio(graph, Ref(graph, kPrice(graph), v[0]), Close(graph)).node;
}
Node AddVolume(KernelGraph& graph, Values v) {
  return TinyRatio(graph, Ref(graph, Volume(graph), v[0]), Volume(graph)).node;
}

Node AddRoc(KernelGraph& graph, int64_t n) {
  return Ratio(graph, Lag(graph, Close(graph), n), Close(graph)).node;
}
Node AddMa(KernelGraph& graph, int64_t n) {
  return Ratio(graph, MeanAndDeviation(graph, Close(graph), n)[0], Close(graph)).node;
}

Node AddStd(KernelGraph& graph, int64_t n) {
  return Ratio(graph, SampleDeviation(graph, Close(graph), n), Close(graph)).node;
}

// What makes of a line's cross sum its slope.
double SlopeFactor(int64_t n) {
  const auto length = static_cast<double>(n);
  return 12 / (length * (length * length - 1));
}

Node AddBeta(KernelGraph& graph, int64_t n) {
  return Ratio(graph, Line(graph, Close(graph), n)[1], Close(graph), SlopeFactor(n)).node;
}

Node AddRsqr(KernelGraph& graph, int64_t n) {
  const double factor = SlopeFactor(n) / static_cast<double>(n - 1);
  return Map<2>(graph, "qlib r squared",
                {Line(graph, Close(graph), n)[1], SampleDeviation(graph, Close(graph), n)},
                [factor](const std::array<double, 2>& in) {
                  const double cross = in[0] / in[1];
                  return in[1] > kLeastDeviation ? factor * cross * cross : kUnknown;
                },
                {factor})
      .node;
}

Node AddResi(KernelGraph& graph, int64_t n) {
  const double to_end = SlopeFactor(n) * static_cast<double>(n - 1) / 2;
  const Signals<2> line = Line(graph, Close(graph), n);
  return Map<3>(graph, "qlib residual", {Close(graph), line[0], line[1]},
                [to_end](const std::array<double, 3>& in) {
                  return (in[0] - in[1] - to_end * in[2]) / in[0];
                },
                {to_end})
      .node;
}

Node AddMax(KernelGraph& graph, int64_t n) {
  return Ratio(graph, RollingMaximum(graph, High(graph), n), Close(graph)).node;
}
Node AddMin(KernelGraph& graph, int64_t n) {
  return Ratio(graph, RollingMinimum(graph, Low(graph), n), Close(graph)).node;
}

// The quantiles 0.8 and 0.2 and the rank of the newest value, which is known.
struct OrderCell {
  static constexpr size_t kInputs = 1, kOutputs = 3;
  static constexpr double kUpper = 0.8, kLower = 0.2;
  SortedWindow window;

  void Step(const std::array<double, 1>& in, std::array<double, 3>& out) {
    const size_t below = window.Push(in[0]);
    out.fill(kUnknown);
    if (!window.full()) return;
    out = {window.Quantile(kUpper), window.Quantile(kLower), window.RankShare(below)};
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(window);
  }
};

Signals<3> Order(KernelGraph& graph, int64_t n) {
  return AddCell(graph, "qlib order", {Close(graph)}, {static_cast<double>(n)},
                 OrderCell{SortedWindow(n)});
}

Node AddQtlu(KernelGraph& graph, Values v) {
  return Ratio(graph, Order(graph, v[0])[0], Close(graph)).node;
}
Node AddQtld(KernelGraph& graph, Values v) {
  return Ratio(graph, Order(graph, v[0])[1], Close(graph)).node;
}
Node AddRank(KernelGraph& graph, Values v) { return Order(graph, v[0])[2].node; }

Node AddRsv(KernelGraph& graph, int64_t n) {
  return Map<3>(graph, "rsv",
                {Close(graph), RollingMinimum(graph, Low(graph), n),
                 RollingMaximum(graph, High(graph), n)},
                [](const std::array<double, 3>& in) {
                  return (in[0] - in[1]) / (in[2] - in[1] + kTiny);
                })
      .node;
}

// Qlib's IdxMax and IdxMin count from 1, the oldest bar of the window, and take the oldest of
// equals.
Node AddIndex(KernelGraph& graph, const Signal& age, int64_t n) {
  const auto length = static_cast<double>(n);
  return Map<1>(graph, "qlib index", {age},
                [length](const std::array<double, 1>& in) { return (length - in[0]) / length; },
                {length})
      .node;
}
Signal HighAge(KernelGraph& graph, int64_t n) {
  return ExtremeAge<true, Equals::kOldest>(graph, High(graph), n);
}
Signal LowAge(KernelGraph& graph, int64_t n) {
  return ExtremeAge<false, Equals::kOldest>(graph, Low(graph), n);
}
Node AddImax(KernelGraph& graph, int64_t n) { return AddIndex(graph, HighAge(graph, n), n); }
Node AddImin(KernelGraph& graph, int64_t n) { return AddIndex(graph, LowAge(graph, n), n); }
Node AddImxd(KernelGraph& graph, int64_t n) {
  const auto length = static_cast<double>(n);
  return Map<2>(graph, "imxd", {LowAge(graph, n), HighAge(graph, n)},
                [length](const std::array<double, 2>& in) { return (in[0] - in[1]) / length; },
                {length})
      .node;
}

Node AddCorrelation(KernelGraph& graph, const Signal& x, const Signal& y, int64_t n) {
  return AddCell(graph, "qlib correlation", {x, y}, {static_cast<double>(n)},
                 CorrelationCell{FoldWindow<JointMoments>(n), kLeastDeviation})[0]
      .node;
}
Node AddCorr(KernelGraph& graph, int64_t n) {
  const Signal volume = Map<1>(graph, "log1p", {Volume(graph)},
                               [](const std::array<double, 1>& in) { return std::log(in[0] + 1); });
  return AddCorrelation(graph, Close(graph), volume, n);
}
Node AddCord(KernelGraph& graph, int64_t n) {
  const Signal price = Ratio(graph, Close(graph), Lag(graph, Close(graph), 1));
  const Signal volume =
      Map<1>(graph, "log1p", {Ratio(graph, Volume(graph), Lag(graph, Volume(graph), 1))},
             [](const std::array<double, 1>& in) { return std::log(in[0] + 1); });
  return AddCorrelation(graph, price, volume, n);
}

Node AddShare(KernelGraph& graph, const Signal& indicator, int64_t n) {
  const auto length = static_cast<double>(n);
  return Map<1>(graph, "mean of sum", {RollingSum(graph, indicator, n)},
                [length](const std::array<double, 1>& in) { return in[0] / length; }, {length})
      .node;
}
Node AddCntp(KernelGraph& graph, int64_t n) {
  return AddShare(graph, Gain(graph, Sign(graph, Change(graph, Close(graph)))), n);
}
Node AddCntn(KernelGraph& graph, int64_t n) {
  return AddShare(graph, Loss(graph, Sign(graph, Change(graph, Close(graph)))), n);
}
Node AddCntd(KernelGraph& graph, int64_t n) {
  return AddShare(graph, Sign(graph, Change(graph, Close(graph))), n);
}

Signal Path(KernelGraph& graph, const Signal& of, int64_t n) {
  return RollingSum(graph, Size(graph, Change(graph, of)), n);
}
Signal Gains(KernelGraph& graph, const Signal& of, int64_t n) {
  return RollingSum(graph, Gain(graph, Change(graph, of)), n);
}
Signal Losses(KernelGraph& graph, const Signal& of, int64_t n) {
  return RollingSum(graph, Loss(graph, Change(graph, of)), n);
}
template <Signal (*kOf)(const KernelGraph&)>
Node AddSumP(KernelGraph& graph, int64_t n) {
  return TinyRatio(graph, Gains(graph, kOf(graph), n), Path(graph, kOf(graph), n)).node;
}
template <Signal (*kOf)(const KernelGraph&)>
Node AddSumN(KernelGraph& graph, int64_t n) {
  return TinyRatio(graph, Losses(graph, kOf(graph), n), Path(graph, kOf(graph), n)).node;
}
template <Signal (*kOf)(const KernelGraph&)>
Node AddSumD(KernelGraph& graph, int64_t n) {
  return TinyRatio(graph,
                   Difference(graph, Gains(graph, kOf(graph), n), Losses(graph, kOf(graph), n)),
                   Path(graph, kOf(graph), n))
      .node;
}

Node AddVma(KernelGraph& graph, int64_t n) {
  return TinyRatio(graph, MeanAndDeviation(graph, Volume(graph), n)[0], Volume(graph)).node;
}

Node AddVstd(KernelGraph& graph, int64_t n) {
  return TinyRatio(graph, SampleDeviation(graph, Volume(graph), n), Volume(graph)).node;
}
Node AddWvma(KernelGraph& graph, int64_t n) {
  const Signal weighted = Map<3>(
      graph, "volume times size of return",
      {Close(graph), Lag(graph, Close(graph), 1), Volume(graph)},
      [](const std::array<double, 3>& in) { return std::abs((in[0] - in[1]) / in[1]) * in[2]; });
  return TinyRatio(graph, SampleDeviation(graph, weighted, n),
                   MeanAndDeviation(graph, weighted, n)[0])
      .node;
}

struct Text {
  const char* column;
  const char* formula;
  const char* range;
};

// "KMID" of Qlib is the family alpha_kmid.
std::string FamilyName(std::string_view column) {
  std::string name = "alpha_";
  for (const char letter : column) {
    name += static_cast<char>(letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter);
  }
  return name;
}

FamilyInfo InfoOf(const Text& text, const char* look_back, int64_t smallest_window) {
  FamilyInfo info;
  info.name = FamilyName(text.column);
  info.formula = text.formula;
  info.unit = "ratio";
  info.range = text.range;
  info.look_back = look_back;
  info.smallest_window = smallest_window;
  info.source = std::string("Qlib: ") + text.column;
  info.column = text.column;
  return info;
}

Family OfOneBar(const Text& text, Node (*add)(KernelGraph&, Values)) {
  return {.info = InfoOf(text, "1 bar", 0), .add_all = add, .look_back = [](Values) {
            return int64_t{1};
          }};
}

Family OfLag(const Text& text, Node (*add)(KernelGraph&, Values)) {
  Family family{.info = InfoOf(text, "lag + 1 bars", 0), .add_all = add, .look_back = [](Values v) {
                  return v[0] + 1;
                }};
  family.info.parameters = {{.name = "lag", .smallest = 0}};
  return family;
}

Family OfWindow(const Text& text, Node (*add)(KernelGraph&, int64_t), int64_t bars_before = 0,
                int64_t smallest = 1) {
  return {.info = InfoOf(text, bars_before == 0 ? "n bars" : "n + 1 bars", smallest),
          .bars_before = bars_before,
          .add = add};
}

Family OfSortedWindow(const Text& text, Node (*add)(KernelGraph&, Values)) {
  Family family{.info = InfoOf(text, "n bars", 1), .add_all = add, .look_back = [](Values v) {
                  return v[0];
                }};
  family.info.parameters = {{.name = "window", .largest = SortedWindow::kLargest}};
  return family;
}

constexpr char kPositive[] = "(0, inf)";
constexpr char kNotNegative[] = "[0, inf)";
constexpr char kShare[] = "[0, 1]";
constexpr char kSigned[] = "[-1, 1]";
constexpr char kAny[] = "(-inf, inf)";

std::vector<Family> OneBarFamilies() {
  return {
      OfOneBar({"KMID", "(close - open) / open", "(-1, inf)"}, AddKmid),
      OfOneBar({"KLEN", "(high - low) / open", kNotNegative}, AddKlen),
      OfOneBar({"KMID2", "(close - open) / (high - low + 1e-12)", kSigned}, AddKmid2),
      OfOneBar({"KUP", "(high - max(open, close)) / open", kNotNegative}, AddKup),
      OfOneBar({"KUP2", "(high - max(open, close)) / (high - low + 1e-12)", kShare}, AddKup2),
      OfOneBar({"KLOW", "(min(open, close) - low) / open", "[0, 1)"}, AddKlow),
      OfOneBar({"KLOW2", "(min(open, close) - low) / (high - low + 1e-12)", kShare}, AddKlow2),
      OfOneBar({"KSFT", "(2 close - high - low) / open", kAny}, AddKsft),
      OfOneBar({"KSFT2", "(2 close - high - low) / (high - low + 1e-12)", kSigned}, AddKsft2),
      OfLag({"OPEN", "open[t-lag] / close[t]", kPositive}, AddPrice<Open>),
      OfLag({"HIGH", "high[t-lag] / close[t]", kPositive}, AddPrice<High>),
      OfLag({"LOW", "low[t-lag] / close[t]", kPositive}, AddPrice<Low>),
      OfLag({"CLOSE", "close[t-lag] / close[t]", kPositive}, AddPrice<Close>),
      OfLag({"VWAP",
             "vwap[t-lag] / close[t]; (high + low + close) / 3 where the bar has no vwap above 0",
             kPositive},
            AddPrice<Vwap>),
      OfLag({"VOLUME", "volume[t-lag] / (volume[t] + 1e-12)", kNotNegative}, AddVolume),
  };
}

std::vector<Family> PriceFamilies() {
  return {
      OfWindow({"ROC", "close[t-n] / close[t]", kPositive}, AddRoc, 1),
      OfWindow({"MA", "mean(close) / close[t]", kPositive}, AddMa),
      OfWindow({"STD", "std(close) / close[t], divisor n - 1", kNotNegative}, AddStd, 0, 2),
      OfWindow({"BETA", "slope of the least-squares line through n closes / close[t]", kAny},
               AddBeta, 0, 2),
      OfWindow({"RSQR",
                "R squared of the least-squares line through n closes; NaN where std(close), "
                "divisor n - 1, is at most 2e-5",
                kShare},
               AddRsqr, 0, 2),
      OfWindow({"RESI", "(close[t] - the least-squares line through n closes at t) / close[t]",
                "(-inf, 1)"},
               AddResi, 0, 2),
      OfWindow({"MAX", "max(high) / close[t]", "[1, inf)"}, AddMax),
      OfWindow({"MIN", "min(low) / close[t]", "(0, 1]"}, AddMin),
      OfSortedWindow(
          {"QTLU", "0.8 quantile of n closes / close[t], linear between neighbours", kPositive},
          AddQtlu),
      OfSortedWindow(
          {"QTLD", "0.2 quantile of n closes / close[t], linear between neighbours", kPositive},
          AddQtld),
      OfSortedWindow(
          {"RANK", "rank of close[t] among n closes / n, the mean of equals' ranks", "(0, 1]"},
          AddRank),
      OfWindow({"RSV", "(close[t] - min(low)) / (max(high) - min(low) + 1e-12)", kShare}, AddRsv),
      OfWindow({"IMAX", "place (1 the oldest bar) of the highest high, the oldest of equals / n",
                "(0, 1]"},
               AddImax),
      OfWindow({"IMIN", "place (1 the oldest bar) of the lowest low, the oldest of equals / n",
                "(0, 1]"},
               AddImin),
      OfWindow({"IMXD", "IMAX - IMIN", "(-1, 1)"}, AddImxd),
  };
}

std::vector<Family> FlowFamilies() {
  return {
      OfWindow({"CORR",
                "correlation of close and ln(volume + 1); NaN where the std of one is at most 2e-5",
                kSigned},
               AddCorr, 0, 2),
      OfWindow({"CORD",
                "correlation of close / close[t-1] and ln(volume / volume[t-1] + 1); NaN where the "
                "std of one is at most 2e-5, and where a volume[t-1] in the window is 0",
                kSigned},
               AddCord, 1, 2),
      OfWindow({"CNTP", "share of the n bars with close > close[t-1]", kShare}, AddCntp, 1),
      OfWindow({"CNTN", "share of the n bars with close < close[t-1]", kShare}, AddCntn, 1),
      OfWindow({"CNTD", "CNTP - CNTN", kSigned}, AddCntd, 1),
      OfWindow({"SUMP", "sum of max(d, 0) / (sum of |d| + 1e-12), d = close - close[t-1]", kShare},
               AddSumP<Close>, 1),
      OfWindow({"SUMN", "sum of max(-d, 0) / (sum of |d| + 1e-12), d = close - close[t-1]", kShare},
               AddSumN<Close>, 1),
      OfWindow({"SUMD", "SUMP - SUMN", kSigned}, AddSumD<Close>, 1),
      OfWindow({"VMA", "mean(volume) / (volume[t] + 1e-12)", kNotNegative}, AddVma),
      OfWindow({"VSTD", "std(volume) / (volume[t] + 1e-12), divisor n - 1", kNotNegative}, AddVstd,
               0, 2),
      OfWindow(
          {"WVMA", "std(w) / (mean(w) + 1e-12), w = |close / close[t-1] - 1| volume, divisor n - 1",
           kNotNegative},
          AddWvma, 1, 2),
      OfWindow(
          {"VSUMP", "sum of max(d, 0) / (sum of |d| + 1e-12), d = volume - volume[t-1]", kShare},
          AddSumP<Volume>, 1),
      OfWindow(
          {"VSUMN", "sum of max(-d, 0) / (sum of |d| + 1e-12), d = volume - volume[t-1]", kShare},
          AddSumN<Volume>, 1),
      OfWindow({"VSUMD", "VSUMP - VSUMN", kSigned}, AddSumD<Volume>, 1),
  };
}

}  // namespace

std::vector<Family> AlphaFamilies() {
  std::vector<Family> all;
  for (const auto& families : {OneBarFamilies(), PriceFamilies(), FlowFamilies()}) {
    all.insert(all.end(), families.begin(), families.end());
  }
  return all;
}

}  // namespace almanac
