#include "almanac/dataset/bin_spool.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "almanac/base/error.h"
#include "almanac/base/file.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

constexpr const char* kStateFile = "state.json";
constexpr const char* kComparedFile = "compared.f32";
constexpr const char* kBinsFile = "bins.u8";
constexpr const char* kRecordsFile = "records.bin";

Json ToJson(const std::optional<PrunedColumn>& verdict) {
  if (!verdict) return nullptr;
  return {verdict->reason, verdict->value, verdict->because};
}

std::optional<PrunedColumn> VerdictFrom(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return PrunedColumn{"", json.at(0).get<std::string>(), json.at(1).get<double>(),
                      json.at(2).get<std::string>()};
}

void Append(std::ofstream* file, const fs::path& path, const void* data, size_t bytes) {
  file->write(static_cast<const char*>(data), static_cast<std::streamsize>(bytes));
  if (!*file) throw Error(ErrorCode::kFailed, path.string(), "writing failed (is the disk full?)");
}

void Read(std::ifstream* file, const fs::path& path, size_t at, void* data, size_t bytes) {
  file->seekg(static_cast<std::streamoff>(at));
  file->read(static_cast<char*>(data), static_cast<std::streamsize>(bytes));
  if (*file) return;
  throw Error(ErrorCode::kFailed, path.string(), fmt::format("cannot be read at byte {}", at),
              "delete the folder and begin anew");
}

}  // namespace

BinSpool::BinSpool(fs::path folder, std::string key, size_t rows, size_t compared_rows)
    : folder_(std::move(folder)), key_(std::move(key)), rows_(rows), compared_rows_(compared_rows) {
  const bool goes_on = Load();
  if (!goes_on) {
    state_ = State();
    record_bytes_ = 0;
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  Open(!goes_on);
}

bool BinSpool::Load() {
  if (!fs::exists(Path(kStateFile))) return false;
  try {
    const Json json = Json::parse(ReadFile(Path(kStateFile)));
    if (json.at("key") != key_) return false;
    state_.groups = json.at("groups").get<size_t>();
    state_.compared = json.at("compared").get<std::vector<size_t>>();
    state_.binned = json.at("binned").get<std::vector<size_t>>();
    for (const Json& verdict : json.at("verdicts")) {
      state_.verdicts.push_back(VerdictFrom(verdict));
    }
    record_bytes_ = json.at("record_bytes").get<uint64_t>();
  } catch (const Json::exception&) {
    return false;  // not from this program: begin anew
  }
  const auto has = [&](const char* name, uint64_t bytes) {
    std::error_code missing;
    const uint64_t found = fs::file_size(Path(name), missing);
    return !missing && found >= bytes;
  };
  return has(kComparedFile, state_.compared.size() * compared_rows_ * sizeof(float)) &&
         has(kBinsFile, state_.binned.size() * rows_) && has(kRecordsFile, record_bytes_);
}

void BinSpool::Open(bool afresh) {
  const auto open = [&](std::ofstream* file, const char* name, uint64_t bytes) {
    // What was written after the last Save is not part of the state.
    if (!afresh) fs::resize_file(Path(name), bytes);
    file->open(Path(name), std::ios::binary | std::ios::app);
    if (!*file) throw Error(ErrorCode::kFailed, Path(name).string(), "cannot be written");
  };
  open(&compared_, kComparedFile, state_.compared.size() * compared_rows_ * sizeof(float));
  open(&bins_, kBinsFile, state_.binned.size() * rows_);
  open(&records_, kRecordsFile, record_bytes_);
}

void BinSpool::AddCompared(size_t column, std::span<const float> values) {
  Append(&compared_, Path(kComparedFile), values.data(), values.size_bytes());
  state_.compared.push_back(column);
}

void BinSpool::AddBinned(size_t column, const BinColumn& description,
                         std::span<const uint8_t> bins) {
  const std::string record = EncodeBinColumn(description);
  Append(&records_, Path(kRecordsFile), record.data(), record.size());
  Append(&bins_, Path(kBinsFile), bins.data(), bins.size());
  record_bytes_ += record.size();
  state_.binned.push_back(column);
}

void BinSpool::AddVerdicts(std::span<const std::optional<PrunedColumn>> verdicts, size_t groups) {
  state_.verdicts.insert(state_.verdicts.end(), verdicts.begin(), verdicts.end());
  state_.groups = groups;
}

void BinSpool::Save() {
  compared_.flush();
  bins_.flush();
  records_.flush();
  for (const char* name : {kComparedFile, kBinsFile, kRecordsFile}) SyncPath(Path(name));
  Json verdicts = Json::array();
  for (const auto& verdict : state_.verdicts) verdicts.push_back(ToJson(verdict));
  const Json json = {{"key", key_},
                     {"groups", state_.groups},
                     {"compared", state_.compared},
                     {"binned", state_.binned},
                     {"record_bytes", record_bytes_},
                     {"verdicts", verdicts}};
  WriteFileAtomic(Path(kStateFile), json.dump());
}

std::vector<float> BinSpool::ReadCompared(size_t place) const {
  std::vector<float> values(compared_rows_);
  std::ifstream file(Path(kComparedFile), std::ios::binary);
  const size_t bytes = compared_rows_ * sizeof(float);
  Read(&file, Path(kComparedFile), place * bytes, values.data(), bytes);
  return values;
}

void BinSpool::WriteTo(BinFileWriter* writer) const {
  const std::string all = ReadFile(Path(kRecordsFile));
  std::string_view records = all;
  std::vector<BinColumn> columns;
  for (size_t place = 0; place < state_.binned.size(); ++place) {
    try {
      columns.push_back(DecodeBinColumn(&records));
    } catch (const std::invalid_argument& error) {
      throw Error(ErrorCode::kFailed, Path(kRecordsFile).string(), error.what(),
                  "delete the folder and begin anew");
    }
  }
  writer->AddAll(columns, [&](size_t first, size_t /*count*/, std::span<uint8_t> bins) {
    std::ifstream file(Path(kBinsFile), std::ios::binary);
    Read(&file, Path(kBinsFile), first * rows_, bins.data(), bins.size());
  });
}

}  // namespace almanac
