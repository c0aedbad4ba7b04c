#include "almanac/source/backfill.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "almanac/base/cancel.h"
#include "almanac/base/log.h"
#include "almanac/base/text.h"
#include "almanac/source/backfill_coverage.h"

namespace almanac {
namespace {

constexpr int kMostConcurrency = 32;
// A series whose past is adjusted is asked for its last stored bar again; a bar older than this
// many timeframes (or a week and a half) is no neighbour.
constexpr DurationMs kNeighbourDays = 10 * kMsPerDay;
constexpr int kNeighbourBars = 4;
// Relative difference of closes that is no rounding of the vendor's.
constexpr double kAdjustmentTolerance = 1e-6;

struct Neighbour {
  TimeMs open_time = 0;
  double close = 0;
};

struct Series {
  SeriesKey key;
  BackfillOutcome* outcome = nullptr;
  bool has_bars = false;  // in the lake
  IntervalSet wanted;     // still to be asked for
  bool recheck = true;    // whether a change of past prices starts it anew
};

// What one request (with its pages) is for.
struct Job {
  TimeInterval interval;
  std::vector<Series*> series;
  // By symbol; asked for again, to see whether past prices changed.
  std::map<std::string, Neighbour> neighbours;
};

// A series' part of a job in progress.
struct Pending {
  Series* series = nullptr;
  CandleSeries bars;      // received, not yet written
  TimeMs written_to = 0;  // coverage that the lake has
  TimeMs covered_to = 0;  // coverage once `bars` are written
};

class BackfillRun {
 public:
  BackfillRun(CandleSource& source, CandleStore& store, const Home& home,
              const BackfillRequest& request, Progress& progress, BackfillReport& report)
      : source_(source),
        store_(store),
        home_(home),
        request_(request),
        progress_(progress),
        report_(report),
        clock_(request.clock != nullptr ? *request.clock : SystemWaitClock()) {}

  void Run();

 private:
  void Plan();
  void PlanSeries(Series& series);
  void AddJobs();
  std::optional<Neighbour> FindNeighbour(const Series& series, TimeMs before);
  void RunJobs();
  void Work();
  std::optional<Job> TakeJob();
  void RunJob(const Job& job);
  bool TryJob(const Job& job);
  void Receive(SymbolPage page, const Job& job, std::vector<Pending>& pending);
  bool PricesChanged(const CandleSeries& bars, const Neighbour& neighbour) const;
  void StartAnew(Series& series);
  void Write(std::vector<Pending>& pending);
  void Fail(const Job& job, const Error& error);

  CandleSource& source_;
  CandleStore& store_;
  const Home& home_;
  const BackfillRequest& request_;
  Progress& progress_;
  BackfillReport& report_;
  WaitClock& clock_;
  std::string market_;
  std::vector<Series> series_;

  std::mutex mutex_;  // guards what follows, and the outcomes
  std::deque<Job> jobs_;
  std::optional<Error> end_;  // ends every job: a stop, or a failure that concerns all
  std::mutex store_mutex_;    // the store is used by one thread at a time
};

void CheckMarket(const std::string& market) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-_";
  if (!market.empty() && market.find_first_not_of(kAllowed) == std::string::npos) return;
  throw Error(ErrorCode::kUsage, "market", fmt::format("'{}' is no name of a market", market),
              "use lower-case letters, digits, '-' and '_'");
}

void BackfillRun::Plan() {
  CheckTimeframe(source_, request_.timeframe);
  if (request_.symbols.empty()) {
    throw Error(ErrorCode::kUsage, "symbols", "there are none", "name at least one symbol");
  }
  for (const std::string& symbol : request_.symbols) source_.CheckSymbol(symbol);
  market_ = request_.market.empty() ? source_.default_market() : request_.market;
  CheckMarket(market_);

  const Timeframe timeframe = request_.timeframe;
  report_.from = timeframe.Floor(request_.from);
  if (report_.from < request_.from) report_.from += timeframe.duration();
  report_.to = timeframe.Floor(std::min(request_.to, clock_.Now()));
  if (request_.from >= std::min(request_.to, clock_.Now())) {
    throw Error(ErrorCode::kUsage, "range",
                fmt::format("{} is not before {}", FormatTime(request_.from),
                            FormatTime(std::min(request_.to, clock_.Now()))),
                "give a --from that lies before --to and before now");
  }

  std::vector<std::string> symbols;
  for (const std::string& symbol : request_.symbols) {
    if (std::find(symbols.begin(), symbols.end(), symbol) == symbols.end()) {
      symbols.push_back(symbol);
    }
  }
  report_.outcomes.resize(symbols.size());
  for (size_t i = 0; i < symbols.size(); ++i) {
    report_.outcomes[i].key = {market_, symbols[i], timeframe};
    Series& series = series_.emplace_back();
    series.key = report_.outcomes[i].key;
    series.outcome = &report_.outcomes[i];
  }
  for (Series& series : series_) {
    try {
      PlanSeries(series);
    } catch (const Error& error) {
      series.outcome->error = error.Within(ToString(series.key));
    }
  }
}

void BackfillRun::PlanSeries(Series& series) {
  const TimeInterval range{report_.from, report_.to};
  series.wanted.Add(range);
  series.has_bars = store_.Find(series.key).has_value();
  // Without bars the state says nothing: they were deleted, or there never were any.
  if (series.has_bars) {
    Coverage coverage = LoadCoverage(home_, series.key);
    if (!coverage.source.empty() && coverage.source != source_.identity()) {
      throw Error(ErrorCode::kUsage, "",
                  fmt::format("its bars come from '{}', not from '{}'", coverage.source,
                              source_.identity()),
                  "bars of two origins do not mix: give another --market");
    }
    if (request_.refresh && range.from < range.to) {
      IntervalSet asked_before = coverage.answered;
      asked_before.Subtract({kMinTime, range.from});
      asked_before.Subtract({range.to, kMaxTime});
      UpdateCoverage(home_, series.key, [&](Coverage& state) {
        state.source = source_.identity();
        state.stale.Add(asked_before);
        state.answered.Subtract(asked_before);
      });
      coverage = LoadCoverage(home_, series.key);
    }
    // A download that starts anew was killed: its old prices need no second look.
    series.recheck = coverage.stale.empty();
    series.wanted.Add(coverage.stale);
    series.wanted.Subtract(coverage.answered);
  }
  series.outcome->up_to_date = series.wanted.empty();
}

std::optional<Neighbour> BackfillRun::FindNeighbour(const Series& series, TimeMs before) {
  if (!source_.adjusts_history() || !series.recheck || !series.has_bars) return std::nullopt;
  const DurationMs reach =
      std::max<DurationMs>(kNeighbourDays, kNeighbourBars * series.key.timeframe.duration());
  const CandleSeries bars = store_.Read(series.key, before - reach, before);
  if (bars.empty()) return std::nullopt;
  return Neighbour{bars.open_time.back(), bars.close.back()};
}

// Series that miss the same interval share a request where the source allows it.
void BackfillRun::AddJobs() {
  std::map<std::pair<TimeMs, TimeMs>, Job> by_interval;
  const auto finish = [&](Job& job) {
    if (!job.series.empty()) jobs_.push_back(std::move(job));
    job = Job();
  };
  for (Series& series : series_) {
    if (series.outcome->error) continue;
    for (const TimeInterval& missing : series.wanted.intervals()) {
      const std::optional<Neighbour> neighbour = FindNeighbour(series, missing.from);
      const TimeInterval asked{neighbour ? neighbour->open_time : missing.from, missing.to};
      Job& job = by_interval[{asked.from, asked.to}];
      job.interval = asked;
      job.series.push_back(&series);
      if (neighbour) job.neighbours[series.key.symbol] = *neighbour;
      if (job.series.size() >= source_.max_symbols()) finish(job);
    }
    series.wanted = IntervalSet();
  }
  for (auto& [interval, job] : by_interval) finish(job);
}

void BackfillRun::Run() {
  Plan();
  // A second round only for series whose past prices changed.
  while (true) {
    AddJobs();
    if (jobs_.empty()) break;
    int64_t bars = 0;
    for (const Job& job : jobs_) {
      bars += (job.interval.to - job.interval.from) / request_.timeframe.duration() *
              static_cast<int64_t>(job.series.size());
    }
    progress_.Begin(fmt::format("{} {}", source_.name(), request_.timeframe.name()), bars);
    RunJobs();
    int64_t received = 0;
    for (const BackfillOutcome& outcome : report_.outcomes) received += outcome.received;
    report_.received = received;
    progress_.End(fmt::format("{} bars of {} symbols", FormatCount(received), series_.size()));
    if (end_ && end_->code() == ErrorCode::kInterrupted) throw *end_;
  }
}

void BackfillRun::RunJobs() {
  const size_t wanted = static_cast<size_t>(std::clamp(request_.concurrency, 1, kMostConcurrency));
  std::vector<std::thread> workers;
  std::vector<std::exception_ptr> failures(std::min(wanted, jobs_.size()));
  workers.reserve(failures.size());
  for (std::exception_ptr& failure : failures) {
    workers.emplace_back([this, &failure] {
      try {
        Work();
      } catch (...) {
        failure = std::current_exception();
        const std::scoped_lock lock(mutex_);
        jobs_.clear();
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

void BackfillRun::Work() {
  while (std::optional<Job> job = TakeJob()) {
    std::optional<Error> end;
    {
      const std::scoped_lock lock(mutex_);
      end = end_;
    }
    if (end) {
      Fail(*job, *end);
    } else {
      RunJob(*job);
    }
  }
}

std::optional<Job> BackfillRun::TakeJob() {
  const std::scoped_lock lock(mutex_);
  if (jobs_.empty()) return std::nullopt;
  Job job = std::move(jobs_.front());
  jobs_.pop_front();
  return job;
}

void BackfillRun::RunJob(const Job& job) {
  if (TryJob(job)) return;
  // One symbol that the vendor refuses must not spoil the others: halves are asked for on their
  // own.
  const auto middle = job.series.begin() + static_cast<std::ptrdiff_t>(job.series.size() / 2);
  Job first{job.interval, {job.series.begin(), middle}, job.neighbours};
  Job second{job.interval, {middle, job.series.end()}, job.neighbours};
  RunJob(first);
  RunJob(second);
}

// False: the request was refused, and it has several symbols.
bool BackfillRun::TryJob(const Job& job) {
  std::vector<Pending> pending;
  CandleRequest asked{{}, request_.timeframe, job.interval.from, job.interval.to};
  for (Series* series : job.series) {
    asked.symbols.push_back(series->key.symbol);
    pending.push_back({series, {}, job.interval.from, job.interval.from});
  }
  std::optional<Error> failure;
  try {
    const std::unique_ptr<CandlePages> pages = source_.Open(asked);
    while (std::optional<CandlePage> page = pages->Next()) {
      for (SymbolPage& part : page->symbols) Receive(std::move(part), job, pending);
      int64_t held = 0;
      for (const Pending& each : pending) held += static_cast<int64_t>(each.bars.size());
      if (held >= request_.batch) Write(pending);
      CheckCancel();
    }
  } catch (const VendorError& error) {
    if (error.code() == ErrorCode::kUsage && !error.concerns_all() && job.series.size() > 1) {
      Write(pending);
      return false;
    }
    failure = error;
    const std::scoped_lock lock(mutex_);
    if (error.concerns_all()) end_ = error;
  } catch (const Error& error) {
    failure = error;
    const std::scoped_lock lock(mutex_);
    if (error.code() == ErrorCode::kInterrupted) end_ = error;
  }
  try {
    Write(pending);
  } catch (const Error& error) {
    if (!failure) failure = error;
  }
  if (failure) Fail(job, *failure);
  return true;
}

void BackfillRun::Receive(SymbolPage page, const Job& job, std::vector<Pending>& pending) {
  const auto found = std::find_if(pending.begin(), pending.end(), [&](const Pending& each) {
    return each.series->key.symbol == page.bars.key.symbol;
  });
  if (found == pending.end()) return;
  Series& series = *found->series;
  const auto neighbour = job.neighbours.find(series.key.symbol);
  if (neighbour != job.neighbours.end() && PricesChanged(page.bars, neighbour->second)) {
    StartAnew(series);
  }
  found->bars.key = series.key;
  for (size_t i = 0; i < page.bars.size(); ++i) found->bars.Append(page.bars.At(i));

  TimeMs covered =
      std::min(page.covered_to, request_.timeframe.Floor(clock_.Now() - source_.settling_time()));
  if (!page.bars.empty()) {
    covered = std::max(covered, page.bars.open_time.back() + request_.timeframe.duration());
  }
  const TimeMs before = found->covered_to;
  found->covered_to = std::max(before, std::min(covered, job.interval.to));
  const std::scoped_lock lock(mutex_);
  series.outcome->received += static_cast<int64_t>(page.bars.size());
  progress_.Advance((found->covered_to - before) / request_.timeframe.duration());
  progress_.Note(series.key.symbol);
}

bool BackfillRun::PricesChanged(const CandleSeries& bars, const Neighbour& neighbour) const {
  const auto found =
      std::lower_bound(bars.open_time.begin(), bars.open_time.end(), neighbour.open_time);
  if (found == bars.open_time.end() || *found != neighbour.open_time) return false;
  const double close = bars.close[static_cast<size_t>(found - bars.open_time.begin())];
  return std::abs(close - neighbour.close) > kAdjustmentTolerance * std::abs(neighbour.close);
}

// Before a bar with the new prices is written: whoever continues after a kill must know that the
// old ones are stale.
void BackfillRun::StartAnew(Series& series) {
  Log(LogLevel::kInfo, "past prices changed, the series is downloaded anew",
      {{"series", ToString(series.key)}});
  UpdateCoverage(home_, series.key, [&](Coverage& state) {
    state.source = source_.identity();
    state.stale.Add(state.answered);
    state.answered = IntervalSet();
  });
  const Coverage coverage = LoadCoverage(home_, series.key);
  const std::scoped_lock lock(mutex_);
  series.recheck = false;
  series.outcome->readjusted = true;
  series.wanted.Add(coverage.stale);
}

// Bars first, then the state that says they are there.
void BackfillRun::Write(std::vector<Pending>& pending) {
  const std::scoped_lock lock(store_mutex_);
  for (Pending& each : pending) {
    if (!each.bars.empty()) {
      const UpsertStats stats = store_.Upsert(each.bars);
      UpsertStats& sum = each.series->outcome->stats;
      sum.added += stats.added;
      sum.replaced += stats.replaced;
      sum.unchanged += stats.unchanged;
      each.series->has_bars = true;
      each.bars = CandleSeries();
    }
    if (each.covered_to <= each.written_to || !each.series->has_bars) continue;
    const TimeInterval answered{each.written_to, each.covered_to};
    UpdateCoverage(home_, each.series->key, [&](Coverage& state) {
      state.source = source_.identity();
      state.answered.Add(answered);
      state.stale.Subtract(answered);
    });
    each.written_to = each.covered_to;
  }
}

void BackfillRun::Fail(const Job& job, const Error& error) {
  const std::scoped_lock lock(mutex_);
  for (Series* series : job.series) {
    if (!series->outcome->error) series->outcome->error = error.Within(ToString(series->key));
  }
}

}  // namespace

int BackfillReport::exit_status() const {
  constexpr std::array<ErrorCode, 5> kWorstFirst = {ErrorCode::kInterrupted, ErrorCode::kUsage,
                                                    ErrorCode::kBadData, ErrorCode::kUnavailable,
                                                    ErrorCode::kFailed};
  for (const ErrorCode code : kWorstFirst) {
    for (const BackfillOutcome& outcome : outcomes) {
      if (outcome.error && outcome.error->code() == code) return static_cast<int>(code);
    }
  }
  return 0;
}

BackfillReport Backfill(CandleSource& source, CandleStore& store, const Home& home,
                        const BackfillRequest& request, Progress& progress) {
  BackfillReport report;
  BackfillRun(source, store, home, request, progress, report).Run();
  return report;
}

Json ToJson(const BackfillReport& report) {
  Json series = Json::array();
  for (const BackfillOutcome& outcome : report.outcomes) {
    Json one;
    one["market"] = outcome.key.market;
    one["symbol"] = outcome.key.symbol;
    one["timeframe"] = outcome.key.timeframe.name();
    one["received"] = outcome.received;
    one["added"] = outcome.stats.added;
    one["replaced"] = outcome.stats.replaced;
    one["unchanged"] = outcome.stats.unchanged;
    one["up_to_date"] = outcome.up_to_date;
    one["readjusted"] = outcome.readjusted;
    one["error"] = outcome.error ? Json(outcome.error->what()) : Json(nullptr);
    series.push_back(std::move(one));
  }
  Json json;
  json["from"] = FormatTime(report.from);
  json["to"] = FormatTime(report.to);
  json["received"] = report.received;
  json["series"] = std::move(series);
  return json;
}

}  // namespace almanac
