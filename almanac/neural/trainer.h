// The training of every network: epochs of batches in random order, a validation loss after each,
// early stopping, and a state on disk from which a training that was stopped goes on to the same
// weights.
//
// On the CPU the same data, options and number of threads give the same weights, bit for bit, also
// when training was stopped and taken up again any number of times: every step seeds LibTorch's
// generator with (seed, step), every epoch's order comes from (seed, epoch), and the saved state is
// all that is carried from step to step.
#ifndef ALMANAC_NEURAL_TRAINER_H_
#define ALMANAC_NEURAL_TRAINER_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/neural/host/network_options.h"
#include "almanac/neural/network.h"
#include "almanac/neural/parameters.h"
#include "almanac/neural/window_source.h"

namespace almanac::neural {

struct EpochLoss {
  double training = 0, validation = 0;
  double learning_rate = 0;  // of the epoch's last step
};

struct TrainingResult {
  std::vector<EpochLoss> epochs;
  int64_t best_epoch = 0;  // from 1: the one with the smallest validation loss
  bool stopped_early = false;
  NamedTensors best, last;  // weights after the best and after the last epoch
  int64_t steps = 0;        // of the optimizer
  int64_t batch_size = 0;   // smaller than asked for where the device's memory was too small
  double seconds = 0;       // of this process
  double waited = 0;        // share of them in which the network waited for data
  std::string device;
  std::string precision;  // "float32", "mixed (bfloat16)" or "mixed (float16)"
};

struct TrainingPlan {
  const NetworkOptions& options;
  std::vector<double> levels;  // of quantiles, between 0 and 1
  bool classes = false;
  const WindowSource& training;
  const WindowSource& validation;
  // Where the state is kept; empty: nowhere, and a stopped training is lost.
  std::filesystem::path work_folder;
  std::string identity;  // of data, options and shapes: another one's state is not taken up
  std::function<void(std::string_view)> note;  // a line an epoch; may be empty
};

// Where "auto", "cpu", "cuda" or "cuda:1" is. Error(kUsage) if there is no such device.
at::Device FindDevice(const std::string& name);

// Keeps memory of freed tensors in the process, up to a gigabyte. Every step asks for the same
// megabytes again: given back to the system in between, a page fault for each 4 kB of them takes
// longer than what is computed there. TrainNetwork does it.
void KeepFreedMemory();

// Leaves the network with its best weights, on the device that it was trained on. Throws
// Error(kInterrupted) if stopped, after saving the state; Error(kFailed) if the loss is not finite.
TrainingResult TrainNetwork(const TrainingPlan& plan, Network& network);

// (B, horizons, outputs) on the CPU: the network's answers for some windows, batch by batch.
at::Tensor Answer(Network& network, const WindowSource& source, at::Device device);

// A batch as a network takes it: views of it on the CPU, copies elsewhere.
NetworkInput InputOf(Batch& batch, const WindowSource& source, at::Device device);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_TRAINER_H_
