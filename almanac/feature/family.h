// What a family of features is inside this room: its line of the catalogue and how its kernels are
// wired. Each family stands in a file below family/.
#ifndef ALMANAC_FEATURE_FAMILY_H_
#define ALMANAC_FEATURE_FAMILY_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "almanac/feature/feature_set.h"
#include "almanac/feature/graph.h"

namespace almanac {

struct Family {
  FamilyInfo info;
  int64_t bars_before = 0;  // the look-back is window + bars_before
  bool unbounded_memory = false;
  // Adds the column of a window to the graph.
  KernelGraph::Node (*add)(KernelGraph& graph, int64_t window) = nullptr;
  // For families whose parameters are not one window: the same for the values of
  // `info.parameters`, in order, and their look-back.
  KernelGraph::Node (*add_all)(KernelGraph& graph, std::span<const int64_t> values) = nullptr;
  int64_t (*look_back)(std::span<const int64_t> values) = nullptr;
  // For families that read FeatureSpec::text (info.reads_text): read_text gives the text and name
  // of each column of a mapping, check_text throws Error(kUsage), the others get a specification
  // that passed it.
  std::vector<FeatureSpec> (*read_text)(const ConfigNode& node) = nullptr;
  void (*check_text)(const FeatureSpec& spec) = nullptr;
  KernelGraph::Node (*add_text)(KernelGraph& graph, const FeatureSpec& spec) = nullptr;
  int64_t (*look_back_of_text)(const FeatureSpec& spec) = nullptr;
  bool (*unbounded_memory_of_text)(const FeatureSpec& spec) = nullptr;
};

// Adds the family's value of a checked specification, of the bars of the entered clock; what is
// done to the value is AddSpec's work (compose.h).
KernelGraph::Node AddFeature(KernelGraph& graph, const FeatureSpec& spec);
int64_t LookBackOf(const Family& family, const FeatureSpec& spec);
bool UnboundedMemoryOf(const Family& family, const FeatureSpec& spec);

std::vector<Family> ReturnFamilies();
std::vector<Family> TrendFamilies();
std::vector<Family> VolatilityFamilies();
std::vector<Family> VolumeFamilies();

namespace candlestick {
std::vector<Family> CandlestickFamilies();
}  // namespace candlestick

namespace technical {
std::vector<Family> AverageFamilies();
std::vector<Family> ChannelFamilies();
std::vector<Family> ConvergenceFamilies();
std::vector<Family> CycleFamilies();
std::vector<Family> LevelFamilies();
std::vector<Family> MomentumFamilies();
std::vector<Family> OscillatorFamilies();
std::vector<Family> StatisticFamilies();
std::vector<Family> TrendFamilies();
std::vector<Family> VolumeFamilies();
}  // namespace technical

std::vector<Family> AlphaFamilies();
std::vector<Family> CrossFamilies();
std::vector<Family> ExpressionFamilies();
std::vector<Family> ObservationFamilies();

namespace statistics {
std::vector<Family> MomentFamilies();
std::vector<Family> OrderFamilies();
}  // namespace statistics

namespace structure {
std::vector<Family> PivotFamilies();
std::vector<Family> ProfileFamilies();
std::vector<Family> SwingFamilies();
}  // namespace structure

namespace temporal {
std::vector<Family> CalendarFamilies();
std::vector<Family> SessionFamilies();
}  // namespace temporal

namespace volatility {
std::vector<Family> RangeFamilies();
}  // namespace volatility

// All of the above, sorted by name.
const std::vector<Family>& AllFamilies();
// Null if there is none of that name.
const Family* FindFamily(std::string_view name);

// Nodes that several families use: ln(close[t] / close[t-1]), NaN at the first bar.
KernelGraph::Node AddOneBarLogReturn(KernelGraph& graph);

}  // namespace almanac

#endif  // ALMANAC_FEATURE_FAMILY_H_
