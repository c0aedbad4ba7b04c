#include "almanac/source/candle_import.h"

#include <fmt/format.h>
#include <oneapi/tbb/parallel_pipeline.h>
#include <oneapi/tbb/task_group.h>

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "almanac/base/cancel.h"
#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/base/task_order.h"
#include "almanac/base/text.h"
#include "almanac/source/bar_spill.h"
#include "almanac/source/candle_file.h"
#include "almanac/source/repeats.h"
#include "almanac/source/spacing.h"

namespace almanac {
namespace {

namespace fs = std::filesystem;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// Handed to a writer in one call: it makes copies of them.
constexpr size_t kAppendBars = size_t{1} << 17;
constexpr size_t kRepeatsAtOnce = size_t{1} << 17;

// What goes through the pipeline: a piece of a file, or (without text) its end.
struct Item {
  std::shared_ptr<CandleFile> file;  // null: could not be used at all, see `problem`
  std::string path;
  FilePiece piece;
  CandleRows rows;
  bool ends_file = false;
  std::optional<BadLine> problem;
  int64_t packed_bytes = 0;  // read since the item before
};

// First stage: the pieces of all files, in order.
class PieceSource {
 public:
  PieceSource(const std::vector<fs::path>& files, const ImportOptions& options)
      : files_(files), options_(options) {}

  std::shared_ptr<Item> Next() {
    CheckCancel();
    if (file_ == nullptr && next_ == files_.size()) return nullptr;
    auto item = std::make_shared<Item>();
    if (file_ == nullptr && !Open(*item)) return item;
    item->file = file_;
    item->path = file_->path().string();
    item->ends_file = !file_->Next(item->piece);
    item->packed_bytes =
        file_->packed_position() - std::exchange(position_, file_->packed_position());
    if (item->ends_file) {
      item->problem = file_->problem();
      file_ = nullptr;
    }
    return item;
  }

 private:
  bool Open(Item& item) {
    const fs::path& path = files_[next_++];
    position_ = 0;
    item.path = path.string();
    item.ends_file = true;
    try {
      file_ = std::make_shared<CandleFile>(path, options_);
      return true;
    } catch (const BadFile& error) {
      item.problem = error.AsBadLine();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kBadData) throw;
      item.problem = BadLine{item.path, 0, error.problem() + "; " + error.remedy()};
    }
    std::error_code ignored;
    item.packed_bytes = static_cast<int64_t>(fs::file_size(path, ignored));
    return false;
  }

  const std::vector<fs::path>& files_;
  const ImportOptions& options_;
  size_t next_ = 0;
  std::shared_ptr<CandleFile> file_;
  int64_t position_ = 0;
};

// Adds the values of an optional field, which either part may lack.
void AppendOptional(std::vector<double>& to, size_t to_size, const std::vector<double>& from,
                    size_t first, size_t last) {
  if (to.empty() && from.empty()) return;
  to.resize(to_size, kNaN);
  if (from.empty()) {
    to.resize(to_size + (last - first), kNaN);
  } else {
    to.insert(to.end(), from.begin() + static_cast<ptrdiff_t>(first),
              from.begin() + static_cast<ptrdiff_t>(last));
  }
}

void AppendRows(CandleSeries& to, const CandleRows& from, size_t first, size_t last) {
  const size_t had = to.size();
  const auto add = [&](auto& values, const auto& more) {
    values.insert(values.end(), more.begin() + static_cast<ptrdiff_t>(first),
                  more.begin() + static_cast<ptrdiff_t>(last));
  };
  AppendOptional(to.trade_count, had, from.trade_count, first, last);
  AppendOptional(to.vwap, had, from.vwap, first, last);
  add(to.open_time, from.time);
  add(to.open, from.open);
  add(to.high, from.high);
  add(to.low, from.low);
  add(to.close, from.close);
  add(to.volume, from.volume);
}

int64_t CountContradictions(const CandleRows& rows, size_t first, size_t last) {
  int64_t count = 0;
  for (size_t i = first; i < last; ++i) {
    count += rows.high[i] < std::max(rows.open[i], rows.close[i]) ||
             rows.low[i] > std::min(rows.open[i], rows.close[i]);
  }
  return count;
}

// Last stage: takes the parsed pieces in order.
class Collector {
 public:
  Collector(const OpenCandleWriter& open_writer, const ImportOptions& options, size_t max_held_bars)
      : open_writer_(open_writer), options_(options), max_held_bars_(max_held_bars) {}

  void Take(Item& item) {
    if (current_ == nullptr) BeginFile(item);
    if (!item.ends_file) return TakeRows(item);
    EndFile(item);
  }

  std::string Summary() const {
    return fmt::format("{} bars of {} series from {} files", FormatCount(report_.bars),
                       FormatCount(static_cast<int64_t>(series_.size())),
                       FormatCount(static_cast<int64_t>(report_.files.size())));
  }

  ImportReport Finish(Progress& progress) {
    if (report_.bad_line_count > 0 && options_.on_bad == OnBadLine::kRefuse) {
      throw ImportRefused(std::move(report_));
    }
    if (report_.bad_line_count > 0 && report_.bars == 0) RefuseNothingGood();
    Commit(progress);
    return std::move(report_);
  }

 private:
  struct Series {
    CandleSeries held;
    std::vector<BarSpill::Place> spilled;  // what came before
    ImportedSeries report;
  };
  // A series as one file has it.
  struct FileSeries {
    FileSeries(Series& of, Timeframe timeframe) : series(&of), seen(timeframe) {}
    Series* series;
    TimeSet seen;
    std::optional<TimeMs> last;
  };
  struct CurrentFile {
    ImportedFile report;
    std::unordered_map<std::string, FileSeries> series;  // by symbol
    SpacingCount spacing;
    std::vector<Repeat> repeats;
    std::vector<BadLine> bad;  // the first ones
  };

  bool refused() const {
    return options_.on_bad == OnBadLine::kRefuse &&
           (report_.bad_line_count > 0 || current_->report.bad_lines > 0);
  }

  void BeginFile(const Item& item) {
    current_ = std::make_unique<CurrentFile>();
    current_->report.path = item.path;
    if (item.file == nullptr) return;
    current_->report.form = item.file->layout().form_name;
    current_->report.ignored_columns = item.file->layout().columns.ignored;
    report_.bytes += item.file->packed_bytes();
  }

  void AddBad(BadLine bad) {
    ++current_->report.bad_lines;
    current_->bad.push_back(std::move(bad));
    // Conflicting repeats are found late: keep the first lines, not the first found.
    if (current_->bad.size() >= 2 * ImportReport::kMaxBadLines) KeepFirstBad();
  }

  void KeepFirstBad() {
    auto& bad = current_->bad;
    std::stable_sort(bad.begin(), bad.end(),
                     [](const BadLine& a, const BadLine& b) { return a.line < b.line; });
    if (bad.size() > ImportReport::kMaxBadLines) bad.resize(ImportReport::kMaxBadLines);
  }

  FileSeries& SeriesOf(const CandleFile& file, const std::string& symbol) {
    const auto found = current_->series.find(symbol);
    if (found != current_->series.end()) return found->second;
    const SeriesKey key{options_.market, symbol, *file.timeframe()};
    Series& series = series_[key];
    series.report.key = key;
    series.held.key = key;
    ++series.report.files;
    return current_->series.try_emplace(symbol, series, *file.timeframe()).first->second;
  }

  void TakeRows(Item& item) {
    for (const CandleRows::Bad& bad : item.rows.bad) {
      AddBad({item.path, item.piece.first_line + bad.line, bad.reason});
    }
    const CandleRows& rows = item.rows;
    if (rows.size() == 0) return;
    if (!item.file->timeframe()) {
      throw BadFile(item.path, item.piece.first_line,
                    "no bar at the beginning of the file tells its timeframe",
                    "say it by --timeframe");
    }
    std::vector<FileSeries*> by_index;
    for (const std::string& symbol : rows.symbols) {
      by_index.push_back(&SeriesOf(*item.file, symbol));
    }
    if (rows.symbols.empty()) by_index.push_back(&SeriesOf(*item.file, item.file->symbol()));
    const auto series_at = [&](size_t i) {
      return by_index[rows.symbol.empty() ? 0 : rows.symbol[i]];
    };
    for (size_t begin = 0; begin < rows.size();) {
      FileSeries* const series = series_at(begin);
      size_t end = begin;
      bool is_repeat = false;
      while (end < rows.size() && series_at(end) == series && !is_repeat) {
        is_repeat = !Accept(*series, rows.time[end++]);
      }
      AddRun(*series, rows, begin, end - is_repeat);
      if (is_repeat) AddRepeat(item, end - 1, *series);
      begin = end;
    }
  }

  // Whether the file does not have that time yet.
  bool Accept(FileSeries& series, TimeMs time) {
    if (series.last) current_->spacing.Add(time - *series.last);
    series.last = time;
    return series.seen.Insert(time);
  }

  void AddRepeat(const Item& item, size_t row, const FileSeries& series) {
    current_->repeats.push_back({series.series->report.key.symbol, item.rows.time[row],
                                 item.piece.first_line + item.rows.line[row],
                                 BitsOf(item.rows, row)});
    if (current_->repeats.size() >= kRepeatsAtOnce) JudgeRepeats(*item.file);
  }

  void JudgeRepeats(const CandleFile& file) {
    if (current_->repeats.empty()) return;
    auto conflicts = FindConflicts(file, options_, current_->repeats);
    current_->report.duplicates +=
        static_cast<int64_t>(current_->repeats.size() - conflicts.size());
    for (BadLine& conflict : conflicts) AddBad(std::move(conflict));
    current_->repeats.clear();
  }

  void AddRun(FileSeries& of, const CandleRows& rows, size_t begin, size_t end) {
    if (begin == end || refused()) return;
    Series& series = *of.series;
    ImportedSeries& report = series.report;
    const auto [first, last] =
        std::minmax_element(rows.time.begin() + static_cast<ptrdiff_t>(begin),
                            rows.time.begin() + static_cast<ptrdiff_t>(end));
    report.from = report.bars == 0 ? *first : std::min(report.from, *first);
    report.to = report.bars == 0 ? *last : std::max(report.to, *last);
    const auto count = static_cast<int64_t>(end - begin);
    report.bars += count;
    report_.bars += count;
    current_->report.bars += count;
    current_->report.contradictions += CountContradictions(rows, begin, end);
    AppendRows(series.held, rows, begin, end);
    held_bars_ += end - begin;
    if (held_bars_ >= max_held_bars_) Spill();
  }

  void Spill() {
    if (spill_ == nullptr) spill_ = std::make_unique<BarSpill>();
    for (auto& [key, series] : series_) {
      if (series.held.empty()) continue;
      for (size_t first = 0; first < series.held.size(); first += kAppendBars) {
        const size_t last = std::min(first + kAppendBars, series.held.size());
        series.spilled.push_back(spill_->Write(series.held, first, last));
      }
      series.held = CandleSeries{key, {}, {}, {}, {}, {}, {}, {}, {}};
    }
    held_bars_ = 0;
  }

  void EndFile(const Item& item) {
    if (item.file != nullptr) {
      JudgeRepeats(*item.file);
      CheckSpacing(*item.file);
    }
    if (item.problem) {
      AddBad(*item.problem);
      current_->report.skipped = item.file == nullptr;
    }
    KeepFirstBad();
    report_.bad_line_count += current_->report.bad_lines;
    for (BadLine& bad : current_->bad) {
      if (report_.bad_lines.size() == ImportReport::kMaxBadLines) break;
      report_.bad_lines.push_back(std::move(bad));
    }
    report_.files.push_back(std::move(current_->report));
    current_ = nullptr;
  }

  // The beginning of the file agreed with its timeframe; so must the whole.
  void CheckSpacing(const CandleFile& file) {
    if (!file.timeframe()) return;
    const std::string contradiction = current_->spacing.Contradiction(*file.timeframe());
    if (contradiction.empty()) return;
    const BadFile error(file.path(), 0,
                        fmt::format("{} says {} bars, but over the whole file {}",
                                    file.timeframe_from(), file.timeframe()->name(), contradiction),
                        "say the right one by --timeframe");
    // Its bars were taken already and cannot be left out any more.
    if (options_.on_bad == OnBadLine::kSkip) throw error;
    AddBad(error.AsBadLine());
  }

  [[noreturn]] void RefuseNothingGood() const {
    const BadLine& first = report_.bad_lines.front();
    throw BadFile(first.file, first.line,
                  fmt::format("{}; nothing was left to import after {} such lines", first.reason,
                              FormatCount(report_.bad_line_count)));
  }

  // Several series at once: each has its own files and its own lock.
  void Commit(Progress& progress) {
    std::vector<Series*> all;
    for (auto& [key, series] : series_) all.push_back(&series);
    progress.Begin("write", static_cast<int64_t>(all.size()));
    ParallelFor(all.size(), [&](size_t i) {
      progress.Note(ToString(all[i]->report.key));
      CommitSeries(*all[i]);
      progress.Advance(1);
    });
    for (const Series* series : all) report_.series.push_back(series->report);
    progress.End(fmt::format("{} series", FormatCount(static_cast<int64_t>(all.size()))));
  }

  void CommitSeries(Series& series) {
    const std::unique_ptr<CandleWriter> writer = open_writer_(series.report.key);
    for (const BarSpill::Place& place : series.spilled) writer->Append(spill_->Read(place));
    if (series.held.size() <= kAppendBars) {
      writer->Append(series.held);
    } else {
      for (size_t first = 0; first < series.held.size(); first += kAppendBars) {
        const size_t last = std::min(first + kAppendBars, series.held.size());
        writer->Append(series.held.Slice(first, last));
      }
    }
    series.held = {};
    series.report.stats = writer->Commit();
  }

  const OpenCandleWriter& open_writer_;
  const ImportOptions& options_;
  const size_t max_held_bars_;
  ImportReport report_;
  std::map<SeriesKey, Series> series_;
  std::unique_ptr<CurrentFile> current_;
  std::unique_ptr<BarSpill> spill_;
  size_t held_bars_ = 0;
};

int64_t TotalBytes(const std::vector<fs::path>& files) {
  int64_t total = 0;
  for (const fs::path& file : files) {
    std::error_code error;
    const auto size = fs::file_size(file, error);
    if (!error) total += static_cast<int64_t>(size);
  }
  return total;
}

// Reads, parses and takes all pieces, the parsing on every core.
void TakeAll(PieceSource& source, Collector& collector, Progress& progress) {
  using ItemPtr = std::shared_ptr<Item>;
  const TasksWithin around_source(&source), around_collector(&collector);
  // The first and the last filter are called by one thread at a time, an item is with one of them.
  const auto read = [&](tbb::flow_control& control) -> ItemPtr {
    const TaskOrder order(&source);
    ItemPtr item = source.Next();
    if (item == nullptr) control.stop();
    const TaskOrder handed_on(item.get());
    return item;
  };
  const auto parse = [](ItemPtr item) {
    const TaskOrder order(item.get());
    if (!item->ends_file) item->rows = item->file->Parse(item->piece);
    return item;
  };
  const auto take = [&](const ItemPtr& item) {
    const TaskOrder order(&collector);
    const TaskOrder handed_on(item.get());
    progress.Note(item->path);
    collector.Take(*item);
    progress.Advance(item->packed_bytes);
  };
  // One piece being read, one being taken, one in every thread, and a few that wait.
  const size_t pieces_at_once = 2 * static_cast<size_t>(ThreadCount()) + 2;
  // Like a ParallelFor, it takes all the pieces or throws: a loop around it that fails would
  // otherwise end it early without a word.
  tbb::task_group_context alone(tbb::task_group_context::isolated);
  tbb::parallel_pipeline(
      pieces_at_once,
      tbb::make_filter<void, ItemPtr>(tbb::filter_mode::serial_in_order, read) &
          tbb::make_filter<ItemPtr, ItemPtr>(tbb::filter_mode::parallel, parse) &
          tbb::make_filter<ItemPtr, void>(tbb::filter_mode::serial_in_order, take),
      alone);
}

}  // namespace

ImportReport ImportCandles(const OpenCandleWriter& open_writer, const std::vector<fs::path>& files,
                           const ImportOptions& options, Progress& progress, size_t max_held_bars) {
  progress.Begin("import", TotalBytes(files));
  PieceSource source(files, options);
  Collector collector(open_writer, options, max_held_bars);
  TakeAll(source, collector, progress);
  progress.End(collector.Summary());
  return collector.Finish(progress);
}

}  // namespace almanac
