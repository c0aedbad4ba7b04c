// Volume against its own recent past.
#include "almanac/feature/cell/moments.h"
#include "almanac/feature/family.h"
#include "almanac/feature/window.h"

namespace almanac {
namespace {

using Node = KernelGraph::Node;

struct VolumeRatio {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  FoldWindow<Sum> volumes;
  double length;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    const double sum = volumes.Push(in[0]);
    out[0] = volumes.full() && sum > 0 ? in[0] / (sum / length) : kUnknown;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(volumes);
  }
};

Node AddVolumeRatio(KernelGraph& graph, int64_t window) {
  return graph.Add("volume ratio " + std::to_string(window), {graph.Field(BarField::kVolume)}, [&] {
    return MakeKernel(VolumeRatio{FoldWindow<Sum>(window), static_cast<double>(window)});
  });
}

Node AddVolumeZScore(KernelGraph& graph, int64_t window) {
  const Node deviation =
      graph.Add("volume z-score " + std::to_string(window), {graph.Field(BarField::kVolume)},
                [&] { return MakeKernel(ScoreCell{FoldWindow<Moments>(window)}); });
  return deviation + 1;  // its second output is the score
}

}  // namespace

std::vector<Family> VolumeFamilies() {
  return {
      {{"volume_ratio", "volume[t] / mean of volume[t-n+1..t]; NaN where all of them are 0",
        "ratio", "[0, n]", "n bars", 1, "pandas: volume / volume.rolling(n).mean()"},
       0,
       false,
       AddVolumeRatio},
      {{"volume_zscore",
        "(volume[t] - mean) / std of volume[t-n+1..t]; std with divisor n - 1, NaN where it is 0",
        "standard deviations", "[-(n-1)/sqrt(n), (n-1)/sqrt(n)]", "n bars", 2,
        "pandas: (volume - volume.rolling(n).mean()) / volume.rolling(n).std()"},
       0,
       false,
       AddVolumeZScore},
  };
}

}  // namespace almanac
