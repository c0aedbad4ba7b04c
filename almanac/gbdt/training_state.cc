#include "almanac/gbdt/training_state.h"

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/hash.h"

namespace almanac::gbdt {
namespace {

constexpr std::string_view kMagic = "almanac gbdt training 3\n";
constexpr size_t kHashDigits = 64;

void AddData(const BinnedData& data, Hasher& hasher) {
  hasher.Add(static_cast<int64_t>(data.rows()));
  for (const std::string& name : data.column_names()) hasher.Add(name);
  for (const BinMapper& mapper : data.mappers()) hasher.Add(mapper.Info());
  for (size_t f = 0; f < data.features(); ++f) {
    hasher.Add(static_cast<int64_t>(data.column(f)));
    data.Visit(f, [&](const auto& bins) {
      std::vector<std::decay_t<decltype(bins[0])>> column(data.rows());
      for (size_t row = 0; row < data.rows(); ++row) column[row] = bins[row];
      hasher.AddBytes(column.data(), column.size() * sizeof(column[0]));
    });
  }
}

void AddTargets(const Targets& targets, Hasher& hasher) {
  hasher.AddBytes(targets.label.data(), targets.label.size_bytes());
  hasher.AddBytes(targets.weight.data(), targets.weight.size_bytes());
  hasher.AddBytes(targets.initial_score.data(), targets.initial_score.size_bytes());
}

}  // namespace

std::string TrainingKey(const Params& params, const BinnedData& data, const Targets& targets,
                        const std::vector<Validation>& validations) {
  Hasher hasher;
  hasher.Add(params.ToModelText()).Add(int64_t{params.exact});
  hasher.Add(int64_t{params.feature_screen}).Add(int64_t{params.feature_screen_start});
  hasher.Add(int64_t{params.feature_screen_freq});
  AddData(data, hasher);
  AddTargets(targets, hasher);
  for (const Validation& validation : validations) {
    hasher.Add(validation.name).Add(int64_t{validation.can_stop});
    // The training data judged again is not hashed again.
    if (&validation.data != &data) AddData(validation.data, hasher);
    AddTargets(validation.targets, hasher);
  }
  return hasher.Finish();
}

void WriteTrainingState(const std::filesystem::path& file, const std::string& key,
                        const std::string& state) {
  const std::string body = key + state;
  WriteFileAtomic(file, std::string(kMagic) + Sha256(body) + body);
}

std::string ReadTrainingState(const std::filesystem::path& file, const std::string& key) {
  const std::string content = ReadFile(file);
  const std::string remedy = "delete it to begin anew";
  const size_t body_at = kMagic.size() + kHashDigits;
  if (!content.starts_with(kMagic) || content.size() < body_at + kHashDigits ||
      content.substr(kMagic.size(), kHashDigits) !=
          Sha256(std::string_view(content).substr(body_at))) {
    throw Error(ErrorCode::kBadData, file.string(), "is damaged", remedy);
  }
  if (content.substr(body_at, kHashDigits) != key) {
    throw Error(ErrorCode::kUsage, file.string(),
                "was left by a training with other parameters or data",
                "go on with those, or " + remedy);
  }
  return content.substr(body_at + kHashDigits);
}

}  // namespace almanac::gbdt
