#include "almanac/dataset/bin_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "almanac/base/error.h"
#include "almanac/base/hash.h"
#include "almanac/base/parallel.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

static_assert(std::endian::native == std::endian::little, "the files are little-endian");

constexpr std::string_view kMagic = "ALMBINS\n";
constexpr uint32_t kVersion = 1;
constexpr size_t kDigest = 64;          // hexadecimal digits
constexpr size_t kTilesAt = 4096;       // a page: tiles are mapped
constexpr size_t kAlignment = 64;       // of tiles
constexpr size_t kRecordAlignment = 8;  // of column records
constexpr size_t kMostBins = 256;
constexpr const char* kRemedy = "make it again";

// The first bytes of a file, as they lie there.
struct Header {
  char magic[8];
  uint32_t version;
  uint32_t tile_columns;
  uint64_t rows;
  uint64_t columns;
  uint64_t tiles_at;
  uint64_t tile_bytes;
  uint64_t times_at;
  uint64_t records_at;
  uint64_t digests_at;
  uint64_t description_at;
  uint64_t file_bytes;
  char rest_digest[kDigest];    // of all bytes from times_at on
  char header_digest[kDigest];  // of all bytes of the header before this
};
static_assert(sizeof(Header) == 216 && std::is_trivially_copyable_v<Header>);
constexpr size_t kHashedHeader = sizeof(Header) - kDigest;

struct Record {
  uint32_t bytes;
  uint32_t bins;
  uint8_t missing;
  uint8_t zeros[3];
  uint32_t name_bytes;
  uint32_t unit_bytes;
  uint32_t sampled_rows;
  double min, max;
};
static_assert(sizeof(Record) == 40 && std::is_trivially_copyable_v<Record>);

size_t RoundedUp(size_t bytes, size_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

template <typename T>
std::string_view BytesOf(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

[[noreturn]] void Refuse(const fs::path& path, const std::string& what) {
  throw Error(ErrorCode::kBadData, path.string(), what, kRemedy);
}

Header ReadHeader(const fs::path& path, std::string_view bytes) {
  Header header;
  if (bytes.size() < sizeof header) {
    Refuse(path,
           fmt::format("has {} bytes where a header of {} is needed", bytes.size(), sizeof header));
  }
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::string_view(header.magic, sizeof header.magic) != kMagic) {
    Refuse(path, "does not begin as a file of bins does");
  }
  if (header.version != kVersion) {
    Refuse(path, fmt::format("is of version {}, this program reads {}", header.version, kVersion));
  }
  if (Sha256(bytes.substr(0, kHashedHeader)) != std::string_view(header.header_digest, kDigest)) {
    Refuse(path, fmt::format("is damaged in its first {} bytes", sizeof header));
  }
  if (header.file_bytes != bytes.size()) {
    Refuse(path,
           fmt::format("has {} bytes where its header says {}", bytes.size(), header.file_bytes));
  }
  return header;
}

// The hash says that these are the bytes that were written; this, that they were written rightly.
void CheckLayout(const fs::path& path, const Header& h) {
  const uint64_t tiles = (h.columns + BinFile::kTileColumns - 1) / BinFile::kTileColumns;
  const bool fits =
      h.tile_columns == BinFile::kTileColumns && h.tiles_at == kTilesAt && h.rows > 0 &&
      h.rows <= std::numeric_limits<uint32_t>::max() && h.columns > 0 &&
      h.columns <= h.file_bytes &&
      h.tile_bytes == RoundedUp(h.rows * BinFile::kTileColumns, kAlignment) &&
      h.times_at == kTilesAt + tiles * h.tile_bytes &&
      h.records_at == h.times_at + h.rows * sizeof(TimeMs) && h.records_at <= h.digests_at &&
      h.description_at == h.digests_at + tiles * kDigest && h.description_at <= h.file_bytes;
  if (!fits) Refuse(path, "has a header whose numbers contradict each other");
}

std::string HeaderFor(size_t rows, size_t columns, size_t record_bytes, std::string_view rest) {
  const size_t tiles = (columns + BinFile::kTileColumns - 1) / BinFile::kTileColumns;
  Header header{};
  std::memcpy(header.magic, kMagic.data(), kMagic.size());
  header.version = kVersion;
  header.tile_columns = BinFile::kTileColumns;
  header.rows = rows;
  header.columns = columns;
  header.tiles_at = kTilesAt;
  header.tile_bytes = RoundedUp(rows * BinFile::kTileColumns, kAlignment);
  header.times_at = kTilesAt + tiles * header.tile_bytes;
  header.records_at = header.times_at + rows * sizeof(TimeMs);
  header.digests_at = header.records_at + record_bytes;
  header.description_at = header.digests_at + tiles * kDigest;
  header.file_bytes = header.times_at + rest.size();
  std::memcpy(header.rest_digest, Sha256(rest).data(), kDigest);
  std::memcpy(header.header_digest, Sha256(BytesOf(header).substr(0, kHashedHeader)).data(),
              kDigest);
  return std::string(BytesOf(header));
}

void CheckTimes(const fs::path& path, std::span<const TimeMs> times) {
  if (times.empty()) {
    throw Error(ErrorCode::kBadData, path.string(), "there are no rows to bin");
  }
  for (size_t i = 1; i < times.size(); ++i) {
    if (times[i] > times[i - 1]) continue;
    throw Error(ErrorCode::kBadData, path.string() + " " + FormatTime(times[i]),
                fmt::format("row {} does not come after the row before", i),
                "row times must increase");
  }
}

}  // namespace

std::string EncodeBinColumn(const BinColumn& column) {
  const BinMapper& mapper = column.mapper;
  if (mapper.is_categorical() || mapper.bins() > kMostBins) {
    throw Error(
        ErrorCode::kUsage, "column " + column.name,
        mapper.is_categorical() ? "is categorical" : fmt::format("has {} bins", mapper.bins()),
        fmt::format("files of bins hold numbers in at most {} bins", kMostBins));
  }
  Record record{};
  record.bins = mapper.bins();
  record.missing = static_cast<uint8_t>(mapper.missing());
  record.name_bytes = static_cast<uint32_t>(column.name.size());
  record.unit_bytes = static_cast<uint32_t>(column.unit.size());
  record.min = mapper.min();
  record.max = mapper.max();
  std::string bounds, counts;
  for (uint32_t bin = 0; bin < mapper.bins(); ++bin) {
    const double bound = mapper.upper_bound(bin);
    bounds += BytesOf(std::isnan(bound) ? std::numeric_limits<double>::quiet_NaN() : bound);
    counts += BytesOf(static_cast<uint32_t>(mapper.count(bin)));
    record.sampled_rows += static_cast<uint32_t>(mapper.count(bin));
  }
  std::string bytes = bounds + counts + column.name + column.unit;
  bytes.resize(RoundedUp(bytes.size(), kRecordAlignment), '\0');
  record.bytes = static_cast<uint32_t>(sizeof record + bytes.size());
  return std::string(BytesOf(record)) + bytes;
}

BinColumn DecodeBinColumn(std::string_view* bytes, int min_split_rows) {
  Record record;
  if (bytes->size() < sizeof record) throw std::invalid_argument("its record is cut short");
  std::memcpy(&record, bytes->data(), sizeof record);
  const uint64_t needed = sizeof record + uint64_t{record.bins} * (sizeof(double) + 4) +
                          record.name_bytes + record.unit_bytes;
  if (record.bins > kMostBins || record.bytes > bytes->size() ||
      record.bytes != RoundedUp(needed, kRecordAlignment)) {
    throw std::invalid_argument("its record has a wrong size");
  }
  if (record.missing > static_cast<uint8_t>(Missing::kNan)) {
    throw std::invalid_argument("it treats missing values in no known way");
  }
  const char* place = bytes->data() + sizeof record;
  std::vector<double> bounds(record.bins);
  std::vector<int> counts(record.bins);
  std::memcpy(bounds.data(), place, record.bins * sizeof(double));
  place += record.bins * sizeof(double);
  std::memcpy(counts.data(), place, record.bins * sizeof(int));
  place += record.bins * sizeof(int);
  BinColumn column{{place, record.name_bytes}, {place + record.name_bytes, record.unit_bytes}, {}};
  column.mapper = BinMapper::FromParts(std::move(bounds), std::move(counts),
                                       static_cast<Missing>(record.missing), record.min, record.max,
                                       min_split_rows);
  bytes->remove_prefix(record.bytes);
  return column;
}

Json BinningFacts::ToJson() const {
  return {{"max_bin", options.max_bin},
          {"min_data_in_bin", options.min_data_in_bin},
          {"use_missing", options.use_missing},
          {"zero_as_missing", options.zero_as_missing},
          {"rows", rows},
          {"sampled_rows", sampled_rows}};
}

BinningFacts BinningFacts::Of(const BinFile& file) {
  BinningFacts facts;
  try {
    const Json json = file.description().at("binning");
    facts.options.max_bin = json.at("max_bin").get<int>();
    facts.options.min_data_in_bin = json.at("min_data_in_bin").get<int>();
    facts.options.use_missing = json.at("use_missing").get<bool>();
    facts.options.zero_as_missing = json.at("zero_as_missing").get<bool>();
    facts.rows = json.at("rows").get<size_t>();
    facts.sampled_rows = json.at("sampled_rows").get<size_t>();
  } catch (const Json::exception& error) {
    Refuse(file.path(), fmt::format("does not say how its bins were found: {}", error.what()));
  }
  if (facts.rows == 0) Refuse(file.path(), "says that its bins were found on no rows");
  return facts;
}

BinFile::BinFile(const fs::path& path) : path_(path), file_(path) {
  const std::string_view bytes = file_.text();
  const Header header = ReadHeader(path, bytes);
  CheckLayout(path, header);
  if (Sha256(bytes.substr(header.times_at)) != std::string_view(header.rest_digest, kDigest)) {
    Refuse(path, fmt::format("is damaged after byte {}, behind its tiles", header.times_at));
  }
  rows_ = header.rows;
  tile_bytes_ = header.tile_bytes;
  times_ = {reinterpret_cast<const TimeMs*>(bytes.data() + header.times_at), rows_};
  digests_ = bytes.substr(header.digests_at, header.description_at - header.digests_at);
  std::string_view records = bytes.substr(header.records_at, header.digests_at - header.records_at);
  for (size_t c = 0; c < header.columns; ++c) {
    try {
      columns_.push_back(DecodeBinColumn(&records));
    } catch (const std::invalid_argument& error) {
      Refuse(path, fmt::format("column {}: {}", c, error.what()));
    }
  }
  if (!records.empty()) Refuse(path, "has more column records than columns");
  description_ = bytes.substr(header.description_at);
  if (!Json::accept(description_)) Refuse(path, "has a description that is not JSON");
}

Json BinFile::description() const { return Json::parse(description_); }

std::span<const uint8_t> BinFile::tile(size_t t) const {
  return {reinterpret_cast<const uint8_t*>(file_.data()) + kTilesAt + t * tile_bytes_,
          rows_ * kTileColumns};
}

BinMapper BinFile::MapperFor(size_t c, int min_split_rows) const {
  const std::string record = EncodeBinColumn(columns_[c]);
  std::string_view bytes = record;
  return DecodeBinColumn(&bytes, min_split_rows).mapper;
}

void BinFile::Verify() const {
  ParallelFor(tiles(), [&](size_t t) {
    const char* bytes = reinterpret_cast<const char*>(tile(t).data());
    if (Sha256({bytes, tile_bytes_}) == digests_.substr(t * kDigest, kDigest)) return;
    const size_t last = std::min(columns(), (t + 1) * kTileColumns) - 1;
    Refuse(path_, fmt::format("tile {} is damaged: bytes {} to {}, columns {} to {}", t,
                              kTilesAt + t * tile_bytes_, kTilesAt + (t + 1) * tile_bytes_ - 1,
                              columns_[t * kTileColumns].name, columns_[last].name));
  });
}

BinFileWriter::BinFileWriter(fs::path path, std::vector<TimeMs> times)
    : path_(std::move(path)), staged_(TemporaryBeside(path_)), times_(std::move(times)) {
  CheckTimes(path_, times_);
  tile_.resize(RoundedUp(times_.size() * BinFile::kTileColumns, kAlignment));
  if (path_.has_parent_path()) fs::create_directories(path_.parent_path());
  file_.open(staged_, std::ios::binary | std::ios::trunc);
  Write(std::string(kTilesAt, '\0'));  // the header follows when everything is known
}

BinFileWriter::~BinFileWriter() {
  file_.close();
  std::error_code ignored;
  fs::remove(staged_, ignored);
}

void BinFileWriter::Write(std::string_view bytes) {
  file_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file_) {
    throw Error(ErrorCode::kFailed, staged_.string(), "writing failed (is the disk full?)");
  }
}

void BinFileWriter::RequireMore(const std::string& name) const {
  if (!has_all_) return;
  throw Error(ErrorCode::kUsage, "column " + name, "comes after all columns were added",
              "add columns one by one, or all at once");
}

void BinFileWriter::Add(const BinColumn& column, std::span<const uint8_t> bins) {
  RequireMore(column.name);
  if (bins.size() != times_.size()) {
    throw Error(ErrorCode::kUsage, "column " + column.name,
                fmt::format("has {} bins for {} rows", bins.size(), times_.size()));
  }
  records_ += EncodeBinColumn(column);
  for (size_t row = 0; row < bins.size(); ++row) {
    tile_[row * BinFile::kTileColumns + in_tile_] = bins[row];
  }
  ++columns_;
  if (++in_tile_ == BinFile::kTileColumns) WriteTile();
}

void BinFileWriter::AddAll(std::span<const BinColumn> columns, const ReadBins& read) {
  if (columns.empty()) return;
  RequireMore(columns.front().name);
  if (columns_ > 0) {
    throw Error(ErrorCode::kUsage, "column " + columns.front().name, "comes after other columns",
                "add columns one by one, or all at once");
  }
  for (const BinColumn& column : columns) records_ += EncodeBinColumn(column);
  columns_ = columns.size();
  has_all_ = true;
  const size_t tiles = (columns_ + BinFile::kTileColumns - 1) / BinFile::kTileColumns;
  const size_t rows = times_.size();
  std::vector<std::string> digests(tiles);
  std::mutex writing;
  ParallelFor(tiles, [&](size_t t) {
    const size_t first = t * BinFile::kTileColumns;
    const size_t count = std::min(BinFile::kTileColumns, columns_ - first);
    std::vector<uint8_t> bins(count * rows), tile(tile_.size());
    read(first, count, bins);
    for (size_t row = 0; row < rows; ++row) {
      for (size_t c = 0; c < count; ++c) {
        tile[row * BinFile::kTileColumns + c] = bins[c * rows + row];
      }
    }
    const std::string_view bytes(reinterpret_cast<const char*>(tile.data()), tile.size());
    digests[t] = Sha256(bytes);
    const std::lock_guard<std::mutex> hold(writing);
    file_.seekp(static_cast<std::streamoff>(kTilesAt + t * tile.size()));
    Write(bytes);
  });
  for (const std::string& digest : digests) digests_ += digest;
  file_.seekp(static_cast<std::streamoff>(kTilesAt + tiles * tile_.size()));
}

void BinFileWriter::WriteTile() {
  const std::string_view bytes(reinterpret_cast<const char*>(tile_.data()), tile_.size());
  Write(bytes);
  digests_ += Sha256(bytes);
  std::fill(tile_.begin(), tile_.end(), uint8_t{0});
  in_tile_ = 0;
}

void BinFileWriter::Finish(const Json& description) {
  if (columns_ == 0) {
    throw Error(ErrorCode::kBadData, path_.string(), "there are no columns to bin");
  }
  if (in_tile_ > 0) WriteTile();
  std::string rest(reinterpret_cast<const char*>(times_.data()), times_.size() * sizeof(TimeMs));
  rest += records_;
  rest += digests_;
  rest += description.dump();
  Write(rest);
  file_.seekp(0);
  Write(HeaderFor(times_.size(), columns_, records_.size(), rest));
  file_.close();
  if (!file_) throw Error(ErrorCode::kFailed, staged_.string(), "writing failed");
  SyncPath(staged_);
  CommitRename(staged_, path_);
}

}  // namespace almanac
