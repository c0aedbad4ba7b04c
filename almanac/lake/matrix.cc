#include "almanac/lake/matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <utility>

#include "almanac/base/config.h"
#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/hash.h"
#include "almanac/lake/npy.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

static_assert(std::endian::native == std::endian::little, "the files are little-endian");

constexpr int kFormat = 1;
constexpr const char* kValues = "values.npy";
constexpr const char* kIndex = "index.npy";
constexpr const char* kManifest = "manifest.json";

NpyHeader ValuesHeader(size_t rows, size_t columns) { return {"<f4", true, {rows, columns}}; }
NpyHeader IndexHeader(size_t rows) { return {"<i8", false, {rows}}; }

class NpyWriter {
 public:
  NpyWriter(const fs::path& path, const NpyHeader& header)
      : path_(path), file_(path, std::ios::binary | std::ios::trunc) {
    const std::string preamble = NpyPreamble(header);
    Write(preamble.data(), preamble.size());
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

constexpr const char* kRemedy = "make the matrix again";

// Maps the file and finds where its elements begin; they must be as `expected`, each of
// `element_size` bytes.
struct MappedNpy {
  MappedNpy(const fs::path& path, const NpyHeader& expected, size_t element_size) : file(path) {
    ParsedNpy parsed;
    try {
      parsed = ParseNpy(file.text());
    } catch (const std::invalid_argument& error) {
      throw Error(ErrorCode::kBadData, path.string(), error.what(), kRemedy);
    }
    if (parsed.header != expected) {
      throw Error(ErrorCode::kBadData, path.string(),
                  fmt::format("is {} where the manifest asks for {}", ToText(parsed.header),
                              ToText(expected)),
                  kRemedy);
    }
    // In floating point: an absurd shape must not wrap around to the size of the file.
    double bytes = static_cast<double>(element_size);
    for (const uint64_t extent : expected.shape) bytes *= static_cast<double>(extent);
    const size_t found = file.size() - parsed.data_at;
    if (static_cast<double>(found) != bytes || parsed.data_at % element_size != 0) {
      throw Error(ErrorCode::kBadData, path.string(),
                  fmt::format("has {} bytes of values where {:.0f} are needed", found, bytes),
                  kRemedy);
    }
    data = file.data() + parsed.data_at;
  }

  MappedFile file;
  const std::byte* data = nullptr;
};

struct Manifest {
  Json json;
  size_t rows = 0;
  std::vector<MatrixColumn> columns;
};

Manifest ReadManifest(const fs::path& folder) {
  const fs::path path = folder / kManifest;
  const auto fail = [&](const std::string& problem) {
    throw Error(ErrorCode::kBadData, path.string(), problem, kRemedy);
  };
  Manifest manifest;
  manifest.json = Json::parse(ReadFile(path), nullptr, /*allow_exceptions=*/false);
  if (!manifest.json.is_object()) fail("is not a JSON object");
  try {
    if (manifest.json.at("format") != kFormat) fail("is of another format");
    if (!manifest.json.at("rows").is_number_unsigned()) fail("has no whole number of rows");
    manifest.rows = manifest.json.at("rows").get<size_t>();
    for (const Json& column : manifest.json.at("columns")) {
      manifest.columns.push_back({column.at("name"), column.at("unit")});
    }
    for (const char* file : {kValues, kIndex})
      manifest.json.at("sha256").at(file).get<std::string>();
  } catch (const nlohmann::json::exception& error) {
    fail(fmt::format("is not the manifest of a matrix: {}", error.what()));
  }
  return manifest;
}

void CheckNames(const std::vector<MatrixColumn>& names) {
  std::set<std::string> seen;
  for (const MatrixColumn& column : names) {
    if (seen.insert(column.name).second) continue;
    throw Error(ErrorCode::kFailed, "matrix column " + column.name, "is there twice");
  }
}

void RequireRows(const MatrixColumn& column, size_t values, size_t rows) {
  if (values == rows) return;
  throw Error(ErrorCode::kFailed, "matrix column " + column.name,
              fmt::format("has {} values for {} rows", values, rows));
}

}  // namespace

struct MatrixWriter::Impl {
  fs::path folder;
  std::vector<TimeMs> index;
  std::vector<MatrixColumn> names;
  NpyWriter values;
  size_t written = 0;
};

MatrixWriter::MatrixWriter(const fs::path& folder, const std::vector<TimeMs>& index,
                           const std::vector<MatrixColumn>& names) {
  CheckNames(names);
  impl_.reset(new Impl{folder, index, names,
                       NpyWriter(folder / kValues, ValuesHeader(index.size(), names.size()))});
}
MatrixWriter::~MatrixWriter() = default;

void MatrixWriter::Append(std::span<const float> column) {
  if (impl_->written == impl_->names.size()) {
    throw Error(ErrorCode::kFailed, "matrix",
                fmt::format("more columns than {} names", impl_->names.size()));
  }
  RequireRows(impl_->names[impl_->written], column.size(), impl_->index.size());
  impl_->values.Write(column.data(), column.size() * sizeof(float));
  ++impl_->written;
}

void MatrixWriter::Finish(const Json& extra) {
  const fs::path& folder = impl_->folder;
  if (impl_->written != impl_->names.size()) {
    throw Error(ErrorCode::kFailed, "matrix",
                fmt::format("{} names for {} columns", impl_->names.size(), impl_->written));
  }
  impl_->values.Close();
  const std::vector<TimeMs>& index = impl_->index;
  NpyWriter times(folder / kIndex, IndexHeader(index.size()));
  times.Write(index.data(), index.size() * sizeof(TimeMs));
  times.Close();

  Json manifest = {{"format", kFormat}, {"rows", index.size()}, {"columns", Json::array()}};
  for (const MatrixColumn& column : impl_->names) {
    manifest["columns"].push_back({{"name", column.name}, {"unit", column.unit}});
  }
  manifest["sha256"] = {{kValues, Sha256OfFile(folder / kValues)},
                        {kIndex, Sha256OfFile(folder / kIndex)}};
  manifest["configuration"] = extra;
  WriteFileAtomic(folder / kManifest, manifest.dump(2) + "\n");
}

void WriteMatrix(const fs::path& folder, const std::vector<TimeMs>& index,
                 const std::vector<MatrixColumn>& names,
                 const std::vector<std::vector<float>>& columns, const Json& extra) {
  if (names.size() != columns.size()) {
    throw Error(ErrorCode::kFailed, "matrix",
                fmt::format("{} names for {} columns", names.size(), columns.size()));
  }
  // All of them before a file is touched.
  for (size_t c = 0; c < columns.size(); ++c)
    RequireRows(names[c], columns[c].size(), index.size());
  MatrixWriter writer(folder, index, names);
  for (const std::vector<float>& column : columns) writer.Append(column);
  writer.Finish(extra);
}

void VerifyMatrix(const fs::path& folder) {
  const Manifest manifest = ReadManifest(folder);
  for (const char* file : {kValues, kIndex}) {
    const std::string expected = manifest.json.at("sha256").at(file);
    const std::string found = Sha256OfFile(folder / file);
    if (found == expected) continue;
    throw Error(ErrorCode::kBadData, (folder / file).string(),
                fmt::format("has the hash {}, its manifest says {}", found, expected), kRemedy);
  }
}

struct Matrix::Impl {
  Impl(const fs::path& folder, Manifest read)
      : manifest(std::move(read)),
        values(folder / kValues, ValuesHeader(manifest.rows, manifest.columns.size()),
               sizeof(float)),
        index(folder / kIndex, IndexHeader(manifest.rows), sizeof(TimeMs)) {}

  Manifest manifest;
  MappedNpy values, index;
};

Matrix::Matrix(const fs::path& folder)
    : impl_(std::make_unique<Impl>(folder, ReadManifest(folder))) {}

Matrix::~Matrix() = default;
Matrix::Matrix(Matrix&&) noexcept = default;

size_t Matrix::rows() const { return impl_->manifest.rows; }
size_t Matrix::columns() const { return impl_->manifest.columns.size(); }

std::span<const TimeMs> Matrix::index() const {
  return {reinterpret_cast<const TimeMs*>(impl_->index.data), rows()};
}

std::span<const float> Matrix::column(size_t c) const {
  return {reinterpret_cast<const float*>(impl_->values.data) + c * rows(), rows()};
}

const std::vector<MatrixColumn>& Matrix::names() const { return impl_->manifest.columns; }

size_t Matrix::ColumnIndex(const std::string& name) const {
  std::vector<std::string> known;
  for (size_t c = 0; c < columns(); ++c) {
    if (names()[c].name == name) return c;
    known.push_back(names()[c].name);
  }
  const auto near = NearestWord(name, known);
  throw Error(
      ErrorCode::kUsage, "column \"" + name + "\"", "is not in the matrix",
      near ? "did you mean \"" + *near + "\"?" : fmt::format("it has {} columns", known.size()));
}

const Json& Matrix::manifest() const { return impl_->manifest.json; }

}  // namespace almanac
