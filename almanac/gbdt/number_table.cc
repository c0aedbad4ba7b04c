#include "almanac/gbdt/number_table.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>

#include "almanac/base/config.h"
#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/parallel.h"
#include "almanac/base/text.h"
#include "almanac/lake/npy.h"

namespace almanac::gbdt {
namespace {

constexpr size_t kLinesPerTask = 256;
// What LightGBM reads for an infinity.
constexpr double kInfinity = 1e308;

std::string_view Unquoted(std::string_view field) {
  field = Trim(field);
  if (field.size() >= 2 && field.front() == '"' && field.back() == '"') {
    field = field.substr(1, field.size() - 2);
  }
  return field;
}

// Nothing if the field is no number.
std::optional<double> NumberIn(std::string_view field) {
  field = Unquoted(field);
  if (field.empty()) return std::numeric_limits<double>::quiet_NaN();
  if (const std::optional<double> value = ParseDouble(field)) return value;
  std::string word = ToLower(field);
  const bool is_negative = word.front() == '-';
  if (is_negative || word.front() == '+') word.erase(0, 1);
  if (word == "na" || word == "nan" || word == "null") {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (word == "inf" || word == "infinity") return is_negative ? -kInfinity : kInfinity;
  return std::nullopt;
}

struct Line {
  size_t number;  // from 1
  std::string_view text;
};

std::vector<Line> LinesOf(std::string_view text) {
  std::vector<Line> lines;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!Trim(line).empty()) lines.push_back({number, line});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

class TextTable {
 public:
  TextTable(std::string file, std::string_view text, Header header)
      : file_(std::move(file)), lines_(LinesOf(text)) {
    if (lines_.empty()) Fail("is empty", "give a line a row");
    separator_ = lines_[0].text.find('\t') != std::string_view::npos ? '\t' : ',';
    width_ = almanac::Split(lines_[0].text, separator_).size();
    has_header_ = header == Header::kYes || (header == Header::kAuto && LooksLikeHeader());
  }

  NumberTable Read() {
    NumberTable table;
    table.file = file_;
    if (has_header_) table.names = ReadNames();
    table.rows = lines_.size() - (has_header_ ? 1 : 0);
    if (table.rows == 0) Fail("has a header but no rows", "give a line a row");
    table.columns.assign(width_, std::vector<double>(table.rows));
    const size_t tasks = (table.rows + kLinesPerTask - 1) / kLinesPerTask;
    // Kept apart, so that the first bad line is the one that is reported.
    std::vector<std::unique_ptr<Error>> errors(tasks);
    ParallelFor(tasks, [&](size_t task) {
      try {
        const size_t end = std::min(table.rows, (task + 1) * kLinesPerTask);
        for (size_t row = task * kLinesPerTask; row < end; ++row) ReadRow(row, table);
      } catch (const Error& error) {
        errors[task] = std::make_unique<Error>(error);
      }
    });
    for (const auto& error : errors) {
      if (error) throw Error(*error);
    }
    return table;
  }

 private:
  [[noreturn]] void Fail(const std::string& problem, const std::string& remedy) const {
    throw Error(ErrorCode::kBadData, file_, problem, remedy);
  }

  bool LooksLikeHeader() const {
    for (const std::string_view field : almanac::Split(lines_[0].text, separator_)) {
      if (!NumberIn(field)) return true;
    }
    return false;
  }

  std::vector<std::string> ReadNames() const {
    std::vector<std::string> names;
    std::set<std::string> seen;
    for (const std::string_view field : almanac::Split(lines_[0].text, separator_)) {
      names.emplace_back(Unquoted(field));
      if (seen.insert(names.back()).second) continue;
      Fail(fmt::format("has two columns called \"{}\"", names.back()),
           "give every column a name of its own");
    }
    return names;
  }

  void ReadRow(size_t row, NumberTable& table) const {
    const Line& line = lines_[row + (has_header_ ? 1 : 0)];
    std::string_view rest = line.text;
    for (size_t c = 0; c < width_; ++c) {
      const size_t end = rest.find(separator_);
      const bool is_last = end == std::string_view::npos;
      if (is_last != (c + 1 == width_)) RefuseLength(line);
      const std::string_view field = rest.substr(0, end);
      const std::optional<double> value = NumberIn(field);
      if (!value) RefuseField(line, c, field, table);
      table.columns[c][row] = *value;
      if (!is_last) rest.remove_prefix(end + 1);
    }
  }

  [[noreturn]] void RefuseLength(const Line& line) const {
    throw Error(ErrorCode::kBadData, fmt::format("{}:{}", file_, line.number),
                fmt::format("has {} fields, the first line {}",
                            almanac::Split(line.text, separator_).size(), width_),
                "give every line as many");
  }
  [[noreturn]] void RefuseField(const Line& line, size_t c, std::string_view field,
                                const NumberTable& table) const {
    const std::string name = table.names.empty() ? std::to_string(c) : table.names[c];
    std::string remedy = "a missing value is an empty field or nan";
    if (field.find(':') != std::string_view::npos) {
      remedy = "LibSVM files are not read: give CSV, TSV or .npy";
    }
    throw Error(ErrorCode::kBadData, fmt::format("{}:{}", file_, line.number),
                fmt::format("column {}: \"{}\" is not a number", name, field), remedy);
  }

  std::string file_;
  std::vector<Line> lines_;
  char separator_ = ',';
  size_t width_ = 0;
  bool has_header_ = false;
};

template <typename T>
void CopyArray(std::string_view bytes, bool fortran_order, NumberTable& table) {
  const size_t width = table.columns.size();
  ParallelFor(width, [&](size_t c) {
    for (size_t row = 0; row < table.rows; ++row) {
      const size_t place = fortran_order ? c * table.rows + row : row * width + c;
      T value;
      std::memcpy(&value, bytes.data() + place * sizeof(T), sizeof(T));
      table.columns[c][row] = static_cast<double>(value);
    }
  });
}

struct ElementType {
  std::string_view descr;
  size_t size;
  void (*copy)(std::string_view, bool, NumberTable&);
};

constexpr ElementType kElementTypes[] = {
    {"<f8", 8, CopyArray<double>},   {"<f4", 4, CopyArray<float>},
    {"<i8", 8, CopyArray<int64_t>},  {"<i4", 4, CopyArray<int32_t>},
    {"<i2", 2, CopyArray<int16_t>},  {"|i1", 1, CopyArray<int8_t>},
    {"<u8", 8, CopyArray<uint64_t>}, {"<u4", 4, CopyArray<uint32_t>},
    {"<u2", 2, CopyArray<uint16_t>}, {"|u1", 1, CopyArray<uint8_t>}};

NumberTable ReadArray(const std::string& file, std::string_view content) {
  const auto fail = [&](const std::string& problem, const std::string& remedy) {
    throw Error(ErrorCode::kBadData, file, problem, remedy);
  };
  ParsedNpy npy;
  try {
    npy = ParseNpy(content);
  } catch (const std::invalid_argument& error) {
    fail(error.what(), "expected what numpy.save writes");
  }
  const std::vector<uint64_t>& shape = npy.header.shape;
  if (shape.size() != 2 || shape[0] == 0 || shape[1] == 0) {
    fail(fmt::format("is an array of {} dimensions", shape.size()),
         "give a two-dimensional one with rows and columns");
  }
  const ElementType* type = nullptr;
  for (const ElementType& known : kElementTypes) {
    if (known.descr == npy.header.descr) type = &known;
  }
  if (type == nullptr) {
    fail(fmt::format("has elements of type \"{}\"", npy.header.descr),
         "save it as float64, float32 or whole numbers");
  }
  const std::string_view bytes = content.substr(npy.data_at);
  const uint64_t most = bytes.size() / type->size;
  if (shape[0] > most || shape[1] > most / shape[0] ||
      shape[0] * shape[1] * type->size != bytes.size()) {
    fail(fmt::format("has {} bytes of elements, not {} x {} x {}", bytes.size(), shape[0], shape[1],
                     type->size),
         "the file is cut short or damaged");
  }
  NumberTable table;
  table.file = file;
  table.rows = shape[0];
  table.columns.assign(shape[1], std::vector<double>(table.rows));
  type->copy(bytes, npy.header.fortran_order, table);
  return table;
}

}  // namespace

size_t NumberTable::Find(std::string_view name, const std::string& where) const {
  if (names.empty()) {
    throw Error(ErrorCode::kUsage, where,
                fmt::format("\"{}\" names a column, but {} has no header", name, file),
                "give the column's number, or a file with a header");
  }
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<size_t>(found - names.begin());
  const std::optional<std::string> near = NearestWord(std::string(name), names);
  throw Error(ErrorCode::kUsage, where, fmt::format("{} has no column \"{}\"", file, name),
              near ? fmt::format("did you mean \"{}\"?", *near)
                   : fmt::format("its columns are {}", Join(names, ", ")));
}

ColumnSource NumberTable::Source(std::vector<size_t> chosen) const {
  ColumnSource source;
  source.rows = rows;
  for (size_t i = 0; i < chosen.size(); ++i) {
    source.names.push_back(names.empty() ? fmt::format("Column_{}", i) : names[chosen[i]]);
  }
  source.read = [this, chosen = std::move(chosen)](size_t c, std::span<double> out) {
    const std::vector<double>& column = columns[chosen[c]];
    std::copy(column.begin(), column.end(), out.begin());
  };
  return source;
}

NumberTable LoadNumberTable(const std::filesystem::path& file, Header header) {
  if (!std::filesystem::is_regular_file(file)) {
    throw Error(ErrorCode::kUsage, file.string(), "there is no such file",
                "give a CSV, TSV or .npy file");
  }
  const MappedFile mapped(file);
  if (file.extension() == ".npy") return ReadArray(file.string(), mapped.text());
  return TextTable(file.string(), mapped.text(), header).Read();
}

}  // namespace almanac::gbdt
