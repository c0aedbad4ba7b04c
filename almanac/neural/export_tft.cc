#include "almanac/neural/export_tft.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace almanac::neural {
namespace {

using Value = GraphWriter::Value;
using Unary = GraphWriter::Unary;
using Binary = GraphWriter::Binary;

// The parts of tft.cc's network, by their names there.
class TftDescription {
 public:
  TftDescription(const ExportSource& source, GraphWriter& graph)
      : shape_(source.shape),
        units_(source.options.hidden),
        heads_(source.options.heads),
        graph_(graph) {}

  Value Whole(const Value& windows) {
    const Value symbol = graph_.Lookup("group.weight", kGroupInput);                  // (B, d)
    const Value fixed = Select("select_static", graph_.Unsqueeze(symbol, 1), {}, 1);  // (B, d)
    const auto context = [&](const char* name) { return Residual(fixed, name, {}, false); };
    const Value selection = graph_.Unsqueeze(context("context_selection"), 1);  // (B, 1, d)
    const Value cell = graph_.Unsqueeze(context("context_cell"), 0);
    const Value hidden = graph_.Unsqueeze(context("context_hidden"), 0);
    const Value enrichment = graph_.Unsqueeze(context("context_enrichment"), 1);

    const Value known = Embed(kKnownInput, "known");  // (B, T + H, K, d)
    const Value inputs =
        graph_.Concatenate({Embed(windows, "past"), graph_.Narrow(known, 1, 0, shape_.steps)}, 2);
    const Value past =
        Select("select_past", inputs, selection, shape_.features + shape_.known, shape_.steps);
    const Value future =
        Select("select_future", graph_.Narrow(known, 1, shape_.steps, shape_.horizons), selection,
               shape_.known, shape_.horizons);
    const auto encoded = graph_.Recurrent(past, "encoder", From(hidden, cell));
    const auto decoded = graph_.Recurrent(future, "decoder", From(encoded.hidden, encoded.cell));
    const Value local = GateAddNorm(graph_.Concatenate({encoded.all, decoded.all}, 1),
                                    graph_.Concatenate({past, future}, 1), "locality", units_);
    const Value enriched = Residual(local, "enrichment", enrichment, false);
    const Value attended = GateAddNorm(Attend(enriched), Ahead(enriched), "attended", units_);
    const Value last =
        GateAddNorm(Residual(attended, "forward", {}, false), Ahead(local), "last", units_);
    return graph_.Linear(last, "output", /*bias=*/true);
  }

 private:
  GraphWriter::RecurrentSpec From(const Value& hidden, const Value& cell) const {
    return {RecurrentKind::kLstm, 1, units_, std::pair(hidden, cell)};
  }

  Value Ahead(const Value& x) { return graph_.Narrow(x, 1, shape_.steps, shape_.horizons); }

  // Numbers as vectors: (..., m) to (..., m, d).
  Value Embed(const Value& x, const std::string& name) {
    return graph_.Apply(
        Binary::kAdd,
        graph_.Apply(Binary::kMultiply, graph_.Unsqueeze(x, -1), graph_.Weight(name + ".weight")),
        graph_.Weight(name + ".bias"));
  }

  // LayerNorm(skip + GLU(x)).
  Value GateAddNorm(const Value& x, const Value& skip, const std::string& name, int64_t units) {
    const Value both = graph_.Linear(x, name + ".gate", /*bias=*/true);
    const Value gate = graph_.Apply(Unary::kSigmoid, graph_.Narrow(both, -1, units, units));
    const Value gated = graph_.Apply(Binary::kMultiply, graph_.Narrow(both, -1, 0, units), gate);
    return graph_.LayerNorm(graph_.Apply(Binary::kAdd, skip, gated), name + ".norm");
  }

  // `context`: empty for none. `outputs`: as many as units_ unless given.
  Value Residual(const Value& a, const std::string& name, const Value& context, bool has_skip,
                 int64_t outputs = 0) {
    Value hidden = graph_.Linear(a, name + ".second", /*bias=*/true);
    if (!context.empty()) {
      hidden = graph_.Apply(Binary::kAdd, hidden,
                            graph_.Linear(context, name + ".context", /*bias=*/false));
    }
    hidden = graph_.Linear(graph_.Apply(Unary::kElu, hidden), name + ".first", /*bias=*/true);
    const Value skip = has_skip ? graph_.Linear(a, name + ".skip", /*bias=*/true) : a;
    return GateAddNorm(hidden, skip, name + ".out", outputs == 0 ? units_ : outputs);
  }

  // (B, T, m, d) to (B, T, d), or without T (`steps` 0).
  Value Select(const std::string& name, const Value& variables, const Value& context, int64_t count,
               int64_t steps = 0) {
    const std::vector<int64_t> flat = steps == 0 ? std::vector<int64_t>{-1, count * units_}
                                                 : std::vector<int64_t>{-1, steps, count * units_};
    const Value weights =
        graph_.Softmax(Residual(graph_.Reshape(variables, flat), name + ".weights", context,
                                /*has_skip=*/count * units_ != count, count),
                       -1);
    std::vector<Value> transformed;
    for (int64_t j = 0; j < count; ++j) {
      const Value each = Residual(graph_.Select(variables, -2, j),
                                  fmt::format("{}.variable.{}", name, j), {}, false);
      transformed.push_back(graph_.Unsqueeze(each, -2));
    }
    const Value all = graph_.Concatenate(transformed, -2);
    return graph_.Sum(graph_.Apply(Binary::kMultiply, all, graph_.Unsqueeze(weights, -1)), -2);
  }

  // x: (B, T + H, d) to (B, H, d).
  Value Attend(const Value& x) {
    const int64_t steps = shape_.steps + shape_.horizons, width = units_ / heads_;
    const Value query =
        graph_.Permute(graph_.Reshape(graph_.Linear(Ahead(x), "attention.query", /*bias=*/true),
                                      {-1, shape_.horizons, heads_, width}),
                       {0, 2, 1, 3});
    const Value key = graph_.Permute(
        graph_.Reshape(graph_.Linear(x, "attention.key", true), {-1, steps, heads_, width}),
        {0, 2, 3, 1});
    const at::Tensor scale = at::full({1}, 1 / std::sqrt(static_cast<double>(width)), at::kFloat);
    const Value scores = graph_.Apply(Binary::kMultiply, graph_.MatrixProduct(query, key),
                                      graph_.Constant(kAttentionScale, scale));
    // Step t of the horizons sees the first steps + t + 1.
    const at::Tensor hidden =
        at::full({shape_.horizons, steps}, -std::numeric_limits<float>::infinity(), at::kFloat)
            .triu(shape_.steps + 1);
    const Value weights = graph_.Softmax(
        graph_.Apply(Binary::kAdd, scores, graph_.Constant(kAttentionMask, hidden)), -1);
    const Value heads = graph_.MatrixProduct(graph_.Mean(weights, 1),
                                             graph_.Linear(x, "attention.value", /*bias=*/true));
    return graph_.Linear(heads, "attention.out", /*bias=*/false);
  }

  const NetworkShape& shape_;
  int64_t units_, heads_;
  GraphWriter& graph_;
};

}  // namespace

Value DescribeTft(const ExportSource& source, const Value& windows, GraphWriter& graph) {
  return TftDescription(source, graph).Whole(windows);
}

}  // namespace almanac::neural
