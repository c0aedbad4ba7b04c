// almanac data import | show | audit | resample | ddl: the lake from the command line.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "almanac/base/error.h"
#include "almanac/base/text.h"
#include "almanac/cli/command.h"
#include "almanac/cli/data_commands.h"
#include "almanac/lake/candle_store.h"
#include "almanac/lake/ddl.h"
#include "almanac/lake/observation.h"
#include "almanac/market/audit.h"
#include "almanac/market/calendar.h"
#include "almanac/source/import.h"

namespace almanac {
namespace {

constexpr size_t kShownBadLines = 10;

struct ImportFlags {
  std::vector<std::string> paths;
  std::string kind = "candles", market = "import", symbol, timeframe, on_bad = "refuse", unit;
  std::vector<std::string> columns;
};

ImportOptions ToOptions(const ImportFlags& flags) {
  ImportOptions options;
  options.kind = flags.kind == "earnings" ? ImportKind::kEarnings : ImportKind::kCandles;
  options.market = flags.market;
  if (!flags.symbol.empty()) options.symbol = flags.symbol;
  if (!flags.timeframe.empty()) options.timeframe = Timeframe::Parse(flags.timeframe);
  options.on_bad = flags.on_bad == "skip" ? OnBadLine::kSkip : OnBadLine::kRefuse;
  if (!flags.unit.empty()) options.time_unit = ParseTimeUnit(flags.unit);
  for (const std::string& column : flags.columns) {
    const size_t equals = column.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == column.size()) {
      throw Error(ErrorCode::kUsage, "--column " + column, "is not FIELD=COLUMN",
                  "write, for instance, --column time=Date");
    }
    options.columns[column.substr(0, equals)] = column.substr(equals + 1);
  }
  return options;
}

Json ToJson(const UpsertStats& stats) {
  return {{"added", stats.added}, {"replaced", stats.replaced}, {"unchanged", stats.unchanged}};
}

Json ToJson(const ImportReport& report) {
  Json document = {{"files", Json::array()},
                   {"series", Json::array()},
                   {"ignored", Json::array()},
                   {"bad_line_count", report.bad_line_count},
                   {"bad_lines", Json::array()},
                   {"announcements", report.announcements},
                   {"observations", report.observations}};
  for (const ImportedFile& file : report.files) {
    document["files"].push_back({{"path", file.path},
                                 {"form", file.form},
                                 {"bars", file.bars},
                                 {"bad_lines", file.bad_lines},
                                 {"duplicates", file.duplicates},
                                 {"contradictions", file.contradictions},
                                 {"skipped", file.skipped},
                                 {"ignored_columns", file.ignored_columns}});
  }
  for (const ImportedSeries& series : report.series) {
    Json entry = {{"market", series.key.market},
                  {"symbol", series.key.symbol},
                  {"timeframe", series.key.timeframe.name()},
                  {"files", series.files},
                  {"bars", series.bars},
                  {"from", FormatTime(series.from)},
                  {"to", FormatTime(series.to)}};
    entry.update(ToJson(series.stats));
    document["series"].push_back(std::move(entry));
  }
  for (const IgnoredPath& path : report.ignored) {
    document["ignored"].push_back({{"path", path.path}, {"reason", path.reason}});
  }
  for (const BadLine& bad : report.bad_lines) {
    document["bad_lines"].push_back(
        {{"file", bad.file}, {"line", bad.line}, {"reason", bad.reason}});
  }
  return document;
}

void SayBadLines(const ImportReport& report, const Invocation& invocation) {
  if (report.bad_line_count == 0) return;
  const size_t shown = std::min(kShownBadLines, report.bad_lines.size());
  for (size_t i = 0; i < shown; ++i) {
    const BadLine& bad = report.bad_lines[i];
    invocation.Warn(bad.line > 0 ? fmt::format("{}:{}: {}", bad.file, bad.line, bad.reason)
                                 : fmt::format("{}: {}", bad.file, bad.reason));
  }
  const int64_t rest = report.bad_line_count - static_cast<int64_t>(shown);
  if (rest > 0) invocation.Warn(fmt::format("... and {} more bad lines", FormatCount(rest)));
}

void SayImport(const ImportReport& report, const Invocation& invocation) {
  SayBadLines(report, invocation);
  for (const IgnoredPath& path : report.ignored) {
    invocation.Warn(fmt::format("ignored {}: {}", path.path, path.reason));
  }
  if (!report.series.empty()) {
    TextTable table({"market", "symbol", "timeframe", "from", "to", ">bars", ">added", ">replaced",
                     ">unchanged"});
    for (const ImportedSeries& series : report.series) {
      table.AddRow({series.key.market, series.key.symbol, series.key.timeframe.name(),
                    FormatTime(series.from), FormatTime(series.to), FormatCount(series.bars),
                    FormatCount(series.stats.added), FormatCount(series.stats.replaced),
                    FormatCount(series.stats.unchanged)});
    }
    invocation.Say(table.Render());
  }
  if (report.observations > 0) {
    invocation.Say(fmt::format("{} announcements became {} observations ({} added, {} unchanged)",
                               FormatCount(report.announcements), FormatCount(report.observations),
                               FormatCount(report.observation_stats.added),
                               FormatCount(report.observation_stats.unchanged)));
  }
  if (report.bad_line_count > 0) {
    invocation.Say(fmt::format("{} bad lines were skipped", FormatCount(report.bad_line_count)));
  }
}

int RunImport(const ImportFlags& flags, Invocation& invocation) {
  const ImportOptions options = ToOptions(flags);
  const std::vector<std::filesystem::path> paths(flags.paths.begin(), flags.paths.end());
  CandleStore candles(invocation.home());
  ObservationStore observations(invocation.home());
  try {
    const ImportReport report =
        ImportFiles(candles, observations, paths, options, invocation.progress());
    invocation.PrintJson(ToJson(report));
    SayImport(report, invocation);
    return 0;
  } catch (const ImportRefused& refused) {
    // The error itself names the first one.
    if (refused.report().bad_line_count > 1) SayBadLines(refused.report(), invocation);
    throw;
  }
}

void AddImport(CLI::App& data, Invocation& invocation) {
  const auto flags = std::make_shared<ImportFlags>();
  CLI::App* command =
      data.add_subcommand("import", "Bring files into the lake: CSV, Binance dumps, JSON klines");
  command->add_option("PATHS", flags->paths, "Files and folders; .gz and .zst are unpacked")
      ->required();
  command->add_option("--kind", flags->kind, "What the files hold: candles or earnings")
      ->check(CLI::IsMember({"candles", "earnings"}));
  command->add_option("--market", flags->market, "Name of the market the prices are from")
      ->capture_default_str();
  command->add_option("--symbol", flags->symbol, "Symbol, where neither column nor name gives it");
  command->add_option("--timeframe", flags->timeframe, "Length of a bar, where it is not evident");
  command->add_option("--on-bad", flags->on_bad, "Bad lines: refuse the import, or skip them")
      ->check(CLI::IsMember({"refuse", "skip"}));
  command->add_option("--column", flags->columns, "FIELD=COLUMN, for headers with unusual names");
  command->add_option("--time-unit", flags->unit, "Unit of numeric times: s, ms, us or ns");
  command->callback([flags, &invocation] {
    invocation.action = [flags, &invocation] { return RunImport(*flags, invocation); };
  });
}

struct SelectFlags {
  std::vector<std::string> symbols;
  std::string market, timeframe, from, to, calendar;
  int64_t bars = 0;
};

bool Matches(const SeriesKey& key, const SelectFlags& flags,
             const std::optional<Timeframe>& timeframe) {
  if (!flags.market.empty() && key.market != flags.market) return false;
  if (timeframe && key.timeframe != *timeframe) return false;
  return flags.symbols.empty() ||
         std::find(flags.symbols.begin(), flags.symbols.end(), key.symbol) != flags.symbols.end();
}

// The series that the flags name. A symbol that is nowhere is an error, not an empty answer.
std::vector<SeriesInfo> Select(const CandleStore& store, const SelectFlags& flags) {
  std::optional<Timeframe> timeframe;
  if (!flags.timeframe.empty()) timeframe = Timeframe::Parse(flags.timeframe);
  const std::vector<SeriesInfo> all = store.List();
  std::vector<SeriesInfo> chosen;
  for (const SeriesInfo& info : all) {
    if (Matches(info.key, flags, timeframe)) chosen.push_back(info);
  }
  for (const std::string& symbol : flags.symbols) {
    if (std::none_of(chosen.begin(), chosen.end(),
                     [&](const SeriesInfo& info) { return info.key.symbol == symbol; })) {
      throw NoSuchSeries(all, symbol);
    }
  }
  const bool filtered = !flags.market.empty() || !flags.timeframe.empty();
  if (chosen.empty() && filtered) throw NoSuchSeries(all, "");
  return chosen;
}

std::pair<TimeMs, TimeMs> RangeOf(const SelectFlags& flags) {
  return {flags.from.empty() ? kMinTime : ParseTimeFlag("--from", flags.from),
          flags.to.empty() ? kMaxTime : ParseTimeFlag("--to", flags.to)};
}

void AddSelection(CLI::App* command, const std::shared_ptr<SelectFlags>& flags) {
  command->add_option("SYMBOLS", flags->symbols, "Symbols (all)");
  command->add_option("--market", flags->market, "Only this market");
  command->add_option("--timeframe", flags->timeframe, "Only this timeframe");
  command->add_option("--from", flags->from, "From this time on (ISO 8601, UTC)");
  command->add_option("--to", flags->to, "To before this time");
}

Json ToJson(const SeriesInfo& info) {
  return {{"market", info.key.market},
          {"symbol", info.key.symbol},
          {"timeframe", info.key.timeframe.name()},
          {"from", FormatTime(info.from)},
          {"to", FormatTime(info.to)},
          {"bars", info.bars},
          {"bytes", info.bytes}};
}

Json BarsToJson(const CandleSeries& bars) {
  Json rows = Json::array();
  for (size_t i = 0; i < bars.size(); ++i) {
    const Candle bar = bars.At(i);
    Json row = {{"open_time", FormatTime(bar.open_time)},
                {"open", bar.open},
                {"high", bar.high},
                {"low", bar.low},
                {"close", bar.close},
                {"volume", bar.volume}};
    if (!bars.trade_count.empty()) row["trade_count"] = bar.trade_count;
    if (!bars.vwap.empty()) row["vwap"] = bar.vwap;
    rows.push_back(std::move(row));
  }
  return rows;
}

// The first and the last bars of a series, with a line between where some are left out.
void SayBars(const CandleSeries& bars, int64_t limit, const Invocation& invocation) {
  TextTable table({"open time (UTC)", ">open", ">high", ">low", ">close", ">volume"});
  const auto count = static_cast<int64_t>(bars.size());
  for (int64_t i = 0; i < count; ++i) {
    if (count > limit && i == (limit + 1) / 2) {
      table.AddRow({"..."});
      i = count - limit / 2;
      if (i >= count) break;
    }
    const Candle bar = bars.At(static_cast<size_t>(i));
    table.AddRow({FormatTime(bar.open_time), fmt::format("{}", bar.open),
                  fmt::format("{}", bar.high), fmt::format("{}", bar.low),
                  fmt::format("{}", bar.close), fmt::format("{}", bar.volume)});
  }
  invocation.Say(table.Render());
}

int RunShow(const SelectFlags& flags, Invocation& invocation) {
  const CandleStore store(invocation.home());
  const std::vector<SeriesInfo> chosen = Select(store, flags);
  const auto [from, to] = RangeOf(flags);
  if (flags.bars > 0) {
    Json document = Json::array();
    for (const SeriesInfo& info : chosen) {
      const CandleSeries bars = store.Read(info.key, from, to);
      if (invocation.json) {
        Json entry = ToJson(info);
        entry["rows"] = BarsToJson(bars);
        document.push_back(std::move(entry));
      }
      invocation.Say(ToString(info.key) + ": " + FormatCount(static_cast<int64_t>(bars.size())) +
                     " bars");
      SayBars(bars, flags.bars, invocation);
    }
    invocation.PrintJson(document);
    return 0;
  }
  Json document = Json::array();
  TextTable table({"market", "symbol", "timeframe", "first bar", "last bar", ">bars", ">size"});
  for (const SeriesInfo& info : chosen) {
    document.push_back(ToJson(info));
    table.AddRow({info.key.market, info.key.symbol, info.key.timeframe.name(),
                  FormatTime(info.from), FormatTime(info.to), FormatCount(info.bars),
                  FormatBytes(info.bytes)});
  }
  invocation.PrintJson(document);
  invocation.Say(chosen.empty() ? "the lake at " + invocation.home().lake().string() +
                                      " has no candles yet; try: almanac data import FILES"
                                : table.Render());
  return 0;
}

std::string Count(int64_t value) { return value == 0 ? "-" : FormatCount(value); }

int RunAudit(const SelectFlags& flags, Invocation& invocation) {
  const CandleStore store(invocation.home());
  const std::vector<SeriesInfo> chosen = Select(store, flags);
  const auto [from, to] = RangeOf(flags);
  AuditOptions options;
  if (!flags.calendar.empty()) options.calendar = &CalendarByName(flags.calendar);
  if (!flags.from.empty()) options.from = from;
  if (!flags.to.empty()) options.to = to;

  Json document = Json::array();
  TextTable table({"market", "symbol", "timeframe", ">bars", ">gaps", ">missing", ">duplicates",
                   ">out of order", ">OHLC", ">zero volume", ">bad values", ">jumps", "verdict"});
  std::string gaps;
  for (const SeriesInfo& info : chosen) {
    const SeriesAudit audit = Audit(store.Read(info.key, from, to), options);
    document.push_back(ToJson(audit));
    table.AddRow({info.key.market, info.key.symbol, info.key.timeframe.name(),
                  FormatCount(audit.bars), Count(static_cast<int64_t>(audit.gaps.size())),
                  Count(audit.missing_bars), Count(audit.duplicates.count),
                  Count(audit.out_of_order.count), Count(audit.ohlc_violations.count),
                  Count(audit.zero_volume.count),
                  Count(audit.non_finite.count + audit.negative.count + audit.zero_price.count),
                  Count(audit.jumps.count), audit.IsSound() ? "sound" : "NOT SOUND"});
    for (const Gap& gap : audit.gaps) {
      gaps += fmt::format("  {}  {} to {}  {} missing\n", ToString(info.key), FormatTime(gap.from),
                          FormatTime(gap.to), FormatCount(gap.bars));
    }
  }
  invocation.PrintJson(document);
  invocation.Say(chosen.empty() ? "the lake has no candles yet" : table.Render());
  if (!gaps.empty()) invocation.Say("\ngaps:\n" + gaps.substr(0, gaps.size() - 1));
  return 0;
}

void AddShowAndAudit(CLI::App& data, Invocation& invocation) {
  const auto show = std::make_shared<SelectFlags>();
  CLI::App* command = data.add_subcommand("show", "What the lake holds");
  AddSelection(command, show);
  command->add_option("--bars", show->bars, "Print the bars too, at most so many a series")
      ->check(CLI::Range(1, 1000000));
  command->callback([show, &invocation] {
    invocation.action = [show, &invocation] { return RunShow(*show, invocation); };
  });

  const auto audit = std::make_shared<SelectFlags>();
  command = data.add_subcommand("audit", "Gaps, contradictions and oddities of every series");
  AddSelection(command, audit);
  command->add_option("--calendar", audit->calendar, "24/7 or us-equities (by market)");
  command->callback([audit, &invocation] {
    invocation.action = [audit, &invocation] { return RunAudit(*audit, invocation); };
  });
}

}  // namespace

TimeMs ParseTimeFlag(const std::string& flag, const std::string& text) {
  if (text == "now") return Now();
  const auto time = ParseTime(text);
  if (!time) {
    throw Error(ErrorCode::kUsage, flag, "\"" + text + "\" is not a time",
                "write 2024-01-31, 2024-01-31T12:00:00Z or now");
  }
  return *time;
}

Error NoSuchSeries(const std::vector<SeriesInfo>& all, const std::string& symbol) {
  std::vector<std::string> symbols;
  for (const SeriesInfo& info : all) symbols.push_back(info.key.symbol);
  std::sort(symbols.begin(), symbols.end());
  symbols.erase(std::unique(symbols.begin(), symbols.end()), symbols.end());
  const std::string problem =
      symbol.empty() ? "no series matches" : "no series of " + symbol + " matches";
  if (symbols.empty()) {
    return Error(ErrorCode::kBadData, "lake", problem,
                 "the lake has no candles yet: see almanac data import --help");
  }
  constexpr size_t kListed = 12;
  const bool more = symbols.size() > kListed;
  if (more) symbols.resize(kListed);
  return Error(ErrorCode::kBadData, "lake", problem,
               fmt::format("there are {}{} (almanac data show lists them)",
                           fmt::join(symbols, ", "), more ? ", ..." : ""));
}

void RegisterDataCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* data = app.add_subcommand("data", "Market data: import, backfill, show, audit");
  data->require_subcommand(1);
  AddImport(*data, invocation);
  AddShowAndAudit(*data, invocation);
  AddDownloadCommands(*data, invocation);
}

}  // namespace almanac
