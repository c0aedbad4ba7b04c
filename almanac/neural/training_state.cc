#include "almanac/neural/training_state.h"

#include <bit>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/json_file.h"
#include "almanac/neural/tensor_file.h"

namespace almanac::neural {
namespace fs = std::filesystem;
namespace {

constexpr const char* kFolder = "state";
constexpr const char* kProgress = "progress.json";
constexpr const char* kRemedy = "delete the folder: training begins again";

// Doubles as their bits: the sums must go on as they were.
uint64_t Bits(double value) { return std::bit_cast<uint64_t>(value); }
double FromBits(const Json& json) { return std::bit_cast<double>(json.get<uint64_t>()); }

Json ToJson(const TrainingProgress& progress) {
  Json losses = Json::array();
  for (const EpochLoss& loss : progress.losses) {
    losses.push_back({Bits(loss.training), Bits(loss.validation), Bits(loss.learning_rate)});
  }
  return {{"epoch", progress.epoch},
          {"position", progress.position},
          {"steps", progress.steps},
          {"batch_size", progress.batch_size},
          {"loss_sum", Bits(progress.loss_sum)},
          {"loss_rows", progress.loss_rows},
          {"best_epoch", progress.best_epoch},
          {"losses", losses}};
}

TrainingProgress ProgressFrom(const Json& json) {
  TrainingProgress progress;
  json.at("epoch").get_to(progress.epoch);
  json.at("position").get_to(progress.position);
  json.at("steps").get_to(progress.steps);
  json.at("batch_size").get_to(progress.batch_size);
  progress.loss_sum = FromBits(json.at("loss_sum"));
  json.at("loss_rows").get_to(progress.loss_rows);
  json.at("best_epoch").get_to(progress.best_epoch);
  const Json& losses = json.at("losses");
  for (const Json& loss : losses) {
    progress.losses.push_back({FromBits(loss.at(0)), FromBits(loss.at(1)), FromBits(loss.at(2))});
  }
  return progress;
}

}  // namespace

void SaveState(const TrainingState& state, const fs::path& folder, const std::string& identity) {
  fs::create_directories(folder);
  AtomicFolder saved(folder / kFolder);
  SaveTensors(state.weights, saved.staging() / "weights.safetensors");
  SaveTensors(state.optimizer, saved.staging() / "optimizer.safetensors");
  SaveTensors(state.best, saved.staging() / "best.safetensors");
  WriteJsonFile(saved.staging() / kProgress, {{"identity", identity},
                                              {"progress", ToJson(state.progress)},
                                              {"schedule", state.schedule},
                                              {"loss_scale", state.loss_scale}});
  saved.Commit();
}

std::optional<TrainingState> LoadState(const fs::path& folder, const std::string& identity) {
  const fs::path saved = folder / kFolder;
  if (!fs::exists(saved / kProgress)) return std::nullopt;
  const Json json = ReadJsonFile(saved / kProgress, kRemedy);
  try {
    if (json.at("identity").get<std::string>() != identity) return std::nullopt;
    TrainingState state;
    state.progress = ProgressFrom(json.at("progress"));
    state.schedule = json.at("schedule");
    state.loss_scale = json.at("loss_scale");
    state.weights = LoadTensors(saved / "weights.safetensors");
    state.optimizer = LoadTensors(saved / "optimizer.safetensors");
    state.best = LoadTensors(saved / "best.safetensors");
    return state;
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kBadData, (saved / kProgress).string(), error.what(), kRemedy);
  }
}

}  // namespace almanac::neural
