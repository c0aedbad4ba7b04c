#include "almanac/neural/trainer.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <utility>

#include "almanac/base/cancel.h"
#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/base/random.h"
#include "almanac/neural/batch_feed.h"
#include "almanac/neural/loss.h"
#include "almanac/neural/optimizer.h"
#include "almanac/neural/precision.h"
#include "almanac/neural/schedule.h"
#include "almanac/neural/training_state.h"

namespace almanac::neural {
namespace {

constexpr size_t kAnswerBatch = 256;

double SecondsSince(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

at::Tensor ToTensor(std::vector<float>& values, at::IntArrayRef shape, at::Device device) {
  const at::Tensor view = at::from_blob(values.data(), shape, at::kFloat);
  return device.is_cpu() ? view : view.to(device);
}

// LibTorch says it in words; its exception's type is another one in every version.
bool IsOutOfMemory(const c10::Error& error) {
  return std::string_view(error.what()).find("out of memory") != std::string_view::npos;
}

class Trainer {
 public:
  Trainer(const TrainingPlan& plan, Network& network)
      : plan_(plan),
        options_(plan.options.training),
        network_(network),
        device_(FindDevice(options_.device)),
        mixed_(MixedType(options_.precision, device_)),
        loss_scale_(mixed_),
        updater_((network.parameters().MoveTo(device_), options_), network.parameters()),
        schedule_(options_, StepsOf(plan)) {
    progress_.batch_size = options_.batch_size;
  }

  TrainingResult Run() {
    const auto begin = std::chrono::steady_clock::now();
    TakeUpState();
    while (progress_.epoch < options_.epochs && !schedule_.IsOver()) RunEpoch();
    TrainingResult result;
    result.last = network_.parameters().Snapshot();
    network_.parameters().Restore(best_);
    result.best = std::move(best_);
    result.epochs = progress_.losses;
    result.best_epoch = progress_.best_epoch;
    result.stopped_early = progress_.epoch < options_.epochs;
    result.steps = updater_.steps();
    result.batch_size = progress_.batch_size;
    result.seconds = SecondsSince(begin);
    result.waited = result.seconds > 0 ? waited_ / result.seconds : 0;
    result.device = device_.str();
    result.precision = DescribePrecision(mixed_);
    return result;
  }

 private:
  static int64_t StepsOf(const TrainingPlan& plan) {
    const TrainingOptions& options = plan.options.training;
    const auto rows = static_cast<int64_t>(plan.training.size());
    const int64_t a_step = options.batch_size * options.accumulate;
    return options.epochs * ((rows + a_step - 1) / a_step);
  }

  void Note(const std::string& line) const {
    if (plan_.note) plan_.note(line);
  }

  void TakeUpState() {
    if (plan_.work_folder.empty()) return;
    std::optional<TrainingState> state = LoadState(plan_.work_folder, plan_.identity);
    if (!state) return;
    network_.parameters().Restore(state->weights);
    updater_.Restore(state->optimizer, state->progress.steps);
    schedule_.Restore(state->schedule);
    loss_scale_.Restore(state->loss_scale);
    best_ = std::move(state->best);
    progress_ = std::move(state->progress);
    Note(fmt::format("goes on in epoch {} after {} steps", progress_.epoch + 1, progress_.steps));
  }

  void SaveNow() {
    progress_.steps = updater_.steps();
    if (plan_.work_folder.empty()) return;
    SaveState({progress_, schedule_.ToJson(), loss_scale_.ToJson(),
               network_.parameters().Snapshot(), updater_.Snapshot(), best_},
              plan_.work_folder, plan_.identity);
  }

  std::vector<size_t> Order() const {
    std::vector<size_t> order(plan_.training.size());
    std::iota(order.begin(), order.end(), size_t{0});
    Random random(static_cast<uint64_t>(options_.seed), fmt::format("epoch {}", progress_.epoch));
    for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.Below(i)]);
    return order;
  }

  void RunEpoch() {
    const auto begin = std::chrono::steady_clock::now();
    const double waited = waited_;
    // A batch that does not fit the device's memory is tried again at half its size.
    while (!TryEpoch()) {
    }
    EpochLoss loss;
    loss.training = progress_.loss_sum / static_cast<double>(progress_.loss_rows);
    loss.validation = ValidationLoss();
    loss.learning_rate = schedule_.LearningRate(updater_.steps() - 1);
    RequireFinite(loss.validation, "validation");
    const bool better = schedule_.Judge(loss.validation);
    ++progress_.epoch;
    progress_.losses.push_back(loss);
    if (better) {
      best_ = network_.parameters().Snapshot();
      progress_.best_epoch = progress_.epoch;
    }
    progress_.position = progress_.loss_rows = 0;
    progress_.loss_sum = 0;
    const double seconds = SecondsSince(begin);
    Note(fmt::format(
        "epoch {}/{}: loss {:.6f}, validation {:.6f}{}, rate {:.2g}, {:.1f} s, {:.1f} % "
        "of it waiting for data",
        progress_.epoch, options_.epochs, loss.training, loss.validation, better ? " (best)" : "",
        loss.learning_rate, seconds, 100 * (waited_ - waited) / std::max(seconds, 1e-9)));
    SaveNow();
  }

  // False if the device's memory was too small; the batch size is then half of what it was.
  bool TryEpoch() {
    BatchFeed feed(plan_.training, Order(), static_cast<size_t>(progress_.batch_size),
                   static_cast<size_t>(progress_.position));
    Batch batch;
    int64_t gathered = 0;  // batches since the last step
    int64_t pending = 0;   // windows of them
    const auto step = [&] {
      TakeStep();
      progress_.position += std::exchange(pending, 0);
      gathered = 0;
      if (CancelRequested() || updater_.steps() % options_.checkpoint_every == 0) SaveNow();
      CheckCancel();
    };
    while (feed.Next(&batch)) {
      pending += static_cast<int64_t>(batch.rows);
      // One row has no batch statistics to normalise by.
      if (batch.rows < 2 && options_.batch_size > 1) continue;
      try {
        Learn(batch, gathered);
      } catch (const c10::Error& error) {
        if (!IsOutOfMemory(error) || progress_.batch_size < 4) throw;
        network_.parameters().ClearGradients();
        progress_.batch_size /= 2;
        Note(fmt::format("the device's memory is too small: batches of {} from here on",
                         progress_.batch_size));
        return false;
      }
      if (++gathered == options_.accumulate) step();
    }
    if (gathered > 0) step();
    waited_ += feed.waited_seconds();
    return true;
  }

  void TakeStep() {
    const double rate = schedule_.LearningRate(updater_.steps());
    if (!loss_scale_.is_dynamic()) {
      updater_.Step(rate, options_.clip);
      return;
    }
    loss_scale_.Update(
        std::isfinite(updater_.Step(rate, options_.clip, /*loss_scale=*/loss_scale_.value())));
  }

  void Learn(Batch& batch, int64_t gathered) {
    const auto count = static_cast<uint64_t>(updater_.steps() * options_.accumulate + gathered);
    at::manual_seed(Random(static_cast<uint64_t>(options_.seed), count).Next());
    const at::Tensor loss = LossOf(batch, /*training=*/true);
    const double value = loss.item<double>();
    RequireFinite(value, "training");
    (loss * (loss_scale_.value() / static_cast<double>(options_.accumulate))).backward();
    progress_.loss_sum += value * static_cast<double>(batch.rows);
    progress_.loss_rows += static_cast<int64_t>(batch.rows);
  }

  at::Tensor LossOf(Batch& batch, bool training) {
    const at::Tensor target = ToTensor(
        batch.targets,
        {static_cast<int64_t>(batch.rows), static_cast<int64_t>(plan_.training.horizons())},
        device_);
    const at::Tensor forecast = ForecastOf(batch, training);
    if (plan_.classes) return ClassLoss(forecast, target);
    if (!plan_.levels.empty()) return PinballLoss(forecast, target, plan_.levels);
    return PointLoss(plan_.options.loss, forecast, target);
  }

  // In float32. Only learning is done in mixed precision: validation judges what predicts later.
  at::Tensor ForecastOf(Batch& batch, bool training) {
    const Autocast autocast(device_.type(), training ? mixed_ : std::nullopt);
    return network_.Forward(InputOf(batch, plan_.training, device_), training).to(at::kFloat);
  }

  double ValidationLoss() {
    const at::NoGradGuard no_gradients;
    std::vector<size_t> order(plan_.validation.size());
    std::iota(order.begin(), order.end(), size_t{0});
    BatchFeed feed(plan_.validation, std::move(order), kAnswerBatch);
    Batch batch;
    double sum = 0;
    while (feed.Next(&batch)) {
      CheckCancel();
      sum += LossOf(batch, /*training=*/false).item<double>() * static_cast<double>(batch.rows);
    }
    return sum / static_cast<double>(plan_.validation.size());
  }

  void RequireFinite(double loss, const char* which) const {
    if (std::isfinite(loss)) return;
    throw Error(ErrorCode::kFailed,
                fmt::format("epoch {}, step {}", progress_.epoch + 1, updater_.steps()),
                fmt::format("the {} loss is {}", which, loss),
                "lower training.learning_rate, or look for extreme values in the features");
  }

  const TrainingPlan& plan_;
  const TrainingOptions& options_;
  Network& network_;
  at::Device device_;
  std::optional<at::ScalarType> mixed_;  // what is multiplied in, if not float32
  LossScale loss_scale_;
  WeightUpdater updater_;
  TrainingSchedule schedule_;
  TrainingProgress progress_;
  NamedTensors best_;
  double waited_ = 0;
};

}  // namespace

NetworkInput InputOf(Batch& batch, const WindowSource& source, at::Device device) {
  const auto rows = static_cast<int64_t>(batch.rows);
  const auto steps = static_cast<int64_t>(source.steps());
  NetworkInput input;
  input.windows =
      ToTensor(batch.windows, {rows, steps, static_cast<int64_t>(source.features())}, device);
  if (!batch.known.empty()) {
    input.known = ToTensor(
        batch.known,
        {rows, steps + static_cast<int64_t>(source.horizons()), static_cast<int64_t>(kKnownInputs)},
        device);
  }
  const at::Tensor groups = at::from_blob(batch.groups.data(), {rows}, at::kLong);
  input.groups = device.is_cpu() ? groups : groups.to(device);
  return input;
}

at::Device FindDevice(const std::string& name) {
  const int devices = at::hasCUDA() ? static_cast<int>(at::detail::getCUDAHooks().getNumGPUs()) : 0;
  if (name == "cpu" || (name == "auto" && devices == 0)) return at::Device(at::kCPU);
  const at::Device device = name == "auto" ? at::Device(at::kCUDA, 0) : at::Device(name);
  if (device.has_index() ? device.index() >= devices : devices == 0) {
    throw Error(ErrorCode::kUsage, name, fmt::format("LibTorch sees {} CUDA devices", devices),
                "use cpu or auto");
  }
  return device;
}

void KeepFreedMemory() {
#ifdef __GLIBC__
  constexpr int kTrimmed = 1 << 30, kMapped = 32 << 20;  // the latter is glibc's limit
  static const bool kDone =
      mallopt(M_TRIM_THRESHOLD, kTrimmed) != 0 && mallopt(M_MMAP_THRESHOLD, kMapped) != 0;
  static_cast<void>(kDone);
#endif
}

TrainingResult TrainNetwork(const TrainingPlan& plan, Network& network) {
  if (plan.training.size() < 2 || plan.validation.size() == 0) {
    throw Error(ErrorCode::kBadData, "training",
                fmt::format("{} windows to learn from and {} to judge on", plan.training.size(),
                            plan.validation.size()),
                "give more data, a smaller steps, or across_gaps: true where bars are missing");
  }
  at::set_num_threads(ThreadCount());
  KeepFreedMemory();
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
  return Trainer(plan, network).Run();
}

at::Tensor Answer(Network& network, const WindowSource& source, at::Device device) {
  const at::NoGradGuard no_gradients;
  at::set_num_threads(ThreadCount());
  std::vector<size_t> order(source.size());
  std::iota(order.begin(), order.end(), size_t{0});
  BatchFeed feed(source, std::move(order), kAnswerBatch);
  Batch batch;
  std::vector<at::Tensor> parts;
  while (feed.Next(&batch)) {
    CheckCancel();
    parts.push_back(
        network.Forward(InputOf(batch, source, device), /*training=*/false).to(at::kCPU));
  }
  return parts.empty() ? at::empty({0, 0, 0}) : at::cat(parts, 0);
}

}  // namespace almanac::neural
