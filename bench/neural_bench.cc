// Networks: steps of training a second, with the project's recurrent layers, beside LibTorch's own
// in the same process (taking turns, step by step) and beside python3-torch (bench/neural_peer.py,
// if python3 or $ALMANAC_PYTHON has torch) with as many threads.
//
//   neural_bench [THREADS ROUNDS [CASE]]   default 1 thread, 5 rounds of 4 steps, of which the best
//                                          counts; CASE: only networks whose name begins so
//
// A step is forward, mean squared error, backward, clipping and Adam over windows of 60 rows by 44
// features. Times are of the processor with one thread, of the wall with more. The share is that of
// the largest matrix product's speed, measured here; a step's products alone count as its work.
// OpenBLAS knows fewer processors than there are: which it takes this one for is printed, and
// OPENBLAS_CORETYPE=SkylakeX (or Haswell, ...) in the environment tells it.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "almanac/base/places_for_test.h"
#include "almanac/neural/batched.h"
#include "almanac/neural/fused.h"
#include "almanac/neural/fused_adam.h"
#include "almanac/neural/loss.h"
#include "almanac/neural/network.h"
#include "almanac/neural/optimizer.h"
#include "almanac/neural/trainer.h"

namespace almanac::neural {
namespace {

constexpr int64_t kFeatures = 44, kWindow = 60, kHidden = 128, kStepsARound = 4;
constexpr int64_t kSmallModels = 32, kSmallBatch = 32;

struct Options {
  int threads = 1, rounds = 5;
  std::string only;  // what a case's name begins with
  bool Wants(const std::string& name) const { return name.rfind(only, 0) == 0; }
};

double Seconds(const Options& options) {
  timespec now = {};
  clock_gettime(options.threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// A network as functions of its weights. `ours`: with which recurrent layers.
struct Net {
  std::vector<at::Tensor> weights, first, second;
  std::function<at::Tensor(const Net&, const at::Tensor&)> forward;
  bool ours = true;
  double products = 0;  // multiplications and additions of a row's step
  int64_t steps = 0;

  void Add(at::IntArrayRef sizes) {
    weights.push_back((at::randn(sizes) * 0.1).requires_grad_());
    first.push_back(at::zeros(sizes));
    second.push_back(at::zeros(sizes));
  }
  // Three products a weight: forward, and backward by the input and by the weight.
  void AddLinear(int64_t inputs, int64_t outputs, int64_t rows = 1) {
    Add({outputs, inputs});
    Add({outputs});
    products += 6.0 * static_cast<double>(inputs * outputs * rows);
  }
  void AddLayer(int64_t gates, int64_t inputs, int64_t hidden) {
    Add({gates * hidden, inputs});
    Add({gates * hidden, hidden});
    Add({gates * hidden});
    Add({gates * hidden});
    products += 6.0 * static_cast<double>(gates * hidden * (inputs + hidden) * kWindow);
  }
  void AddHead(int64_t inputs, const std::vector<int64_t>& units) {
    for (const int64_t outputs : units) {
      AddLinear(inputs, outputs);
      inputs = outputs;
    }
    AddLinear(inputs, 1);
  }
};

at::Tensor Head(const Net& net, at::Tensor x, size_t next) {
  for (; next + 2 < net.weights.size(); next += 2) {
    x = at::relu(at::linear(x, net.weights[next], net.weights[next + 1]));
  }
  return at::linear(x, net.weights[next], net.weights[next + 1]);
}

at::Tensor Layers(const Net& net, Cell cell, const at::Tensor& x, size_t next, int64_t layers) {
  const auto begin = net.weights.begin() + static_cast<ptrdiff_t>(next);
  const std::vector<at::Tensor> own(begin, begin + 4 * layers);
  const int64_t hidden = own[1].size(1);
  const at::Tensor start = at::zeros({layers, x.size(0), hidden});
  if (cell == Cell::kGru) {
    return net.ours ? std::get<0>(Gru(x, start, own, {true, layers, 0, true, true}))
                    : std::get<0>(at::gru(x, start, own, true, layers, 0, true, false, true));
  }
  return net.ours
             ? std::get<0>(Lstm(x, {start, start}, own, {true, layers, 0, true, true}))
             : std::get<0>(at::lstm(x, {start, start}, own, true, layers, 0, true, false, true));
}

Net MakeRecurrent(Cell cell, int64_t inputs, int64_t hidden, int64_t layers, int64_t dense) {
  Net net;
  for (int64_t layer = 0; layer < layers; ++layer) {
    net.AddLayer(cell == Cell::kGru ? 3 : 4, layer == 0 ? inputs : hidden, hidden);
  }
  net.AddHead(hidden, {dense});
  net.forward = [cell, layers](const Net& own, const at::Tensor& x) {
    const at::Tensor last = Layers(own, cell, x, 0, layers).select(1, -1);
    return Head(own, last, static_cast<size_t>(4 * layers));
  };
  return net;
}

Net MakeGruAttention() {
  Net net;
  net.AddLinear(kFeatures, kHidden, kWindow);
  net.AddLayer(3, kHidden, kHidden);
  net.AddLayer(3, kHidden, kHidden);
  net.AddLinear(kHidden, 1, kWindow);
  net.AddHead(kHidden, {64, 32});
  net.forward = [](const Net& own, const at::Tensor& x) {
    const at::Tensor input = at::linear(x, own.weights[0], own.weights[1]);
    const at::Tensor states = Layers(own, Cell::kGru, input, 2, 2);
    const at::Tensor scores = at::linear(states, own.weights[10], own.weights[11]);
    const at::Tensor weights = at::softmax(scores, 1);
    return Head(own, at::bmm(weights.transpose(1, 2), states).squeeze(1), 12);
  };
  return net;
}

Net MakeClstm() {
  constexpr int64_t kChannels = 64, kWidth = 3;
  Net net;
  for (const int64_t inputs : {kFeatures, kChannels}) {
    net.Add({kChannels, inputs, kWidth});
    net.Add({kChannels});
    net.products += 6.0 * static_cast<double>(kChannels * inputs * kWidth * kWindow);
  }
  net.AddLayer(4, kChannels, kHidden);
  net.AddHead(kHidden, {64});
  net.forward = [](const Net& own, const at::Tensor& windows) {
    at::Tensor x = windows.transpose(1, 2).contiguous();
    for (const size_t i : {0, 2}) {
      x = at::relu(at::conv1d(x, own.weights[i], own.weights[i + 1], 1, 1));
    }
    x = x.transpose(1, 2).contiguous();
    return Head(own, Layers(own, Cell::kLstm, x, 4, 1).select(1, -1), 8);
  };
  return net;
}

Net MakeDnn() {
  Net net;
  net.AddHead(kFeatures * kWindow, {256, 128, 64});
  net.forward = [](const Net& own, const at::Tensor& x) { return Head(own, x.flatten(1), 0); };
  return net;
}

void Adam(Net* net, const std::vector<at::Tensor>& gradients) {
  const at::NoGradGuard no_gradients;
  double squares = 0;
  for (const at::Tensor& gradient : gradients) {
    squares +=
        net->ours ? FusedSumOfSquares(gradient).value() : gradient.square().sum().item<double>();
  }
  const double factor = std::min(1.0, 1.0 / (std::sqrt(squares) + 1e-6));
  const double step = static_cast<double>(++net->steps);
  const double by = 1e-3 / (1 - std::pow(0.9, step)), root = std::sqrt(1 - std::pow(0.999, step));
  AdamOptions options;
  options.gradient_factor = factor;
  for (size_t i = 0; i < gradients.size(); ++i) {
    if (net->ours) {
      FusedAdam(net->weights[i], gradients[i], net->first[i], net->second[i], options, net->steps);
      continue;
    }
    const at::Tensor gradient = factor < 1 ? gradients[i] * factor : gradients[i];
    net->first[i].mul_(0.9).add_(gradient, 0.1);
    net->second[i].mul_(0.999).addcmul_(gradient, gradient, 0.001);
    net->weights[i].addcdiv_(net->first[i], net->second[i].sqrt().div_(root).add_(1e-8), -by);
  }
}

void TrainStep(Net* net, const at::Tensor& x, const at::Tensor& y) {
  const at::Tensor loss = at::mse_loss(net->forward(*net, x), y);
  Adam(net, torch::autograd::grad({loss}, net->weights));
}

// Each body's best seconds a call, the bodies taking turns.
std::vector<double> TakeTurns(const Options& options,
                              const std::vector<std::function<void()>>& bodies, int64_t calls) {
  std::vector<double> best(bodies.size(), 1e9);
  for (int round = 0; round <= options.rounds; ++round) {  // the first one warms up
    for (size_t i = 0; i < bodies.size(); ++i) {
      const double start = Seconds(options);
      for (int64_t call = 0; call < calls; ++call) bodies[i]();
      const double taken = (Seconds(options) - start) / static_cast<double>(calls);
      if (round > 0) best[i] = std::min(best[i], taken);
    }
  }
  return best;
}

// The largest of OpenBLAS's and the project's own speed, operations a second.
double MeasurePeak(const Options& options) {
  constexpr int64_t kSize = 1024;
  const at::Tensor a = at::randn({kSize, kSize}), b = at::randn({kSize, kSize});
  at::Tensor c = at::empty({kSize, kSize});
  const auto view = [&](const at::Tensor& t) {
    return RowMajor(t.data_ptr<float>(), kSize, kSize);
  };
  const PackedMatrix packed(view(b));
  const std::vector<double> best =
      TakeTurns(options,
                {[&] { at::mm_out(c, a, b); },
                 [&] { Multiply(view(a), packed, c.data_ptr<float>(), kSize, {}, TorchRunner()); }},
                2);
  const double work = 2.0 * kSize * kSize * kSize;
  fmt::print("{} x {} products: BLAS {:.1f} GFLOP/s, our kernels {:.1f}\n", kSize, kSize,
             work / best[0] * 1e-9, work / best[1] * 1e-9);
  return work / std::min(best[0], best[1]);
}

struct Row {
  std::string name, peer_case;
  double ours = 0, theirs = 0, share = 0;
};

Row MeasureNet(const Options& options, const std::string& name, const std::function<Net()>& make,
               int64_t batch, double peak) {
  Net ours = make(), theirs = make();
  theirs.ours = false;
  const at::Tensor x = at::randn({batch, kWindow, kFeatures}), y = at::randn({batch, 1});
  const std::vector<double> best = TakeTurns(
      options, {[&] { TrainStep(&ours, x, y); }, [&] { TrainStep(&theirs, x, y); }}, kStepsARound);
  return {fmt::format("{}, batch {}", name, batch), fmt::format("{}:{}", name, batch), best[0],
          best[1], ours.products * static_cast<double>(batch) / best[0] / peak};
}

// Networks whose layers are LibTorch's own but for the order they are run in: as the room trains
// them, beside python3-torch.
Row MeasureWhole(const Options& options, Architecture architecture, int64_t batch) {
  const bool is_tft = architecture == Architecture::kTft;
  constexpr int64_t kTftFeatures = 12, kTftKnown = 6;
  NetworkOptions network_options = NetworkOptions::Defaults(architecture);
  network_options.steps = kWindow;
  if (!is_tft) network_options.dropout = 0;  // the peer has none
  const NetworkShape shape = {
      kWindow, is_tft ? kTftFeatures : kFeatures, 1, 1, is_tft ? kTftKnown : 0, 1};
  const auto network = MakeNetwork(network_options, shape);
  WeightUpdater updater(network_options.training, network->parameters());
  const NetworkInput input = {at::randn({batch, kWindow, shape.features}),
                              at::randn({batch, kWindow + 1, shape.known}),
                              at::zeros({batch}, at::kLong)};
  const at::Tensor y = at::randn({batch, 1});
  const std::vector<double> best =
      TakeTurns(options, {[&] {
                  PointLoss(Loss::kMse, network->Forward(input, /*training=*/true), y).backward();
                  updater.Step(1e-3, 1.0);
                }},
                kStepsARound);
  const std::string name(Name(architecture));
  return {fmt::format("{}, batch {}", name, batch), fmt::format("{}:{}", name, batch), best[0], 0,
          0};
}

BatchedNetwork MakeSmall(Cell cell, int64_t hidden, size_t count) {
  const BatchedShape shape = {cell, kWindow, kFeatures, hidden, 1, {16}, 1};
  std::vector<ModelTensors> initial(count);
  for (ModelTensors& model : initial) {
    for (const auto& [name, sizes] : shape.Tensors()) {
      model.emplace_back(name, at::randn(sizes) * 0.1);
    }
  }
  return BatchedNetwork(shape, std::vector<BatchedModel>(count), initial);
}

void SmallStep(BatchedNetwork* network, const at::Tensor& x, const at::Tensor& y) {
  network->Step((network->Forward(x, /*training=*/true) - y).square().flatten(1).mean(1));
}

// K models at once beside one of them, by our layers and by LibTorch's. `one` is what a single
// model's step takes by our layers.
struct SmallRow {
  Row row;
  double one = 0;
};

SmallRow MeasureSmall(const Options& options, Cell cell, int64_t hidden, double peak) {
  BatchedNetwork together = MakeSmall(cell, hidden, kSmallModels);
  Net single = MakeRecurrent(cell, kFeatures, hidden, 1, 16), theirs = single;
  theirs.ours = false;
  const at::Tensor x = at::randn({kSmallModels, kSmallBatch, kWindow, kFeatures});
  const at::Tensor y = at::randn({kSmallModels, kSmallBatch, 1}), own_x = x[0], own_y = y[0];
  const std::vector<double> best =
      TakeTurns(options,
                {[&] { SmallStep(&together, x, y); }, [&] { TrainStep(&single, own_x, own_y); },
                 [&] { TrainStep(&theirs, own_x, own_y); }},
                2);
  const std::string name = cell == Cell::kGru ? "small_gru" : "small_lstm";
  const double work = single.products * static_cast<double>(kSmallModels * kSmallBatch);
  return {{fmt::format("{}, {} units", name, hidden), fmt::format("{}:{}", name, hidden), best[0],
           best[2], work / best[0] / peak},
          best[1]};
}

// Seconds a step by case, empty without Python or torch.
std::map<std::string, double> RunPeer(const Options& options, const std::vector<Row>& rows) {
  const char* named = std::getenv("ALMANAC_PYTHON");
  std::string command =
      fmt::format("{} '{}/bench/neural_peer.py' {} {} {}", named != nullptr ? named : "python3",
                  SourceFolder().string(), options.threads, options.rounds, kStepsARound);
  for (const Row& row : rows) command += " " + row.peer_case;
  std::map<std::string, double> seconds;
  std::FILE* pipe = popen(command.c_str(), "r");  // NOLINT(cert-env33-c): our own script
  if (pipe == nullptr) return seconds;
  char name[64];
  double value = 0;
  while (std::fscanf(pipe, "%63s %lf", name, &value) == 2) seconds[name] = value;
  pclose(pipe);
  return seconds;
}

const char* BlasCore() {
  using Function = char* (*)();
  const auto function = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, "openblas_get_corename"));
  return function != nullptr ? function() : "not OpenBLAS";
}

std::string Ratio(double theirs, double ours) {
  return theirs > 0 ? fmt::format("{:>8.2f}x", theirs / ours) : fmt::format("{:>9}", "-");
}

void PrintRows(const std::vector<Row>& rows, const std::map<std::string, double>& peer) {
  fmt::print("{:<26}{:>9}{:>9}{:>11}{:>18}\n", "training", "steps/s", "of peak", "LibTorch",
             "python3-torch");
  for (const Row& row : rows) {
    const auto found = peer.find(row.peer_case);
    const std::string share = row.share > 0 ? fmt::format("{:.0f}%", 100 * row.share) : "-";
    fmt::print("{:<26}{:>9.1f}{:>9}  {}         {}\n", row.name, 1 / row.ours, share,
               Ratio(row.theirs, row.ours),
               Ratio(found == peer.end() ? 0 : found->second, row.ours));
  }
}

void PrintSmallRows(const std::vector<SmallRow>& rows, const std::map<std::string, double>& peer) {
  fmt::print("\n{} models at once, beside training them in turn\n", kSmallModels);
  fmt::print("{:<26}{:>9}{:>9}{:>11}{:>11}{:>18}\n", "", "steps/s", "of peak", "our layers",
             "LibTorch", "python3-torch");
  for (const SmallRow& small : rows) {
    const Row& row = small.row;
    const auto found = peer.find(row.peer_case);
    const double in_turn = found == peer.end() ? 0 : found->second * kSmallModels;
    fmt::print("{:<26}{:>9.1f}{:>8.0f}%  {}  {}         {}\n", row.name, 1 / row.ours,
               100 * row.share, Ratio(small.one * kSmallModels, row.ours),
               Ratio(row.theirs * kSmallModels, row.ours), Ratio(in_turn, row.ours));
  }
}

void Main(const Options& options) {
  at::set_num_threads(options.threads);
  KeepFreedMemory();  // as in training
  at::manual_seed(1);
  fmt::print("{} thread(s), OpenBLAS kernels for {}\n", options.threads, BlasCore());
  const double peak = MeasurePeak(options);
  std::vector<Row> rows;
  const auto measure = [&](const char* name, const std::function<Net()>& make, int64_t batch) {
    if (options.Wants(name)) rows.push_back(MeasureNet(options, name, make, batch, peak));
  };
  for (const int64_t batch : {32, 256}) {
    measure("gru_attention", MakeGruAttention, batch);
    measure(
        "lstm", [] { return MakeRecurrent(Cell::kLstm, kFeatures, kHidden, 2, 64); }, batch);
  }
  measure("clstm", MakeClstm, 32);
  measure("dnn", MakeDnn, 32);
  for (const Architecture architecture : {Architecture::kCdnn, Architecture::kTft}) {
    if (!options.Wants(std::string(Name(architecture)))) continue;
    rows.push_back(MeasureWhole(options, architecture, 32));
  }
  std::vector<SmallRow> small;
  for (const Cell cell : {Cell::kGru, Cell::kLstm}) {
    if (!options.Wants(cell == Cell::kGru ? "small_gru" : "small_lstm")) continue;
    for (const int64_t hidden : {8, 16, 32}) {
      small.push_back(MeasureSmall(options, cell, hidden, peak));
    }
  }
  std::vector<Row> all = rows;
  for (const SmallRow& row : small) all.push_back(row.row);
  const std::map<std::string, double> peer = RunPeer(options, all);
  if (peer.empty()) fmt::print("python3-torch: skipped, python3 has no torch\n");
  PrintRows(rows, peer);
  if (!small.empty()) PrintSmallRows(small, peer);
}

// OpenBLAS reads how many threads it has when it is loaded: the program begins again, told. With
// more, the idle ones would yield their processors in turn, and the clock of one thread count them.
void TellOpenBlas(const Options& options, char** argv) {
  constexpr const char* kThreads = "OPENBLAS_NUM_THREADS";
  const std::string threads = std::to_string(options.threads);
  const char* told = std::getenv(kThreads);
  if (told != nullptr && told == threads) return;
  setenv(kThreads, threads.c_str(), 1);  // the peer's too
  execv("/proc/self/exe", argv);
  fmt::print(stderr, "cannot begin again with {}={}\n", kThreads, threads);
  std::exit(1);
}

}  // namespace
}  // namespace almanac::neural

int main(int argc, char** argv) {
  almanac::neural::Options options;
  if (argc > 1) options.threads = std::max(1, std::atoi(argv[1]));
  if (argc > 2) options.rounds = std::max(1, std::atoi(argv[2]));
  if (argc > 3) options.only = argv[3];
  almanac::neural::TellOpenBlas(options, argv);
  almanac::neural::Main(options);
  return 0;
}
