// almanac data backfill | collect | ddl.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/text.h"
#include "almanac/cli/data_commands.h"
#include "almanac/cli/recipe_flags.h"
#include "almanac/lake/ddl.h"
#include "almanac/source/backfill.h"
#include "almanac/source/collect.h"

namespace almanac {
namespace {

struct BackfillFlags {
  std::string source, timeframe, from, to = "now", market, base_url, feed, adjustment;
  std::vector<std::string> symbols;
  int requests_per_minute = 0;
  int concurrency = 4;
  int attempts = 0;
  uint64_t seed = 1;
  bool refresh = false;
};

SourceOptions ToSourceOptions(const BackfillFlags& flags, const Home& home) {
  SourceOptions options;
  options.home = home.root;
  if (!flags.base_url.empty()) options.base_url = flags.base_url;
  if (!flags.feed.empty()) options.feed = flags.feed;
  if (!flags.adjustment.empty()) options.adjustment = flags.adjustment;
  if (flags.requests_per_minute > 0) options.requests_per_minute = flags.requests_per_minute;
  if (flags.attempts > 0) options.retry.attempts = flags.attempts;
  options.simulator.seed = flags.seed;
  return options;
}

void SayOutcomes(const BackfillReport& report, const Invocation& invocation) {
  TextTable table({"market", "symbol", "timeframe", ">received", ">added", ">replaced", "outcome"});
  for (const BackfillOutcome& outcome : report.outcomes) {
    table.AddRow({outcome.key.market, outcome.key.symbol, outcome.key.timeframe.name(),
                  FormatCount(outcome.received), FormatCount(outcome.stats.added),
                  FormatCount(outcome.stats.replaced),
                  outcome.error        ? "failed"
                  : outcome.up_to_date ? "was up to date"
                  : outcome.readjusted ? "downloaded anew: past prices were adjusted"
                                       : "done"});
  }
  invocation.Say(table.Render());
  for (const BackfillOutcome& outcome : report.outcomes) {
    if (outcome.error) invocation.Warn(outcome.error->what());
  }
}

int RunBackfill(const BackfillFlags& flags, Invocation& invocation) {
  const Home home = invocation.home();
  BackfillRequest request;
  request.symbols = flags.symbols;
  request.timeframe = Timeframe::Parse(flags.timeframe);
  request.from = ParseTimeFlag("--from", flags.from);
  request.to = ParseTimeFlag("--to", flags.to);
  request.market = flags.market;
  request.refresh = flags.refresh;
  request.concurrency = flags.concurrency;
  const auto source = MakeCandleSource(flags.source, ToSourceOptions(flags, home));
  CandleStore store(home);
  const BackfillReport report = Backfill(*source, store, home, request, invocation.progress());
  invocation.PrintJson(ToJson(report));
  SayOutcomes(report, invocation);
  return report.exit_status();
}

void AddBackfill(CLI::App& data, Invocation& invocation) {
  const auto flags = std::make_shared<BackfillFlags>();
  CLI::App* command =
      data.add_subcommand("backfill", "Download bars; asks only for what was never answered");
  command
      ->add_option("SOURCE", flags->source,
                   fmt::format("One of {}", fmt::join(CandleSourceNames(), ", ")))
      ->required();
  command->add_option("SYMBOLS", flags->symbols, "As the source writes them")->required();
  command->add_option("--timeframe", flags->timeframe, "Length of a bar: 1m ... 1w")->required();
  command->add_option("--from", flags->from, "First time (ISO 8601, UTC)")->required();
  command->add_option("--to", flags->to, "Before this time")->capture_default_str();
  command->add_option("--market", flags->market, "Name in the lake (the source's own)");
  command->add_option("--base-url", flags->base_url, "Another host of the same service");
  command->add_option("--feed", flags->feed, "Alpaca: iex or sip");
  command->add_option("--adjustment", flags->adjustment, "Alpaca, Polygon: split, raw, ...");
  command->add_option("--requests-per-minute", flags->requests_per_minute, "Your plan's limit")
      ->check(CLI::Range(1, 1000000));
  command->add_option("--concurrency", flags->concurrency, "Requests in flight at once")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_option("--attempts", flags->attempts, "Tries of a request that fails (6)")
      ->check(CLI::Range(1, 100));
  command->add_option("--seed", flags->seed, "Simulator: which market");
  command->add_flag("--refresh", flags->refresh, "Ask again for what was answered before");
  command->callback([flags, &invocation] {
    invocation.action = [flags, &invocation] { return RunBackfill(*flags, invocation); };
  });
}

int RunCollect(const RecipeFlags& flags, Invocation& invocation) {
  const Home home = invocation.home();
  const ConfigDocument document = ConfigDocument::Load(flags.file, ToConfigOptions(flags));
  const std::vector<CollectEntry> entries = ReadCollectConfig(document.root());
  SourceOptions options;
  options.home = home.root;
  CandleStore store(home);
  const CollectReport report = Collect(entries, options, store, home, invocation.progress());
  invocation.PrintJson(ToJson(report));
  for (const CollectReport::Part& part : report.parts) {
    if (part.error) {
      invocation.Warn(part.place + ": " + part.error->what());
    } else {
      SayOutcomes(part.backfill, invocation);
    }
  }
  return report.exit_status();
}

void AddCollect(CLI::App& data, Invocation& invocation) {
  const auto flags = std::make_shared<RecipeFlags>();
  CLI::App* command =
      data.add_subcommand("collect", "Bring every series of a recipe's `collect` list up to now");
  AddRecipeFlags(*command, *flags);
  command->callback([flags, &invocation] {
    invocation.action = [flags, &invocation] { return RunCollect(*flags, invocation); };
  });
}

void AddDdl(CLI::App& data, Invocation& invocation) {
  struct DdlFlags {
    bool athena = false;
    std::string location = "s3://BUCKET/PREFIX/lake";
  };
  const auto flags = std::make_shared<DdlFlags>();
  CLI::App* command =
      data.add_subcommand("ddl", "Table definitions for engines that read the lake");
  command->add_flag("--athena", flags->athena, "For Amazon Athena")->required();
  command->add_option("--location", flags->location, "Where the lake lies in S3")
      ->capture_default_str();
  command->callback([flags, &invocation] {
    invocation.action = [flags, &invocation] {
      const std::string ddl = AthenaDdl(flags->location);
      invocation.PrintJson({{"athena", ddl}});
      invocation.Say(ddl);
      return 0;
    };
  });
}

}  // namespace

void AddDownloadCommands(CLI::App& data, Invocation& invocation) {
  AddBackfill(data, invocation);
  AddCollect(data, invocation);
  AddDdl(data, invocation);
}

}  // namespace almanac
