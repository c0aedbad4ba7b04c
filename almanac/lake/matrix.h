// A matrix of values by row time and column name: a folder with values.npy (column-major float32),
// index.npy (int64 ms row times) and manifest.json. NumPy opens it with mmap_mode="r"; so do we.
#ifndef ALMANAC_LAKE_MATRIX_H_
#define ALMANAC_LAKE_MATRIX_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/base/time.h"

namespace almanac {

struct MatrixColumn {
  std::string name;
  std::string unit;  // "ratio", "price", "count", ...
};

// Writes the files into `folder` (which exists, usually an AtomicFolder's staging). `columns[c]`
// has one value a row; NaN is "not known". `extra` goes into the manifest below "configuration".
// Equal arguments give equal bytes. Throws Error(kFailed) if lengths disagree, a name repeats, or
// the disk is full.
void WriteMatrix(const std::filesystem::path& folder, const std::vector<TimeMs>& index,
                 const std::vector<MatrixColumn>& names,
                 const std::vector<std::vector<float>>& columns, const Json& extra);

// The same files written column by column, for a matrix that is larger than memory. Without Finish
// the folder holds no manifest and is no matrix.
class MatrixWriter {
 public:
  // Throws Error(kFailed) for a name that repeats.
  MatrixWriter(const std::filesystem::path& folder, const std::vector<TimeMs>& index,
               const std::vector<MatrixColumn>& names);
  ~MatrixWriter();
  // The next column: one value a row. Throws Error(kFailed) for another length, or a column too
  // many.
  void Append(std::span<const float> column);
  // After all columns (Error(kFailed) if some are missing). Reads the values again for their hash.
  void Finish(const Json& extra);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Reads all of the folder's files and compares them with the hashes in the manifest. Throws
// Error(kBadData) naming the file that differs.
void VerifyMatrix(const std::filesystem::path& folder);

// Read-only and mapped: opening costs nothing, pages are read when touched.
class Matrix {
 public:
  // Throws Error(kBadData) naming the file if shapes, types or the manifest disagree. Hashes are
  // not looked at: VerifyMatrix does.
  explicit Matrix(const std::filesystem::path& folder);
  ~Matrix();
  Matrix(Matrix&&) noexcept;

  size_t rows() const;
  size_t columns() const;
  std::span<const TimeMs> index() const;
  std::span<const float> column(size_t c) const;
  const std::vector<MatrixColumn>& names() const;
  // Throws Error(kUsage) that suggests the nearest name.
  size_t ColumnIndex(const std::string& name) const;
  const Json& manifest() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace almanac

#endif  // ALMANAC_LAKE_MATRIX_H_
