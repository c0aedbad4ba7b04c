#include "almanac/neural/tft.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/neural/fused.h"
#include "almanac/neural/fused_dropout.h"
#include "almanac/neural/layers.h"

namespace almanac::neural {
namespace {

class LayerNorm {
 public:
  LayerNorm() = default;
  LayerNorm(Parameters& parameters, const std::string& name, int64_t units)
      : weight_(parameters.Add(name + ".weight", at::ones({units}))),
        bias_(parameters.Add(name + ".bias", at::zeros({units}))) {}
  at::Tensor operator()(const at::Tensor& x) const {
    return at::layer_norm(x, {weight_.size(0)}, weight_, bias_);
  }

 private:
  at::Tensor weight_, bias_;
};

// LayerNorm(skip + GLU(dropout(x))).
class GateAddNorm {
 public:
  GateAddNorm() = default;
  GateAddNorm(Parameters& parameters, const std::string& name, int64_t inputs, int64_t units,
              double dropout)
      : gate_(parameters, name + ".gate", inputs, 2 * units),
        norm_(parameters, name + ".norm", units),
        dropout_(dropout) {}
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& skip, bool training) const {
    // glu multiplies the first half by the second's sigmoid.
    return norm_(skip + at::glu(gate_(Dropout(x, dropout_, training)), -1));
  }

 private:
  Linear gate_;
  LayerNorm norm_;
  double dropout_ = 0;
};

class GatedResidual {
 public:
  GatedResidual() = default;
  // `context`: width of the context, 0 for none.
  GatedResidual(Parameters& parameters, const std::string& name, int64_t inputs, int64_t units,
                int64_t outputs, int64_t context, double dropout)
      : second_(parameters, name + ".second", inputs, units),
        first_(parameters, name + ".first", units, units),
        out_(parameters, name + ".out", units, outputs, dropout),
        has_context_(context > 0),
        has_skip_(inputs != outputs) {
    if (has_context_) {
      context_ = Linear(parameters, name + ".context", context, units, /*bias=*/false);
    }
    if (has_skip_) skip_ = Linear(parameters, name + ".skip", inputs, outputs);
  }
  at::Tensor operator()(const at::Tensor& a, const at::Tensor& context, bool training) const {
    at::Tensor hidden = second_(a);
    if (has_context_) hidden = hidden + context_(context);
    return out_(first_(at::elu(hidden)), has_skip_ ? skip_(a) : a, training);
  }

 private:
  Linear second_, first_, context_, skip_;
  GateAddNorm out_;
  bool has_context_ = false, has_skip_ = false;
};

// GatedResidual(units, units, units) without context for each of m variables, all in the same
// operations: products of m pairs of matrices. Each variable's weights are tensors of their own.
class VariableResiduals {
 public:
  VariableResiduals() = default;
  VariableResiduals(Parameters& parameters, const std::string& name, int64_t variables,
                    int64_t units, double dropout)
      : units_(units), dropout_(dropout) {
    for (int64_t j = 0; j < variables; ++j) {
      const std::string own = fmt::format("{}.variable.{}", name, j);
      second_.Add(parameters, own + ".second", units, units);
      first_.Add(parameters, own + ".first", units, units);
      gate_.Add(parameters, own + ".out.gate", units, 2 * units);
      norm_.weights.push_back(parameters.Add(own + ".out.norm.weight", at::ones({units})));
      norm_.biases.push_back(parameters.Add(own + ".out.norm.bias", at::zeros({units})));
    }
  }
  // (N, m, d) to (m, N, d).
  at::Tensor operator()(const at::Tensor& variables, bool training) const {
    const at::Tensor x = variables.transpose(0, 1);
    const at::Tensor hidden = first_(at::elu(second_(x)));
    const at::Tensor gated = at::glu(gate_(Dropout(hidden, dropout_, training)), -1);
    const at::Tensor normal = at::layer_norm(x + gated, {units_});
    return at::addcmul(at::stack(norm_.biases).unsqueeze(1), normal,
                       at::stack(norm_.weights).unsqueeze(1));
  }

 private:
  struct Layer {
    void Add(Parameters& parameters, const std::string& name, int64_t inputs, int64_t outputs) {
      weights.push_back(parameters.Add(name + ".weight", XavierUniform({outputs, inputs})));
      biases.push_back(parameters.Add(name + ".bias", at::zeros({outputs})));
    }
    at::Tensor operator()(const at::Tensor& x) const {
      return at::baddbmm(at::stack(biases).unsqueeze(1), x, at::stack(weights).transpose(1, 2));
    }
    std::vector<at::Tensor> weights, biases;  // by variable
  };

  Layer second_, first_, gate_, norm_;
  int64_t units_ = 1;
  double dropout_ = 0;
};

// (B, T, m, d), a vector a variable, to (B, T, d); or both without T.
class Selection {
 public:
  Selection() = default;
  Selection(Parameters& parameters, const std::string& name, int64_t variables, int64_t units,
            int64_t context, double dropout)
      : weights_(parameters, name + ".weights", variables * units, units, variables, context,
                 dropout),
        each_(parameters, name, variables, units, dropout) {}
  // Returns what was selected and the weights, (B, T, m).
  std::pair<at::Tensor, at::Tensor> operator()(const at::Tensor& variables,
                                               const at::Tensor& context, bool training) const {
    const at::Tensor weights = at::softmax(weights_(variables.flatten(-2), context, training), -1);
    const at::Tensor all = each_(variables.flatten(0, -3), training);  // (m, N, d)
    const at::Tensor shares = weights.flatten(0, -2).t().unsqueeze(-1);
    std::vector<int64_t> sizes = variables.sizes().vec();
    sizes.erase(sizes.end() - 2);
    return {(all * shares).sum(0).view(sizes), weights};
  }

 private:
  GatedResidual weights_;
  VariableResiduals each_;
};

// Numbers as vectors: (..., m) to (..., m, d).
class Embedding {
 public:
  Embedding() = default;
  Embedding(Parameters& parameters, const std::string& name, int64_t variables, int64_t units)
      : weight_(parameters.Add(name + ".weight", XavierUniform({variables, units}))),
        bias_(parameters.Add(name + ".bias", at::zeros({variables, units}))) {}
  at::Tensor operator()(const at::Tensor& x) const { return x.unsqueeze(-1) * weight_ + bias_; }

 private:
  at::Tensor weight_, bias_;
};

class Attention {
 public:
  Attention() = default;
  Attention(Parameters& parameters, const std::string& name, int64_t units, int64_t heads,
            double dropout)
      : heads_(heads),
        width_(units / heads),
        query_(parameters, name + ".query", units, units),
        key_(parameters, name + ".key", units, units),
        value_(parameters, name + ".value", units, width_),
        out_(parameters, name + ".out", width_, units, /*bias=*/false),
        dropout_(dropout) {}
  // x: (B, N, d). Of the last `horizons` steps: (B, horizons, d), and the weights, (B, heads,
  // horizons, N).
  std::pair<at::Tensor, at::Tensor> operator()(const at::Tensor& x, int64_t horizons,
                                               bool training) const {
    const int64_t steps = x.size(1);
    const auto split = [&](const at::Tensor& y) {
      return y.view({y.size(0), y.size(1), heads_, width_}).transpose(1, 2);
    };
    // Scores are the largest tensors of the network: what can be done to something smaller is.
    const at::Tensor query = split(query_(x.narrow(1, steps - horizons, horizons))) /
                             std::sqrt(static_cast<double>(width_));
    // Step t of the horizons sees the first steps - horizons + t + 1.
    const at::Tensor hidden =
        at::full({horizons, steps}, -std::numeric_limits<float>::infinity(), x.options())
            .triu(steps - horizons + 1);
    const at::Tensor weights =
        at::softmax(at::matmul(query, split(key_(x)).transpose(-2, -1)) + hidden, -1);
    const at::Tensor heads = at::matmul(Dropout(weights, dropout_, training).mean(1), value_(x));
    return {out_(heads), weights};
  }

 private:
  int64_t heads_ = 1, width_ = 1;
  Linear query_, key_, value_, out_;
  double dropout_ = 0;
};

class Tft final : public Network {
 public:
  Tft(const NetworkOptions& options, const NetworkShape& shape)
      : shape_(shape),
        groups_(parameters_.Add(
            "group.weight", XavierUniform({std::max<int64_t>(shape.groups, 1), options.hidden}))),
        past_(parameters_, "past", shape.features, options.hidden),
        known_(parameters_, "known", shape.known, options.hidden),
        select_static_(parameters_, "select_static", 1, options.hidden, 0, options.dropout),
        select_past_(parameters_, "select_past", shape.features + shape.known, options.hidden,
                     options.hidden, options.dropout),
        select_future_(parameters_, "select_future", shape.known, options.hidden, options.hidden,
                       options.dropout),
        encoder_(parameters_, "encoder", options.hidden),
        decoder_(parameters_, "decoder", options.hidden),
        locality_(parameters_, "locality", options.hidden, options.hidden, options.dropout),
        enrichment_(parameters_, "enrichment", options.hidden, options.hidden, options.hidden,
                    options.hidden, options.dropout),
        attention_(parameters_, "attention", options.hidden, options.heads, options.dropout),
        attended_(parameters_, "attended", options.hidden, options.hidden, options.dropout),
        forward_(parameters_, "forward", options.hidden, options.hidden, options.hidden, 0,
                 options.dropout),
        last_(parameters_, "last", options.hidden, options.hidden, options.dropout),
        output_(parameters_, "output", options.hidden, shape.outputs) {
    for (const char* name :
         {"context_selection", "context_cell", "context_hidden", "context_enrichment"}) {
      contexts_.emplace_back(parameters_, name, options.hidden, options.hidden, options.hidden, 0,
                             options.dropout);
    }
  }

  at::Tensor Forward(const NetworkInput& input, bool training) override {
    return Run(input, training, nullptr);
  }

  at::Tensor Run(const NetworkInput& input, bool training, TftWeights* seen) {
    const at::Tensor symbol = at::embedding(groups_, input.groups).unsqueeze(1);  // (B, 1, d)
    const at::Tensor fixed = select_static_(symbol, {}, training).first;          // (B, d)
    std::vector<at::Tensor> contexts;
    for (const GatedResidual& context : contexts_) contexts.push_back(context(fixed, {}, training));
    const at::Tensor selection = contexts[0].unsqueeze(1);  // (B, 1, d): of every step

    const at::Tensor known = known_(input.known);  // (B, T + H, K, d)
    const auto [past, past_weights] = select_past_(
        at::cat({past_(input.windows), known.narrow(1, 0, shape_.steps)}, -2), selection, training);
    const auto [future, future_weights] =
        select_future_(known.narrow(1, shape_.steps, shape_.horizons), selection, training);
    auto [encoded, hidden, cell] = encoder_(past, contexts[2], contexts[1]);
    const at::Tensor decoded = std::get<0>(decoder_(future, hidden, cell));
    const at::Tensor local =
        locality_(at::cat({encoded, decoded}, 1), at::cat({past, future}, 1), training);
    const at::Tensor enriched = enrichment_(local, contexts[3].unsqueeze(1), training);
    const auto [attended, attention] = attention_(enriched, shape_.horizons, training);
    const auto ahead = [&](const at::Tensor& x) {
      return x.narrow(1, shape_.steps, shape_.horizons);
    };
    const at::Tensor after = attended_(attended, ahead(enriched), training);
    const at::Tensor last = last_(forward_(after, {}, training), ahead(local), training);
    if (seen != nullptr) {
      seen->past = past_weights.mean(at::IntArrayRef{0, 1});
      seen->future = future_weights.mean(at::IntArrayRef{0, 1});
      seen->attention = attention.mean(at::IntArrayRef{0, 1});
    }
    return output_(last);
  }

 private:
  // One LSTM layer from a given state.
  class LstmFrom {
   public:
    LstmFrom(Parameters& parameters, const std::string& name, int64_t units) {
      weights_ = {parameters.Add(name + ".weight_ih_l0", XavierUniform({4 * units, units})),
                  parameters.Add(name + ".weight_hh_l0", Orthogonal(4, units, units)),
                  parameters.Add(name + ".bias_ih_l0", at::zeros({4 * units})),
                  parameters.Add(name + ".bias_hh_l0", at::zeros({4 * units}))};
    }
    // hidden, cell: (B, d).
    std::tuple<at::Tensor, at::Tensor, at::Tensor> operator()(const at::Tensor& x,
                                                              const at::Tensor& hidden,
                                                              const at::Tensor& cell) const {
      auto [all, last_hidden, last_cell] =
          neural::Lstm(x, {hidden.unsqueeze(0), cell.unsqueeze(0)}, weights_,
                       {.layers = 1, .batch_first = true});
      return {all, last_hidden.squeeze(0), last_cell.squeeze(0)};
    }

   private:
    std::vector<at::Tensor> weights_;
  };

  NetworkShape shape_;
  at::Tensor groups_;
  Embedding past_, known_;
  Selection select_static_, select_past_, select_future_;
  std::vector<GatedResidual> contexts_;
  LstmFrom encoder_, decoder_;
  GateAddNorm locality_;
  GatedResidual enrichment_;
  Attention attention_;
  GateAddNorm attended_;
  GatedResidual forward_;
  GateAddNorm last_;
  Linear output_;
};

}  // namespace

std::unique_ptr<Network> MakeTft(const NetworkOptions& options, const NetworkShape& shape) {
  if (options.hidden % options.heads != 0) {
    throw Error(ErrorCode::kUsage, "heads",
                fmt::format("{} units cannot be shared by {} heads", options.hidden, options.heads),
                "give a divisor of hidden");
  }
  return std::make_unique<Tft>(options, shape);
}

TftWeights ExplainTft(Network& network, const NetworkInput& input) {
  const at::NoGradGuard no_gradients;
  TftWeights weights;
  dynamic_cast<Tft&>(network).Run(input, /*training=*/false, &weights);
  return weights;
}

}  // namespace almanac::neural
