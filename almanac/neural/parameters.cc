#include "almanac/neural/parameters.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <string>

#include "almanac/base/error.h"

namespace almanac::neural {

at::Tensor Parameters::Add(std::string name, const at::Tensor& initial) {
  at::Tensor leaf = initial.detach().clone().set_requires_grad(true);
  learnt_.emplace_back(std::move(name), leaf);
  return leaf;
}

at::Tensor Parameters::AddBuffer(std::string name, const at::Tensor& initial) {
  at::Tensor buffer = initial.detach().clone();
  buffers_.emplace_back(std::move(name), buffer);
  return buffer;
}

int64_t Parameters::Count() const {
  int64_t count = 0;
  for (const auto& [name, tensor] : learnt_) count += tensor.numel();
  return count;
}

void Parameters::MoveTo(at::Device device) {
  const at::NoGradGuard no_gradients;
  for (auto& [name, tensor] : learnt_) tensor.set_data(tensor.to(device));
  for (auto& [name, tensor] : buffers_) tensor.set_data(tensor.to(device));
}

void Parameters::ClearGradients() {
  for (auto& [name, tensor] : learnt_) tensor.mutable_grad() = at::Tensor();
}

NamedTensors Parameters::Snapshot() const {
  NamedTensors saved;
  for (const NamedTensors* all : {&learnt_, &buffers_}) {
    for (const auto& [name, tensor] : *all) {
      saved.emplace_back(name, tensor.detach().to(at::kCPU).clone().contiguous());
    }
  }
  return saved;
}

void Parameters::Restore(const NamedTensors& saved) {
  const at::NoGradGuard no_gradients;
  std::map<std::string, at::Tensor> by_name(saved.begin(), saved.end());
  for (NamedTensors* all : {&learnt_, &buffers_}) {
    for (auto& [name, tensor] : *all) {
      const auto found = by_name.find(name);
      if (found == by_name.end()) {
        throw Error(ErrorCode::kBadData, name, "the weights have no such tensor",
                    "give the weights of this architecture");
      }
      if (found->second.sizes() != tensor.sizes()) {
        throw Error(
            ErrorCode::kBadData, name,
            fmt::format("has the shape [{}] instead of [{}]",
                        fmt::join(found->second.sizes(), ", "), fmt::join(tensor.sizes(), ", ")),
            "give the weights of this architecture and these sizes");
      }
      tensor.copy_(found->second);
      by_name.erase(found);
    }
  }
  if (!by_name.empty()) {
    throw Error(ErrorCode::kBadData, by_name.begin()->first, "the network has no such tensor",
                "give the weights of this architecture");
  }
}

at::Tensor XavierUniform(at::IntArrayRef shape) {
  int64_t width = 1;
  for (size_t d = 2; d < shape.size(); ++d) width *= shape[d];
  const auto fans = static_cast<double>((shape[0] + shape[1]) * width);
  const double bound = std::sqrt(6.0 / fans);
  return at::empty(shape, at::kFloat).uniform_(-bound, bound);
}

at::Tensor Orthogonal(int64_t blocks, int64_t rows, int64_t columns) {
  std::vector<at::Tensor> parts;
  for (int64_t block = 0; block < blocks; ++block) {
    const bool wide = rows < columns;
    const at::Tensor normal =
        wide ? at::randn({columns, rows}, at::kDouble) : at::randn({rows, columns}, at::kDouble);
    const auto [q, r] = at::linalg_qr(normal);
    // Without the signs of R's diagonal the matrices would not be uniform over the group.
    const at::Tensor part = q * at::sign(at::diagonal(r));
    parts.push_back(wide ? part.t() : part);
  }
  return at::cat(parts, 0).to(at::kFloat).contiguous();
}

}  // namespace almanac::neural
