#include "almanac/neural/export_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/neural/export_tft.h"

namespace almanac::neural {
namespace {

using Value = GraphWriter::Value;

constexpr int kFormatVersion = 1;

Json About(const SavedNetwork& saved, Checkpoint checkpoint) {
  std::vector<std::string> outputs;
  for (const std::string& name : saved.classes) outputs.push_back("p_" + name);
  for (const double percent : saved.options.quantiles) {
    outputs.push_back(fmt::format("q{}", percent));
  }
  if (outputs.empty()) outputs.emplace_back("value");
  Json about = {{"almanac_export", kFormatVersion},
                {"kind", Name(saved.options.architecture)},
                {"checkpoint", checkpoint == Checkpoint::kBest ? "best" : "final"},
                {"steps", saved.shape.steps},
                {"features", saved.scaler.names()},
                {"horizons", saved.shape.horizons},
                {"outputs", outputs},
                {"target", {{"name", saved.target_name}, {"unit", saved.target_unit}}},
                {"classes", saved.classes},
                {"data", saved.data_hash}};
  if (saved.shape.known > 0) {
    about["known"] = kKnownNames;
    about["calendar"] = saved.calendar.ToJson();
    about["groups"] = saved.symbols;
  }
  return about;
}

Value DescribeHead(const ExportSource& source, const Value& found, bool normalise,
                   GraphWriter& graph) {
  Value x = found;
  for (size_t i = 0; i < source.options.dense.size(); ++i) {
    x = graph.Apply(GraphWriter::Unary::kRelu,
                    graph.Linear(x, fmt::format("dense.{}", i), /*bias=*/true));
    if (normalise) x = graph.BatchNorm(x, fmt::format("norm.{}", i));
  }
  return graph.Reshape(graph.Linear(x, "output", /*bias=*/true),
                       {-1, source.shape.horizons, source.shape.outputs});
}

Value DescribeGruAttention(const ExportSource& source, const Value& windows, GraphWriter& graph) {
  const NetworkOptions& options = source.options;
  const Value states = graph
                           .Recurrent(graph.Linear(windows, "input", /*bias=*/true), "gru",
                                      {RecurrentKind::kGru, options.layers, options.hidden})
                           .all;
  const Value weights = graph.Softmax(graph.Linear(states, "attention", /*bias=*/true), 1);
  const Value context = graph.MatrixProduct(graph.Permute(weights, {0, 2, 1}), states);
  return DescribeHead(source, graph.Squeeze(context, 1), /*normalise=*/true, graph);
}

// (B, T, F) to (B, channels, T).
Value DescribeConvolutions(const ExportSource& source, const Value& windows, GraphWriter& graph) {
  Value x = graph.Permute(windows, {0, 2, 1});
  for (size_t i = 0; i < source.options.channels.size(); ++i) {
    x = graph.Apply(GraphWriter::Unary::kRelu, graph.Convolution(x, fmt::format("conv.{}", i)));
  }
  return x;
}

Value DescribeLstm(const ExportSource& source, const Value& x, GraphWriter& graph) {
  const Value states =
      graph
          .Recurrent(x, "lstm",
                     {RecurrentKind::kLstm, source.options.layers, source.options.hidden})
          .all;
  return DescribeHead(source, graph.Select(states, 1, -1), /*normalise=*/false, graph);
}

Value DescribeArchitecture(const ExportSource& source, const Value& windows, GraphWriter& graph) {
  const NetworkShape& shape = source.shape;
  switch (source.options.architecture) {
    case Architecture::kGruAttention:
      return DescribeGruAttention(source, windows, graph);
    case Architecture::kLstm:
      return DescribeLstm(source, windows, graph);
    case Architecture::kDnn:
      return DescribeHead(source, graph.Reshape(windows, {-1, shape.steps * shape.features}),
                          /*normalise=*/false, graph);
    case Architecture::kCdnn:
      return DescribeHead(source,
                          graph.Reshape(DescribeConvolutions(source, windows, graph),
                                        {-1, source.options.channels.back() * shape.steps}),
                          /*normalise=*/false, graph);
    case Architecture::kClstm:
      return DescribeLstm(
          source, graph.Permute(DescribeConvolutions(source, windows, graph), {0, 2, 1}), graph);
    case Architecture::kTft:
      return DescribeTft(source, windows, graph);
  }
  throw Error(ErrorCode::kUsage, "kind", "no such architecture");
}

at::Tensor ToTensor(const std::vector<float>& values) { return at::tensor(values, at::kFloat); }

at::Tensor Single(double value) { return at::full({1}, value, at::kFloat); }

}  // namespace

ExportSource ExportSource::Of(const SavedNetwork& saved, Checkpoint checkpoint) {
  ExportSource source{.options = saved.options,
                      .shape = saved.shape,
                      .mean = {},
                      .inverse = {},
                      .target = saved.target,
                      .is_class = !saved.classes.empty(),
                      .weights = checkpoint == Checkpoint::kBest ? saved.best : saved.last,
                      .about = About(saved, checkpoint)};
  for (size_t f = 0; f < saved.scaler.size(); ++f) {
    source.mean.push_back(static_cast<float>(saved.scaler.mean(f)));
    source.inverse.push_back(static_cast<float>(1 / saved.scaler.scale(f)));
  }
  return source;
}

void GraphWriter::RequireAllUsed() const {
  for (const auto& [name, tensor] : weights_) {
    if (used_.contains(name)) continue;
    throw Error(ErrorCode::kFailed, name, "the export does not know what this tensor is for",
                "the checkpoint belongs to another version of almanac");
  }
}

const at::Tensor& GraphWriter::Find(const std::string& name) {
  const auto found = std::find_if(weights_.begin(), weights_.end(),
                                  [&](const auto& weight) { return weight.first == name; });
  if (found == weights_.end()) {
    throw Error(ErrorCode::kBadData, name, "the weights have no such tensor",
                "give the weights of this architecture");
  }
  used_.insert(name);
  return found->second;
}

Value DescribeNetwork(const ExportSource& source, GraphWriter& graph) {
  using Binary = GraphWriter::Binary;
  const Value centred = graph.Apply(Binary::kSubtract, kWindowsInput,
                                    graph.Constant(kScalerMean, ToTensor(source.mean)));
  const Value windows = graph.Apply(Binary::kMultiply, centred,
                                    graph.Constant(kScalerInverse, ToTensor(source.inverse)));
  const Value answers = DescribeArchitecture(source, windows, graph);
  if (source.is_class) return graph.Softmax(answers, -1);
  const Value ordered =
      source.shape.outputs > 1 ? graph.Sort(answers, source.shape.outputs) : answers;
  const Value spread = graph.Apply(Binary::kMultiply, ordered,
                                   graph.Constant(kTargetScale, Single(source.target.scale)));
  return graph.Apply(Binary::kAdd, spread, graph.Constant(kTargetMean, Single(source.target.mean)));
}

}  // namespace almanac::neural
