// What a recipe says about a network: which architecture, its sizes, what it puts out and how it is
// trained. docs/networks.md lists the keys and the defaults of each architecture.
#ifndef ALMANAC_NEURAL_HOST_NETWORK_OPTIONS_H_
#define ALMANAC_NEURAL_HOST_NETWORK_OPTIONS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/config.h"
#include "almanac/base/json.h"

namespace almanac {

enum class Architecture { kGruAttention, kLstm, kDnn, kCdnn, kClstm, kTft };
std::string_view Name(Architecture architecture);  // "gru_attention", ...
const std::vector<std::string>& ArchitectureNames();

enum class Loss { kMse, kMae, kHuber };
std::string_view Name(Loss loss);

enum class Optimizer { kAdam, kAdamW, kSgd };
std::string_view Name(Optimizer optimizer);

enum class Schedule { kConstant, kPlateau, kCosine, kOneCycle };
std::string_view Name(Schedule schedule);

// What training computes in: float32, mixed with 16 bits on CUDA (and refused elsewhere), or mixed
// where the device is CUDA.
enum class Precision { kFloat32, kMixed, kAuto };
std::string_view Name(Precision precision);

struct TrainingOptions {
  int64_t epochs = 100;
  int64_t batch_size = 32;
  int64_t accumulate = 1;  // batches a step of the optimizer
  Optimizer optimizer = Optimizer::kAdam;
  double learning_rate = 0.001;
  double weight_decay = 0;
  double momentum = 0.9;  // kSgd
  Schedule schedule = Schedule::kPlateau;
  int64_t plateau_patience = 10;  // epochs without a better loss before the rate is lowered
  double plateau_factor = 0.5;
  int64_t patience = 30;  // epochs without a better loss before training ends
  double clip = 1.0;      // of the gradients' norm; 0: none
  int64_t seed = 1;
  int64_t checkpoint_every = 500;  // steps of the optimizer
  double validation = 0.1;         // of the training rows, where the recipe's split has no part
  std::string device = "auto";     // auto, cpu, cuda, cuda:1
  Precision precision = Precision::kAuto;
};

struct NetworkOptions {
  Architecture architecture = Architecture::kGruAttention;
  int64_t steps = 60;  // rows of a window
  int64_t hidden = 128;
  int64_t layers = 2;
  double dropout = 0.2;
  std::vector<int64_t> dense;     // units of the layers before the output
  std::vector<int64_t> channels;  // of the convolutions
  int64_t kernel = 3;             // their width, odd
  int64_t heads = 4;              // of attention, a divisor of hidden; tft
  Loss loss = Loss::kMse;
  // Percentages, ascending, 50 among them: the network puts out these quantiles instead of one
  // value, and is trained by the pinball loss.
  std::vector<double> quantiles;
  bool across_gaps = false;  // windows may have missing bars inside
  TrainingOptions training;

  static NetworkOptions Defaults(Architecture architecture);
  // {kind: gru_attention, steps: 60, training: {epochs: 20}}. Error(kUsage) naming key and line.
  static NetworkOptions FromConfig(const ConfigNode& node);
  // Error(kUsage) unless such a network can forecast a target of these classes, or of numbers if
  // there are none: classes need one output each and the cross-entropy.
  void CheckTarget(const std::vector<std::string>& classes) const;
  static NetworkOptions FromJson(const Json& json);  // what ToJson gives
  Json ToJson() const;
};

}  // namespace almanac

#endif  // ALMANAC_NEURAL_HOST_NETWORK_OPTIONS_H_
