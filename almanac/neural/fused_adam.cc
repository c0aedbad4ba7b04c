#include "almanac/neural/fused_adam.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "almanac/neural/fused.h"

namespace almanac::neural {
namespace {

constexpr size_t kPiece = size_t{1} << 16;  // numbers that are worth a thread

bool Fits(const at::Tensor& tensor, at::IntArrayRef sizes) {
  return tensor.device().is_cpu() && tensor.scalar_type() == at::kFloat && tensor.is_contiguous() &&
         tensor.sizes() == sizes;
}

}  // namespace

bool FusedAdam(const at::Tensor& weight, const at::Tensor& gradient, const at::Tensor& first,
               const at::Tensor& second, const AdamOptions& options, int64_t step) {
  const at::Tensor slopes = gradient.is_sparse() ? gradient : gradient.contiguous();
  for (const at::Tensor* tensor : {&weight, &slopes, &first, &second}) {
    if (tensor->is_sparse() || !Fits(*tensor, weight.sizes())) return false;
  }
  const auto count = static_cast<size_t>(weight.numel());
  TorchRunner().run((count + kPiece - 1) / kPiece, [&](size_t piece) {
    const size_t begin = piece * kPiece;
    StepAdam({weight.data_ptr<float>() + begin, slopes.data_ptr<float>() + begin,
              first.data_ptr<float>() + begin, second.data_ptr<float>() + begin,
              std::min(kPiece, count - begin)},
             options, step);
  });
  weight.unsafeGetTensorImpl()->bump_version();
  return true;
}

std::optional<double> FusedSumOfSquares(const at::Tensor& tensor) {
  if (tensor.is_sparse() || !tensor.device().is_cpu() || tensor.scalar_type() != at::kFloat ||
      !tensor.is_non_overlapping_and_dense()) {
    return std::nullopt;
  }
  const auto count = static_cast<size_t>(tensor.numel());
  const float* numbers = tensor.data_ptr<float>();
  std::vector<double> sums((count + kPiece - 1) / kPiece);
  TorchRunner().run(sums.size(), [&](size_t piece) {
    const size_t begin = piece * kPiece;
    sums[piece] = SumOfSquares(numbers + begin, std::min(kPiece, count - begin));
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace almanac::neural
