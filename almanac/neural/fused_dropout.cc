#include "almanac/neural/fused_dropout.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <mutex>

#include "almanac/neural/fused.h"
#include "almanac/neural/fused_dropout_kernel.h"

namespace almanac::neural {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr size_t kPiece = size_t{1} << 16;  // numbers that are worth a thread

uint64_t DrawKey() {
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  const std::lock_guard lock(generator.mutex());
  return at::check_generator<at::CPUGeneratorImpl>(generator)->random64();
}

at::Tensor Dropped(const at::Tensor& given, double rate, uint64_t key) {
  const at::Tensor x = given.contiguous(), out = at::empty_like(x);
  const auto count = static_cast<size_t>(x.numel());
  TorchRunner().run((count + kPiece - 1) / kPiece, [&](size_t piece) {
    DropPass(x.data_ptr<float>(), out.data_ptr<float>(), piece * kPiece,
             std::min(count, (piece + 1) * kPiece), key, rate);
  });
  return out;
}

class DropoutFunction : public torch::autograd::Function<DropoutFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, double rate,
                            int64_t key) {
    context->saved_data["rate"] = rate;
    context->saved_data["key"] = key;
    return Dropped(x, rate, static_cast<uint64_t>(key));
  }

  static variable_list backward(AutogradContext* context, variable_list losses) {
    // The gradient's own gradient is dropped alike, where one is asked for.
    return {apply(losses[0], context->saved_data["rate"].toDouble(),
                  context->saved_data["key"].toInt()),
            {},
            {}};
  }
};

}  // namespace

at::Tensor Dropout(const at::Tensor& x, double rate, bool training) {
  if (!training || rate <= 0) return x;
  if (rate >= 1 || !x.device().is_cpu() || x.scalar_type() != at::kFloat ||
      x.layout() != at::kStrided) {
    return at::dropout(x, rate, training);
  }
  return DropoutFunction::apply(x, rate, static_cast<int64_t>(DrawKey()));
}

}  // namespace almanac::neural
