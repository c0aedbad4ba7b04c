// The lake beside DuckDB on the same files: importing minute bars from CSV and reading one symbol's
// range. Asked for: no more than 1.3 times DuckDB's time, and memory that does not grow with the
// files.
//
//   lake_bench [--bars N] [--symbols N] [--rounds N]
//
// Every measurement runs in a process of its own, the two sides in turns; what is printed is the
// median of the rounds. Files are read from the page cache by both. Memory is the peak resident set
// (VmHWM). DuckDB gets as many threads as Almanac.
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/home.h"
#include "almanac/base/progress.h"
#include "almanac/base/random.h"
#include "almanac/base/text.h"
#include "almanac/lake/candle_store.h"
#include "almanac/lake/database.h"
#include "almanac/source/import.h"
#include "clock.h"

namespace almanac {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using bench::CpuSeconds;

constexpr TimeMs kStart = 1704067200000;  // 2024-01-01
constexpr int kReads = 40;

std::string SymbolName(int i) { return fmt::format("SIM{}USDT", i); }
SeriesKey KeyOf(int i) { return {"bench", SymbolName(i), Timeframe::Parse("1m")}; }

double Seconds(Clock::time_point since) {
  return std::chrono::duration<double>(Clock::now() - since).count();
}

// What a process reports on its standard output.
struct Figures {
  double wall = 0, cpu = 0;  // seconds
  double peak = 0;           // bytes
  double check = 0;          // rows or a sum, which both sides must agree on
};

double PeakBytes() {
  for (const std::string_view line : Split(ReadFile("/proc/self/status"), '\n')) {
    if (!line.starts_with("VmHWM:")) continue;
    const std::string_view number = Trim(line.substr(6, line.find("kB") - 6));
    return 1024.0 * static_cast<double>(ParseInt64(number).value_or(0));
  }
  return 0;
}

void Generate(const fs::path& folder, int symbols, int64_t bars) {
  fs::create_directories(folder);
  for (int s = 0; s < symbols; ++s) {
    Random random(7, static_cast<uint64_t>(s));
    std::FILE* out = std::fopen((folder / (SymbolName(s) + "_1m.csv")).c_str(), "w");
    if (out == nullptr) throw Error(ErrorCode::kFailed, folder.string(), "cannot be written to");
    fmt::print(out, "timestamp_ms,open,high,low,close,volume\n");
    double price = 30'000;
    for (int64_t i = 0; i < bars; ++i) {
      const double open = price;
      price *= std::exp(0.0005 * random.Normal());
      const double high = std::max(open, price) * (1 + 0.0002 * random.Exponential());
      const double low = std::min(open, price) * (1 - 0.0002 * random.Exponential());
      fmt::print(out, "{},{:.2f},{:.2f},{:.2f},{:.2f},{:.5f}\n", kStart + i * kMsPerMinute, open,
                 high, low, price, 10 * random.Exponential());
    }
    std::fclose(out);
  }
}

// The pieces of a measurement: name and arguments of the process that makes it.
struct Job {
  std::string name;
  fs::path csv, target;
  int symbols = 0;
  int64_t bars = 0;
};

double ImportAlmanac(const Job& job) {
  const Home home{job.target};
  CandleStore candles(home);
  ObservationStore observations(home);
  ImportOptions options;
  options.market = "bench";
  options.timeframe = Timeframe::Parse("1m");
  const ImportReport report = ImportFiles(candles, observations, {job.csv}, options, NoProgress());
  return static_cast<double>(report.bars);
}

// The writer without the reading of CSV: what import hands to it, in chunks of the same size.
double WriteAlmanac(const Job& job) {
  CandleStore candles(Home{job.target});
  double rows = 0;
  for (int s = 0; s < job.symbols; ++s) {
    Random random(7, static_cast<uint64_t>(s));
    const auto writer = candles.OpenWriter(KeyOf(s));
    constexpr int64_t kChunk = 50'000;
    double price = 3'000'000;
    for (int64_t first = 0; first < job.bars; first += kChunk) {
      CandleSeries chunk;
      for (int64_t i = first; i < std::min(first + kChunk, job.bars); ++i) {
        chunk.open_time.push_back(kStart + i * kMsPerMinute);
        chunk.open.push_back(std::round(price) / 100);
        price *= 1 + 0.001 * (random.Uniform() - 0.5);
        chunk.close.push_back(std::round(price) / 100);
        chunk.high.push_back(std::max(chunk.open.back(), chunk.close.back()));
        chunk.low.push_back(std::min(chunk.open.back(), chunk.close.back()));
        chunk.volume.push_back(std::round(1e5 * random.Uniform()) / 1e5);
      }
      writer->Append(chunk);
    }
    rows += static_cast<double>(writer->Commit().added);
  }
  return rows;
}

constexpr const char* kCsvColumns =
    "columns={'timestamp_ms': 'BIGINT', 'open': 'DOUBLE', 'high': 'DOUBLE', 'low': 'DOUBLE', "
    "'close': 'DOUBLE', 'volume': 'DOUBLE'}, header=true";

// The columns of the lake's files, so that both write the same.
std::string SelectCsv(const std::string& files) {
  return fmt::format(
      "SELECT make_timestamp_ms(timestamp_ms) AS timestamp, make_timestamp_ms(timestamp_ms + "
      "59999) AS close_time, open, high, low, close, volume, NULL::DOUBLE AS trade_count, "
      "NULL::DOUBLE AS vwap FROM read_csv({}, {})",
      files, kCsvColumns);
}

double ImportDuckdb(const Job& job) {
  const Database database;
  fs::create_directories(job.target);
  for (int s = 0; s < job.symbols; ++s) {
    const std::string file = (job.csv / (SymbolName(s) + "_1m.csv")).string();
    const std::string target = (job.target / (SymbolName(s) + ".parquet")).string();
    database.Query(fmt::format("COPY ({}) TO {} (FORMAT parquet, COMPRESSION zstd)",
                               SelectCsv(SqlText(file)), SqlText(target)));
  }
  return static_cast<double>(database
                                 .Query("SELECT count(*) FROM read_parquet(" +
                                        SqlText((job.target / "*.parquet").string()) + ")")
                                 .columns[0]
                                 .integers[0]);
}

// The lake's own layout: a folder a symbol and a file a year.
double ImportDuckdbPartitioned(const Job& job) {
  const Database database;
  fs::create_directories(job.target);
  const std::string file = (job.csv / "*.csv").string();
  database.Query(fmt::format(
      "COPY (SELECT *, parse_filename(filename, true) AS symbol, year(timestamp) AS year FROM "
      "(SELECT make_timestamp_ms(timestamp_ms) AS timestamp, make_timestamp_ms(timestamp_ms + "
      "59999) AS close_time, open, high, low, close, volume, NULL::DOUBLE AS trade_count, "
      "NULL::DOUBLE AS vwap, filename FROM read_csv({}, {}, filename=true))) TO {} (FORMAT "
      "parquet, COMPRESSION zstd, PARTITION_BY (symbol, year))",
      SqlText(file), kCsvColumns, SqlText(job.target.string())));
  return static_cast<double>(database
                                 .Query("SELECT count(*) FROM read_parquet(" +
                                        SqlText((job.target / "*/*/*.parquet").string()) + ")")
                                 .columns[0]
                                 .integers[0]);
}

// A quarter of a year, another one for every read; from the second read on, since the first one
// loads the library.
template <typename Read>
double ReadRanges(const Job& job, const Read& read, double* wall) {
  const int64_t quarter = std::min<int64_t>(job.bars, int64_t{90} * 24 * 60);
  double sum = 0;
  std::vector<double> times;
  for (int i = 0; i <= kReads; ++i) {
    const int64_t first = job.bars == quarter ? 0 : (i * 7919LL * 60) % (job.bars - quarter);
    const TimeMs from = kStart + first * kMsPerMinute;
    const auto start = Clock::now();
    sum += read(i % job.symbols, from, from + quarter * kMsPerMinute);
    if (i > 0) times.push_back(Seconds(start));
  }
  std::ranges::sort(times);
  *wall = times[times.size() / 2];
  return sum;
}

double Last(const std::vector<double>& values) { return values.empty() ? 0 : values.back(); }

double ReadAlmanac(const Job& job, double* wall) {
  const CandleStore candles(Home{job.target});
  return ReadRanges(
      job,
      [&](int symbol, TimeMs from, TimeMs to) {
        const CandleSeries bars = candles.Read(KeyOf(symbol), from, to);
        return static_cast<double>(bars.size()) + Last(bars.close);
      },
      wall);
}

// Into arrays as well, from the symbol's own folder, with the statement prepared by hand.
double ReadDuckdb(const Job& job, double* wall) {
  const Database database;
  return ReadRanges(
      job,
      [&](int symbol, TimeMs from, TimeMs to) {
        const std::string files = (Home{job.target}.lake() / "candles/market=bench/time_frame=1m" /
                                   ("symbol=" + SymbolName(symbol)) / "*.parquet")
                                      .string();
        const ResultTable table = database.Query(
            fmt::format("SELECT timestamp, open, high, low, close, volume, trade_count, vwap FROM "
                        "read_parquet({}) WHERE timestamp >= make_timestamp_ms({}) AND timestamp < "
                        "make_timestamp_ms({})",
                        SqlText(files), from, to));
        return static_cast<double>(table.rows) +
               Last(table.Column("close", ColumnType::kDouble).doubles);
      },
      wall);
}

int RunJob(const Job& job) {
  const auto start = Clock::now();
  Figures figures;
  double wall = 0;
  const std::map<std::string, std::function<double()>> jobs = {
      {"generate", [&] { return Generate(job.csv, job.symbols, job.bars), 0.0; }},
      {"import-almanac", [&] { return ImportAlmanac(job); }},
      {"write-almanac", [&] { return WriteAlmanac(job); }},
      {"import-duckdb", [&] { return ImportDuckdb(job); }},
      {"import-duckdb-partitioned", [&] { return ImportDuckdbPartitioned(job); }},
      {"read-almanac", [&] { return ReadAlmanac(job, &wall); }},
      {"read-duckdb", [&] { return ReadDuckdb(job, &wall); }},
  };
  figures.check = jobs.at(job.name)();
  figures.wall = wall > 0 ? wall : Seconds(start);
  figures.cpu = CpuSeconds();
  figures.peak = PeakBytes();
  fmt::print("{} {} {} {}\n", figures.wall, figures.cpu, figures.peak, figures.check);
  return 0;
}

Figures Measure(const Job& job) {
  int ends[2];
  if (pipe(ends) != 0) throw Error(ErrorCode::kFailed, "pipe", "cannot be made");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  std::vector<std::string> arguments = {"lake_bench",
                                        "--job",
                                        job.name,
                                        job.csv.string(),
                                        job.target.string(),
                                        std::to_string(job.symbols),
                                        std::to_string(job.bars)};
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  pid_t child = 0;
  const int error =
      posix_spawn(&child, "/proc/self/exe", &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error != 0) throw Error(ErrorCode::kFailed, job.name, "cannot be started");
  std::FILE* in = fdopen(ends[0], "r");
  Figures figures;
  const int read = std::fscanf(in, "%lf %lf %lf %lf", &figures.wall, &figures.cpu, &figures.peak,
                               &figures.check);
  std::fclose(in);
  int status = 0;
  waitpid(child, &status, 0);
  if (read != 4 || status != 0) throw Error(ErrorCode::kFailed, job.name, "failed");
  return figures;
}

Figures MedianOf(std::vector<Figures> rounds) {
  const auto median = [&](double Figures::*field) {
    std::ranges::sort(rounds, {}, field);
    return rounds[rounds.size() / 2].*field;
  };
  Figures result;
  result.wall = median(&Figures::wall);
  result.cpu = median(&Figures::cpu);
  result.peak = median(&Figures::peak);
  result.check = rounds.front().check;
  return result;
}

// Both sides in turns, each time into a new folder unless `keep`.
std::pair<Figures, Figures> Compare(const Job& first, const Job& second, int rounds, bool writes) {
  std::vector<Figures> a, b;
  for (int i = 0; i < rounds; ++i) {
    for (auto* side : {&a, &b}) {
      const Job& job = side == &a ? first : second;
      if (writes) fs::remove_all(job.target);
      side->push_back(Measure(job));
    }
    if (a.back().check != b.back().check) {
      throw Error(ErrorCode::kFailed, first.name + " and " + second.name,
                  fmt::format("disagree: {} and {}", a.back().check, b.back().check));
    }
  }
  return {MedianOf(a), MedianOf(b)};
}

void PrintLine(std::string_view what, const Figures& ours, const Figures& theirs, double scale,
               std::string_view unit) {
  fmt::print("{:<34} {:>9.2f} {:<2} {:>9.2f} {:<2} {:>6.2f} {:>8.2f} {:>9} {:>9}\n", what,
             ours.wall * scale, unit, theirs.wall * scale, unit, ours.wall / theirs.wall,
             ours.cpu / theirs.cpu, FormatBytes(static_cast<int64_t>(ours.peak)),
             FormatBytes(static_cast<int64_t>(theirs.peak)));
  std::fflush(stdout);
}

struct Options {
  int64_t bars = 520'000;
  int symbols = 5;
  int rounds = 3;
};

void RunAll(const Options& options, const fs::path& root) {
  fmt::print("DuckDB {}; {} symbols, 1-minute bars\n\n", DuckDbVersion(), options.symbols);
  fmt::print("{:<34} {:>12} {:>12} {:>6} {:>8} {:>9} {:>9}\n", "", "almanac", "duckdb", "ratio",
             "cpu", "peak", "peak");
  for (const int64_t scale : {1, 4}) {
    const int64_t bars = options.bars * scale;
    const int rounds = scale == 1 ? options.rounds : 1;
    const fs::path csv = root / fmt::format("csv-{}", scale);
    Measure({"generate", csv, root, options.symbols, bars});
    const std::string rows = FormatCount(bars * options.symbols) + " bars";
    const Job ours{"import-almanac", csv, root / "almanac", options.symbols, bars};
    const Job plain{"import-duckdb", csv, root / "duckdb", options.symbols, bars};
    const Job partitioned{"import-duckdb-partitioned", csv, root / "duckdb", options.symbols, bars};
    auto [import, copy] = Compare(ours, plain, rounds, true);
    PrintLine("import " + rows, import, copy, 1, "s");
    auto [again, parts] = Compare(ours, partitioned, rounds, true);
    PrintLine("  beside COPY ... PARTITION_BY", again, parts, 1, "s");
    const Job read{"read-almanac", csv, root / "almanac", options.symbols, bars};
    const Job their_read{"read-duckdb", csv, root / "almanac", options.symbols, bars};
    auto [reading, scanning] = Compare(read, their_read, rounds, false);
    PrintLine("read 90 days of one symbol", reading, scanning, 1000, "ms");
    const Figures writing =
        Measure({"write-almanac", csv, root / "written", options.symbols, bars});
    fmt::print("{:<34} {:>9.2f} s {:>32} {:>10}\n", "write alone, from arrays", writing.wall, "",
               FormatBytes(static_cast<int64_t>(writing.peak)));
    fs::remove_all(root / "written");
    fs::remove_all(csv);
  }
}

int Main(const std::vector<std::string>& arguments) {
  if (arguments.size() == 6 && arguments[0] == "--job") {
    return RunJob({arguments[1], arguments[2], arguments[3], std::stoi(arguments[4]),
                   std::stoll(arguments[5])});
  }
  Options options;
  for (size_t i = 0; i + 1 < arguments.size(); i += 2) {
    const auto value = ParseInt64(arguments[i + 1]).value_or(0);
    const bool known =
        arguments[i] == "--bars" || arguments[i] == "--symbols" || arguments[i] == "--rounds";
    if (!known || value < 1) {
      throw Error(ErrorCode::kUsage, arguments[i], "is not known or has no number",
                  "lake_bench [--bars N] [--symbols N] [--rounds N]");
    }
    if (arguments[i] == "--bars") options.bars = value;
    if (arguments[i] == "--symbols") options.symbols = static_cast<int>(value);
    if (arguments[i] == "--rounds") options.rounds = static_cast<int>(value);
  }
  const fs::path root = fs::temp_directory_path() / fmt::format("almanac-bench-{}", getpid());
  fs::create_directories(root);
  try {
    RunAll(options, root);
  } catch (...) {
    fs::remove_all(root);
    throw;
  }
  fs::remove_all(root);
  return 0;
}

}  // namespace
}  // namespace almanac

int main(int argc, char** argv) {
  try {
    return almanac::Main({argv + 1, argv + argc});
  } catch (const almanac::Error& error) {
    fmt::print(stderr, "lake_bench: {}\n", error.what());
    return error.exit_status();
  }
}
