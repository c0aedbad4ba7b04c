#include "almanac/neural/importance.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "almanac/neural/tft.h"
#include "almanac/neural/trainer.h"

namespace almanac::neural {
namespace {

constexpr size_t kMostWindows = 512;

std::vector<double> Numbers(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.to(at::kCPU, at::kDouble).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

}  // namespace

Json ImportanceOf(Network& network, const WindowSource& source, at::Device device,
                  const std::vector<std::string>& features) {
  const size_t count = std::min(kMostWindows, source.size());
  std::vector<size_t> which;
  for (size_t i = 0; i < count; ++i) which.push_back(i * source.size() / count);
  Batch batch;
  source.Gather(which, &batch);
  const TftWeights weights = ExplainTft(network, InputOf(batch, source, device));
  std::vector<std::string> names = features;
  names.insert(names.end(), kKnownNames.begin(), kKnownNames.end());
  const std::vector<double> past = Numbers(weights.past), future = Numbers(weights.future);
  Json json = {{"past", Json::object()}, {"future", Json::object()}, {"attention", Json::array()}};
  for (size_t i = 0; i < names.size(); ++i) json["past"][names[i]] = past[i];
  for (size_t i = 0; i < kKnownInputs; ++i) json["future"][kKnownNames[i]] = future[i];
  for (int64_t h = 0; h < weights.attention.size(0); ++h) {
    json["attention"].push_back(Numbers(weights.attention[h]));
  }
  return json;
}

}  // namespace almanac::neural
