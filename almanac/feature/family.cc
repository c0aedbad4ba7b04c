#include "almanac/feature/family.h"

#include <algorithm>

namespace almanac {
namespace {

struct Group {
  const char* name;
  std::vector<Family> families;
};

std::vector<Group> Groups() {
  return {{"alpha", AlphaFamilies()},
          {"candlestick", candlestick::CandlestickFamilies()},
          {"cross", CrossFamilies()},
          {"expression", ExpressionFamilies()},
          {"observation", ObservationFamilies()},
          {"statistics", statistics::MomentFamilies()},
          {"statistics", statistics::OrderFamilies()},
          {"structure", structure::PivotFamilies()},
          {"structure", structure::ProfileFamilies()},
          {"structure", structure::SwingFamilies()},
          {"technical", ReturnFamilies()},
          {"technical", TrendFamilies()},
          {"technical", VolumeFamilies()},
          {"technical", technical::AverageFamilies()},
          {"technical", technical::ChannelFamilies()},
          {"technical", technical::ConvergenceFamilies()},
          {"technical", technical::CycleFamilies()},
          {"technical", technical::LevelFamilies()},
          {"technical", technical::MomentumFamilies()},
          {"technical", technical::OscillatorFamilies()},
          {"technical", technical::StatisticFamilies()},
          {"technical", technical::TrendFamilies()},
          {"technical", technical::VolumeFamilies()},
          {"temporal", temporal::CalendarFamilies()},
          {"temporal", temporal::SessionFamilies()},
          {"volatility", VolatilityFamilies()},
          {"volatility", volatility::RangeFamilies()}};
}

std::vector<Family> CollectFamilies() {
  std::vector<Family> all;
  for (Group& group : Groups()) {
    for (Family& family : group.families) {
      family.info.group = group.name;
      all.push_back(std::move(family));
    }
  }
  for (Family& family : all) {
    FamilyInfo& info = family.info;
    if (family.add == nullptr || info.smallest_window == 0) continue;
    info.parameters = {{"window", info.smallest_window, FeatureSet::kLargestWindow}};
  }
  std::sort(all.begin(), all.end(),
            [](const Family& a, const Family& b) { return a.info.name < b.info.name; });
  return all;
}

std::vector<int64_t> ValuesOf(const FeatureSpec& spec) {
  std::vector<int64_t> values;
  for (const auto& parameter : spec.parameters) values.push_back(parameter.second);
  return values;
}

}  // namespace

const std::vector<Family>& AllFamilies() {
  static const std::vector<Family> kFamilies = CollectFamilies();
  return kFamilies;
}

const Family* FindFamily(std::string_view name) {
  const std::vector<Family>& all = AllFamilies();
  const auto found = std::lower_bound(
      all.begin(), all.end(), name,
      [](const Family& family, std::string_view wanted) { return family.info.name < wanted; });
  return found == all.end() || found->info.name != name ? nullptr : &*found;
}

KernelGraph::Node AddFeature(KernelGraph& graph, const FeatureSpec& spec) {
  const Family& family = *FindFamily(spec.family);
  if (family.add_text != nullptr) return family.add_text(graph, spec);
  const std::vector<int64_t> values = ValuesOf(spec);
  return family.add_all != nullptr ? family.add_all(graph, values)
                                   : family.add(graph, values.front());
}

int64_t LookBackOf(const Family& family, const FeatureSpec& spec) {
  if (family.look_back_of_text != nullptr) return family.look_back_of_text(spec);
  const std::vector<int64_t> values = ValuesOf(spec);
  return family.look_back != nullptr ? family.look_back(values)
                                     : values.front() + family.bars_before;
}

bool UnboundedMemoryOf(const Family& family, const FeatureSpec& spec) {
  return family.unbounded_memory_of_text != nullptr ? family.unbounded_memory_of_text(spec)
                                                    : family.unbounded_memory;
}

}  // namespace almanac
