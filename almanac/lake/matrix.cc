#include "almanac/lake/matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "almanac/base/config.h"
#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/hash.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

static_assert(std::endian::native == std::endian::little, "the files are little-endian");

constexpr int kFormat = 1;
constexpr const char* kValues = "values.npy";
constexpr const char* kIndex = "index.npy";
constexpr const char* kManifest = "manifest.json";
constexpr std::string_view kMagic("\x93NUMPY", 6);
// NumPy pads headers so that the data begins at a multiple of this, fit for any SIMD load.
constexpr size_t kAlignment = 64;

std::string ValuesShape(size_t rows, size_t columns) {
  return fmt::format("{{'descr': '<f4', 'fortran_order': True, 'shape': ({}, {}), }}", rows,
                     columns);
}

std::string IndexShape(size_t rows) {
  return fmt::format("{{'descr': '<i8', 'fortran_order': False, 'shape': ({},), }}", rows);
}

// The preamble of an .npy file of version 1.0 (numpy.lib.format).
std::string NpyHeader(std::string dictionary) {
  constexpr size_t kPreamble = 10;  // magic, version, length of the rest
  const size_t unpadded = kPreamble + dictionary.size() + 1;
  dictionary.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  dictionary += '\n';
  std::string header(kMagic);
  header += '\x01';
  header += '\x00';
  header += static_cast<char>(dictionary.size() & 0xFF);
  header += static_cast<char>(dictionary.size() >> 8);
  return header + dictionary;
}

class NpyWriter {
 public:
  NpyWriter(const fs::path& path, const std::string& dictionary)
      : path_(path), file_(path, std::ios::binary | std::ios::trunc) {
    const std::string header = NpyHeader(dictionary);
    Write(header.data(), header.size());
  }
  void Write(const void* data, size_t bytes) {
    file_.write(static_cast<const char*>(data), static_cast<std::streamsize>(bytes));
    if (!file_) throw Error(ErrorCode::kFailed, path_.string(), "writing failed");
  }
  void Close() {
    file_.close();
    if (!file_) throw Error(ErrorCode::kFailed, path_.string(), "writing failed");
  }

 private:
  fs::path path_;
  std::ofstream file_;
};

// Where the data of an .npy file with exactly this dictionary begins.
size_t CheckNpy(const MappedFile& file, const fs::path& path, const std::string& dictionary,
                size_t data_bytes) {
  const std::string header = NpyHeader(dictionary);
  if (file.size() < header.size() || file.text().substr(0, header.size()) != header) {
    throw Error(ErrorCode::kBadData, path.string(),
                "does not begin with the header that its manifest asks for: " + dictionary,
                "make the matrix again");
  }
  if (file.size() != header.size() + data_bytes) {
    throw Error(
        ErrorCode::kBadData, path.string(),
        fmt::format("has {} bytes where {} are needed", file.size(), header.size() + data_bytes),
        "it is not whole; make the matrix again");
  }
  return header.size();
}

Json ReadManifest(const fs::path& folder) {
  const fs::path path = folder / kManifest;
  Json manifest = Json::parse(ReadFile(path), nullptr, /*allow_exceptions=*/false);
  if (!manifest.is_object() || manifest.value("format", 0) != kFormat ||
      !manifest.contains("rows") || !manifest.contains("columns") ||
      !manifest["columns"].is_array()) {
    throw Error(ErrorCode::kBadData, path.string(), "is not the manifest of a matrix",
                "make the matrix again");
  }
  return manifest;
}

void CheckColumns(const std::vector<TimeMs>& index, const std::vector<MatrixColumn>& names,
                  const std::vector<std::vector<float>>& columns) {
  if (names.size() != columns.size()) {
    throw Error(ErrorCode::kFailed, "matrix",
                fmt::format("{} names for {} columns", names.size(), columns.size()));
  }
  for (size_t c = 0; c < columns.size(); ++c) {
    if (columns[c].size() == index.size()) continue;
    throw Error(ErrorCode::kFailed, "matrix column " + names[c].name,
                fmt::format("has {} values for {} rows", columns[c].size(), index.size()));
  }
}

}  // namespace

void WriteMatrix(const fs::path& folder, const std::vector<TimeMs>& index,
                 const std::vector<MatrixColumn>& names,
                 const std::vector<std::vector<float>>& columns, const Json& extra) {
  CheckColumns(index, names, columns);
  NpyWriter values(folder / kValues, ValuesShape(index.size(), columns.size()));
  for (const auto& column : columns) values.Write(column.data(), column.size() * sizeof(float));
  values.Close();
  NpyWriter times(folder / kIndex, IndexShape(index.size()));
  times.Write(index.data(), index.size() * sizeof(TimeMs));
  times.Close();

  Json manifest = {{"format", kFormat}, {"rows", index.size()}, {"columns", Json::array()}};
  for (const MatrixColumn& column : names) {
    manifest["columns"].push_back({{"name", column.name}, {"unit", column.unit}});
  }
  manifest["sha256"] = {{kValues, Sha256OfFile(folder / kValues)},
                        {kIndex, Sha256OfFile(folder / kIndex)}};
  manifest["configuration"] = extra;
  WriteFileAtomic(folder / kManifest, manifest.dump(2) + "\n");
}

struct Matrix::Impl {
  Json manifest;
  size_t rows = 0;
  std::vector<MatrixColumn> names;
  std::optional<MappedFile> values, index;
  size_t values_at = 0, index_at = 0;
};

Matrix::Matrix(const fs::path& folder) : impl_(std::make_unique<Impl>()) {
  impl_->manifest = ReadManifest(folder);
  impl_->rows = impl_->manifest.at("rows").get<size_t>();
  for (const Json& column : impl_->manifest.at("columns")) {
    impl_->names.push_back({column.value("name", ""), column.value("unit", "")});
  }
  impl_->values.emplace(folder / kValues);
  impl_->index.emplace(folder / kIndex);
  impl_->values_at = CheckNpy(*impl_->values, folder / kValues, ValuesShape(rows(), columns()),
                              rows() * columns() * sizeof(float));
  impl_->index_at =
      CheckNpy(*impl_->index, folder / kIndex, IndexShape(rows()), rows() * sizeof(TimeMs));
}

Matrix::~Matrix() = default;
Matrix::Matrix(Matrix&&) noexcept = default;

size_t Matrix::rows() const { return impl_->rows; }
size_t Matrix::columns() const { return impl_->names.size(); }

std::span<const TimeMs> Matrix::index() const {
  return {reinterpret_cast<const TimeMs*>(impl_->index->data() + impl_->index_at), rows()};
}

std::span<const float> Matrix::column(size_t c) const {
  return {reinterpret_cast<const float*>(impl_->values->data() + impl_->values_at) + c * rows(),
          rows()};
}

const std::vector<MatrixColumn>& Matrix::names() const { return impl_->names; }

size_t Matrix::ColumnIndex(const std::string& name) const {
  std::vector<std::string> known;
  for (size_t c = 0; c < columns(); ++c) {
    if (impl_->names[c].name == name) return c;
    known.push_back(impl_->names[c].name);
  }
  const auto near = NearestWord(name, known);
  throw Error(
      ErrorCode::kUsage, "column \"" + name + "\"", "is not in the matrix",
      near ? "did you mean \"" + *near + "\"?" : fmt::format("it has {} columns", known.size()));
}

const Json& Matrix::manifest() const { return impl_->manifest; }

}  // namespace almanac
