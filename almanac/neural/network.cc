#include "almanac/neural/network.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/neural/fused_dropout.h"
#include "almanac/neural/layers.h"
#include "almanac/neural/tft.h"

namespace almanac::neural {
namespace {

// Dense layers, each followed by ReLU, batch normalisation (if wanted) and dropout, then the
// output.
class DenseHead {
 public:
  struct Options {
    std::vector<int64_t> units;
    double dropout = 0;
    bool normalise = false;
  };

  DenseHead() = default;
  DenseHead(Parameters& parameters, int64_t inputs, const Options& options,
            const NetworkShape& shape)
      : dropout_(options.dropout), horizons_(shape.horizons), outputs_(shape.outputs) {
    for (size_t i = 0; i < options.units.size(); ++i) {
      const int64_t units = options.units[i];
      layers_.emplace_back(parameters, fmt::format("dense.{}", i), inputs, units);
      if (options.normalise) norms_.emplace_back(parameters, fmt::format("norm.{}", i), units);
      inputs = units;
    }
    output_ = Linear(parameters, "output", inputs, horizons_ * outputs_);
  }

  at::Tensor operator()(at::Tensor x, bool training) const {
    for (size_t i = 0; i < layers_.size(); ++i) {
      x = at::relu(layers_[i](x));
      if (!norms_.empty()) x = norms_[i](x, training);
      x = Dropout(x, dropout_, training);
    }
    return output_(x).view({-1, horizons_, outputs_});
  }

 private:
  std::vector<Linear> layers_;
  std::vector<BatchNorm> norms_;
  Linear output_;
  double dropout_ = 0;
  int64_t horizons_ = 1, outputs_ = 1;
};

// A projection, GRU layers, attention over their steps (one score a step, softmax, the weighted sum
// of the states), dense layers.
class GruAttention final : public Network {
 public:
  GruAttention(const NetworkOptions& options, const NetworkShape& shape)
      : input_(parameters_, "input", shape.features, options.hidden),
        gru_(parameters_, "gru", RecurrentKind::kGru, options.hidden, options.hidden,
             options.layers, options.dropout),
        attention_(parameters_, "attention", options.hidden, 1),
        head_(parameters_, options.hidden, {options.dense, options.dropout, /*normalise=*/true},
              shape) {}

  at::Tensor Forward(const NetworkInput& input, bool training) override {
    const at::Tensor states = gru_(input_(input.windows), training);      // (B, T, hidden)
    const at::Tensor weights = at::softmax(attention_(states), 1);        // (B, T, 1)
    const at::Tensor context = at::bmm(weights.transpose(1, 2), states);  // (B, 1, hidden)
    return head_(context.squeeze(1), training);
  }

 private:
  Linear input_;
  Recurrent gru_;
  Linear attention_;
  DenseHead head_;
};

// Stacked LSTM layers; the last state, through dense layers if there are any, gives all horizons.
class LstmNetwork final : public Network {
 public:
  LstmNetwork(const NetworkOptions& options, const NetworkShape& shape)
      : lstm_(parameters_, "lstm", RecurrentKind::kLstm, shape.features, options.hidden,
              options.layers, options.dropout),
        head_(parameters_, options.hidden, {options.dense, options.dropout}, shape),
        dropout_(options.dropout) {}

  at::Tensor Forward(const NetworkInput& input, bool training) override {
    const at::Tensor last = lstm_(input.windows, training).select(1, -1);
    return head_(Dropout(last, dropout_, training), training);
  }

 private:
  Recurrent lstm_;
  DenseHead head_;
  double dropout_;
};

class Dnn final : public Network {
 public:
  Dnn(const NetworkOptions& options, const NetworkShape& shape)
      : head_(parameters_, shape.steps * shape.features, {options.dense, options.dropout}, shape) {}

  at::Tensor Forward(const NetworkInput& input, bool training) override {
    return head_(input.windows.flatten(1), training);
  }

 private:
  DenseHead head_;
};

std::vector<Convolution> MakeConvolutions(Parameters& parameters, const NetworkOptions& options,
                                          int64_t inputs) {
  std::vector<Convolution> layers;
  for (size_t i = 0; i < options.channels.size(); ++i) {
    layers.emplace_back(parameters, fmt::format("conv.{}", i), inputs, options.channels[i],
                        options.kernel);
    inputs = options.channels[i];
  }
  return layers;
}

// (B, T, F) to (B, channels, T).
at::Tensor Convolve(const std::vector<Convolution>& layers, const at::Tensor& windows) {
  at::Tensor x = windows.transpose(1, 2).contiguous();
  for (const Convolution& layer : layers) x = at::relu(layer(x));
  return x;
}

int64_t LastChannels(const NetworkOptions& options) {
  if (options.channels.empty()) {
    throw Error(ErrorCode::kUsage, "channels", "there is no convolution",
                fmt::format("list channels, or take {} without them",
                            options.architecture == Architecture::kCdnn ? "dnn" : "lstm"));
  }
  return options.channels.back();
}

// Convolutions over time, then dense layers over all that they found.
class Cdnn final : public Network {
 public:
  Cdnn(const NetworkOptions& options, const NetworkShape& shape)
      : convolutions_(MakeConvolutions(parameters_, options, shape.features)),
        head_(parameters_, LastChannels(options) * shape.steps, {options.dense, options.dropout},
              shape) {}

  at::Tensor Forward(const NetworkInput& input, bool training) override {
    return head_(Convolve(convolutions_, input.windows).flatten(1), training);
  }

 private:
  std::vector<Convolution> convolutions_;
  DenseHead head_;
};

// Convolutions over time, then LSTM layers, the last state of which gives all horizons.
class Clstm final : public Network {
 public:
  Clstm(const NetworkOptions& options, const NetworkShape& shape)
      : convolutions_(MakeConvolutions(parameters_, options, shape.features)),
        lstm_(parameters_, "lstm", RecurrentKind::kLstm, LastChannels(options), options.hidden,
              options.layers, options.dropout),
        head_(parameters_, options.hidden, {options.dense, options.dropout}, shape),
        dropout_(options.dropout) {}

  at::Tensor Forward(const NetworkInput& input, bool training) override {
    const at::Tensor found = Convolve(convolutions_, input.windows).transpose(1, 2).contiguous();
    const at::Tensor last = lstm_(found, training).select(1, -1);
    return head_(Dropout(last, dropout_, training), training);
  }

 private:
  std::vector<Convolution> convolutions_;
  Recurrent lstm_;
  DenseHead head_;
  double dropout_;
};

}  // namespace

std::unique_ptr<Network> MakeNetwork(const NetworkOptions& options, const NetworkShape& shape) {
  switch (options.architecture) {
    case Architecture::kGruAttention:
      return std::make_unique<GruAttention>(options, shape);
    case Architecture::kLstm:
      return std::make_unique<LstmNetwork>(options, shape);
    case Architecture::kDnn:
      return std::make_unique<Dnn>(options, shape);
    case Architecture::kCdnn:
      return std::make_unique<Cdnn>(options, shape);
    case Architecture::kClstm:
      return std::make_unique<Clstm>(options, shape);
    case Architecture::kTft:
      return MakeTft(options, shape);
  }
  throw Error(ErrorCode::kUsage, "kind", "no such architecture");
}

}  // namespace almanac::neural
