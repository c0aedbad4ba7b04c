// Volume against its own recent past.
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

struct VolumeZScore {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  FoldWindow<Moments> volumes;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    const Moments::Value window = volumes.Push(Moments::Of(in[0]));
    const double deviation = window.SampleDeviation();
    out[0] = volumes.full() && deviation > 0 ? (in[0] - window.mean) / deviation : kUnknown;
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
  return graph.Add("volume z-score " + std::to_string(window), {graph.Field(BarField::kVolume)},
                   [&] { return MakeKernel(VolumeZScore{FoldWindow<Moments>(window)}); });
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
