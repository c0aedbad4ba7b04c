// What a network computes, in the few operators that every exported format has. DescribeNetwork
// says it for each architecture, scalers included; a GraphWriter puts it down in one format.
#ifndef ALMANAC_NEURAL_EXPORT_GRAPH_H_
#define ALMANAC_NEURAL_EXPORT_GRAPH_H_

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/neural/host/module.h"
#include "almanac/neural/layers.h"
#include "almanac/neural/saved_network.h"

namespace almanac::neural {

// The inputs' names, of windows (B, T, F), the known inputs (B, T + H, known) and the symbols' or
// groups' numbers (B), and the output's, (B, H, outputs).
inline constexpr const char* kWindowsInput = "windows";
inline constexpr const char* kKnownInput = "known";
inline constexpr const char* kGroupInput = "group";
inline constexpr const char* kForecastsOutput = "forecasts";

// What an exported graph keeps beside the weights, by name.
inline constexpr const char* kScalerMean = "scaler.mean";
inline constexpr const char* kScalerInverse = "scaler.inverse";
inline constexpr const char* kTargetMean = "target.mean";
inline constexpr const char* kTargetScale = "target.scale";
inline constexpr const char* kAttentionMask = "attention.mask";
inline constexpr const char* kAttentionScale = "attention.scale";
inline constexpr const char* kExportedConstants[] = {kScalerMean,  kScalerInverse, kTargetMean,
                                                     kTargetScale, kAttentionMask, kAttentionScale};

// A network to export, with the weights of one of its checkpoints.
struct ExportSource {
  NetworkOptions options;
  NetworkShape shape;
  std::vector<float> mean, inverse;  // of each feature: (x - mean) * inverse is what it looks at
  TargetScale target;
  bool is_class = false;
  NamedTensors weights;
  // Feature names in order, outputs, target, symbols: goes into the file.
  Json about;

  static ExportSource Of(const SavedNetwork& saved, Checkpoint checkpoint);
  // tft: whether there are the inputs known and group.
  bool has_known() const { return options.architecture == Architecture::kTft; }
};

// Axes count from 0, or from the end if negative.
class GraphWriter {
 public:
  using Value = std::string;  // names a tensor
  enum class Unary { kRelu, kElu, kSigmoid };
  enum class Binary { kAdd, kSubtract, kMultiply };
  struct States {
    Value all;           // (B, T, units), of the last layer
    Value hidden, cell;  // (1, B, units), after the last step
  };
  struct RecurrentSpec {
    RecurrentKind kind = RecurrentKind::kGru;
    int64_t layers = 1, units = 1;
    // (1, B, units) of a single LSTM layer; otherwise it begins at zeros.
    std::optional<std::pair<Value, Value>> start = std::nullopt;
  };

  explicit GraphWriter(const NamedTensors& weights) : weights_(weights) {}
  virtual ~GraphWriter() = default;

  // A tensor that is no weight, kept in the file under this name.
  virtual Value Constant(const std::string& name, const at::Tensor& value) = 0;
  // A weight as it is.
  virtual Value Weight(const std::string& name) = 0;
  // x W' + b, of the last axis.
  virtual Value Linear(const Value& x, const std::string& name, bool bias) = 0;
  virtual Value Apply(Unary function, const Value& x) = 0;
  virtual Value Apply(Binary function, const Value& a, const Value& b) = 0;  // broadcasts
  virtual Value MatrixProduct(const Value& a, const Value& b) = 0;
  virtual Value Softmax(const Value& x, int64_t axis) = 0;
  virtual Value BatchNorm(const Value& x, const std::string& name) = 0;  // (B, units)
  virtual Value LayerNorm(const Value& x, const std::string& name) = 0;  // of the last axis
  virtual Value Convolution(const Value& x, const std::string& name) = 0;
  virtual States Recurrent(const Value& x, const std::string& name, const RecurrentSpec& spec) = 0;
  virtual Value Lookup(const std::string& name, const Value& rows) = 0;
  virtual Value Permute(const Value& x, const std::vector<int64_t>& order) = 0;
  virtual Value Reshape(const Value& x, const std::vector<int64_t>& shape) = 0;  // one may be -1
  virtual Value Narrow(const Value& x, int64_t axis, int64_t start, int64_t length) = 0;
  virtual Value Select(const Value& x, int64_t axis, int64_t index) = 0;
  virtual Value Unsqueeze(const Value& x, int64_t axis) = 0;
  virtual Value Squeeze(const Value& x, int64_t axis) = 0;
  virtual Value Concatenate(const std::vector<Value>& parts, int64_t axis) = 0;
  virtual Value Sum(const Value& x, int64_t axis) = 0;
  virtual Value Mean(const Value& x, int64_t axis) = 0;
  // Ascending along the last axis, which has `size` numbers.
  virtual Value Sort(const Value& x, int64_t size) = 0;

  // Throws Error(kFailed) for a weight that the graph does not use: the description and the network
  // would differ.
  void RequireAllUsed() const;

 protected:
  const at::Tensor& Find(const std::string& name);  // and marks it used

 private:
  const NamedTensors& weights_;
  std::set<std::string> used_;
};

// From the inputs, in the features' units, to the forecasts, in the target's: one number, quantiles
// in ascending order, or probabilities of classes. Returns the output (B, H, outputs).
GraphWriter::Value DescribeNetwork(const ExportSource& source, GraphWriter& graph);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_EXPORT_GRAPH_H_
