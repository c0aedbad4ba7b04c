#include "almanac/lake/candle_spill.h"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/lake/candle_merge.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

// The file: three counts (bars, trade counts, vwaps), then the arrays, in this machine's bytes.
using Counts = std::array<uint64_t, 3>;

template <typename T>
void WriteArray(std::ofstream& out, const std::vector<T>& values) {
  out.write(reinterpret_cast<const char*>(values.data()),
            static_cast<std::streamsize>(values.size() * sizeof(T)));
}

template <typename T>
void ReadArray(std::ifstream& in, uint64_t count, std::vector<T>& to) {
  to.resize(count);
  in.read(reinterpret_cast<char*>(to.data()), static_cast<std::streamsize>(count * sizeof(T)));
}

void WritePiece(const fs::path& file, const CandleSeries& bars) {
  std::ofstream out(file, std::ios::binary);
  const Counts counts = {bars.size(), bars.trade_count.size(), bars.vwap.size()};
  out.write(reinterpret_cast<const char*>(counts.data()), sizeof(counts));
  WriteArray(out, bars.open_time);
  for (const auto* field : {&bars.open, &bars.high, &bars.low, &bars.close, &bars.volume,
                            &bars.trade_count, &bars.vwap}) {
    WriteArray(out, *field);
  }
  out.close();
  if (!out) {
    throw Error(ErrorCode::kFailed, file.string(), "writing failed", "is the disk full?");
  }
}

// Read and not mapped: mapped pages would count as memory beside the arrays.
CandleSeries ReadPiece(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  Counts counts{};
  in.read(reinterpret_cast<char*>(counts.data()), sizeof(counts));
  CandleSeries bars;
  ReadArray(in, counts[0], bars.open_time);
  for (auto* field : {&bars.open, &bars.high, &bars.low, &bars.close, &bars.volume}) {
    ReadArray(in, counts[0], *field);
  }
  ReadArray(in, counts[1], bars.trade_count);
  ReadArray(in, counts[2], bars.vwap);
  if (!in) throw Error(ErrorCode::kFailed, file.string(), "reading back failed");
  return bars;
}

}  // namespace

void CandleSpill::Clear() {
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
  folder_.clear();
  pieces_.clear();
}

void CandleSpill::Add(int year, const CandleSeries& bars) {
  if (folder_.empty()) {
    const fs::path folder = TemporaryBeside(temporary_ / "spill");
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) {
      throw Error(ErrorCode::kFailed, folder.string(),
                  "the folder cannot be made: " + error.message());
    }
    folder_ = folder;
  }
  auto& pieces = pieces_[year];
  const fs::path file = folder_ / fmt::format("{}-{}.bars", year, pieces.size());
  WritePiece(file, bars);
  pieces.push_back(file);
}

std::vector<int> CandleSpill::Years() const {
  std::vector<int> years;
  for (const auto& [year, pieces] : pieces_) years.push_back(year);
  return years;
}

CandleSeries CandleSpill::Read(int year) const {
  CandleSeries bars;
  const auto pieces = pieces_.find(year);
  if (pieces == pieces_.end()) return bars;
  for (const fs::path& file : pieces->second) {
    CandleSeries piece = ReadPiece(file);
    if (bars.empty()) {
      bars = std::move(piece);
    } else {
      AppendBars(bars, piece, 0, piece.size());
    }
    SortUnique(bars);  // now, so that pieces that repeat each other do not add up
  }
  return bars;
}

}  // namespace almanac
