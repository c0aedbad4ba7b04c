#include "almanac/feature/graph.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace almanac {
namespace {

float ToCell(double value) {
  const auto cell = static_cast<float>(value);
  return std::isfinite(cell) ? cell : std::numeric_limits<float>::quiet_NaN();
}

}  // namespace

KernelGraph::KernelGraph() : nodes_(kBarFields) {}

KernelGraph::Node KernelGraph::Add(const std::string& key, const std::vector<Node>& inputs,
                                   const std::function<std::unique_ptr<Kernel>()>& make) {
  const auto [place, is_new] = by_key_.try_emplace(key, nodes_.size());
  if (!is_new) return place->second;
  Step step{make(), inputs, nodes_.size()};
  for (size_t o = 0; o < step.kernel->outputs(); ++o) {
    buffers_.push_back(std::make_unique<double[]>(kBlockRows));
    nodes_.push_back(buffers_.back().get());
  }
  steps_.push_back(std::move(step));
  return place->second;
}

void KernelGraph::Run(size_t rows, const std::array<const double*, kBarFields>& fields,
                      std::span<float* const> columns) {
  for (size_t first = 0; first < rows; first += kBlockRows) {
    const size_t count = std::min(kBlockRows, rows - first);
    std::array<const double*, kBarFields> block{};
    for (size_t f = 0; f < kBarFields; ++f) {
      block[f] = fields[f] == nullptr ? nullptr : fields[f] + first;
    }
    RunBlock(count, block);
    for (size_t c = 0; c < columns.size(); ++c) {
      const double* values = nodes_[columns_[c]];
      std::transform(values, values + count, columns[c] + first, ToCell);
    }
  }
}

void KernelGraph::RunBlock(size_t rows, const std::array<const double*, kBarFields>& fields) {
  std::copy(fields.begin(), fields.end(), nodes_.begin());
  for (Step& step : steps_) {
    inputs_.clear();
    outputs_.clear();
    for (const Node node : step.inputs) inputs_.push_back(nodes_[node]);
    for (size_t o = 0; o < step.kernel->outputs(); ++o) {
      outputs_.push_back(buffers_[step.first_output - kBarFields + o].get());
    }
    step.kernel->Run({rows, inputs_.data(), outputs_.data()});
  }
}

void KernelGraph::SaveState(StateWriter& writer) const {
  for (const Step& step : steps_) step.kernel->SaveState(writer);
}

void KernelGraph::LoadState(StateReader& reader) {
  for (Step& step : steps_) step.kernel->LoadState(reader);
}

}  // namespace almanac
