// The top of the command line: global flags, dispatch, errors and exit statuses.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "almanac/base/config.h"
#include "almanac/base/error.h"
#include "almanac/base/log.h"
#include "almanac/base/parallel.h"
#include "almanac/base/secret.h"
#include "almanac/cli/command.h"
#include "almanac/pipeline/code_version.h"

namespace almanac {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kWrongUse = 2;

void PrintError(const Invocation& invocation, const Error& error) {
  if (invocation.json) {
    const Json document = {{"error",
                            {{"status", error.exit_status()},
                             {"where", Redact(error.where())},
                             {"problem", Redact(error.problem())},
                             {"remedy", Redact(error.remedy())}}}};
    fmt::print(stderr, "{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
  } else {
    // The place of a usage error is the command itself, which begins with the program's name.
    const bool named = error.where().rfind("almanac", 0) == 0;
    fmt::print(stderr, "{}{}\n", named ? "" : "almanac: ", Redact(error.what()));
  }
}

// The subcommands that could have been meant at the level where parsing stopped.
const CLI::App* DeepestParsed(const CLI::App* app) {
  for (const CLI::App* sub : app->get_subcommands()) return DeepestParsed(sub);
  return app;
}

std::string CommandPath(const CLI::App* app) {
  return app->get_parent() == nullptr ? app->get_name()
                                      : CommandPath(app->get_parent()) + " " + app->get_name();
}

std::vector<std::string> KnownWords(const CLI::App* level, bool options) {
  std::vector<std::string> words;
  if (options) {
    for (; level != nullptr; level = level->get_parent()) {
      for (const CLI::Option* option : level->get_options()) {
        for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
      }
    }
  } else {
    for (const CLI::App* sub : level->get_subcommands([](const CLI::App*) { return true; })) {
      words.push_back(sub->get_name());
    }
  }
  return words;
}

// CLI11 says "The following argument was not expected: x"; we also say what was near.
Error UsageError(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* level = DeepestParsed(&app);
  const std::string place = CommandPath(level);
  const std::string remedy = "see " + place + " --help";
  std::vector<std::string> left = level->remaining();
  if (left.empty()) left = app.remaining(/*recurse=*/true);
  // A command that is missing because the word in its place is none is reported as that word.
  const bool has_commands = !KnownWords(level, /*options=*/false).empty();
  const bool extra = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  const bool required = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  if (required && has_commands && left.empty()) {
    return Error(
        ErrorCode::kUsage, place, "needs a command",
        fmt::format("the commands are {}", fmt::join(KnownWords(level, /*options=*/false), ", ")));
  }
  const auto option = std::find_if(left.begin(), left.end(),
                                   [](const std::string& text) { return text.rfind('-', 0) == 0; });
  // So is a misspelt option, which may be why something else is missing.
  if (required && option != left.end()) {
    std::iter_swap(left.begin(), option);
  } else if (!extra && !(required && has_commands)) {
    return Error(ErrorCode::kUsage, place, error.what(), remedy);
  }
  const std::string word = left.empty() ? "" : left.front().substr(0, left.front().find('='));
  const bool is_option = word.rfind('-', 0) == 0;
  const std::vector<std::string> known = KnownWords(level, is_option);
  std::string problem = fmt::format("\"{}\" is not {}", word,
                                    is_option       ? "an option here"
                                    : known.empty() ? "expected here"
                                                    : "a command");
  if (const auto near = NearestWord(word, known)) {
    return Error(ErrorCode::kUsage, place, problem, "did you mean \"" + *near + "\"?");
  }
  if (!is_option && !known.empty()) {
    return Error(ErrorCode::kUsage, place, problem,
                 fmt::format("the commands are {}", fmt::join(known, ", ")));
  }
  return Error(ErrorCode::kUsage, place, problem, remedy);
}

void AddGlobalFlags(CLI::App& app, Invocation& invocation) {
  app.add_option("--home", invocation.home_flag,
                 "Folder for data, artifacts and state ($ALMANAC_HOME, else .almanac)")
      ->type_name("DIR");
  app.add_flag("--json", invocation.json, "Print the result as JSON");
  app.add_flag("--quiet,-q", invocation.quiet, "Print errors only");
  app.add_flag("--verbose,-v", invocation.verbose, "Log what is done to stderr");
  app.add_option("--threads", invocation.threads, "Threads to use (0: one a core)")
      ->check(CLI::Range(0, 4096))
      ->type_name("N");
}

// Flags such as --json may stand before or after the command they belong to.
void LetGlobalFlagsFollow(CLI::App& app) {
  for (CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    sub->fallthrough();
    LetGlobalFlagsFollow(*sub);
  }
}

// Found out before anything is opened, so that the error names the folder that cannot be.
void CheckHome(const Home& home) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  fs::path place = home.root;
  while (!fs::exists(place, ignored) && place.has_parent_path() && place != place.parent_path()) {
    place = place.parent_path();
  }
  if (fs::is_directory(place, ignored)) return;
  throw Error(ErrorCode::kUsage, "--home " + home.root.string(),
              place.string() + " is not a folder",
              "name a folder, or a place where one can be made");
}

int RunAction(Invocation& invocation) {
  if (invocation.threads > 0) SetThreadCount(invocation.threads);
  if (!invocation.uses_home) return invocation.action();
  CheckHome(invocation.home());
  ConfigureLog(invocation.verbose ? LogLevel::kDebug
               : invocation.quiet ? LogLevel::kError
                                  : LogLevel::kWarning,
               invocation.home().logs() / "almanac.jsonl");
  return invocation.action();
}

}  // namespace

int RunProgram(const std::vector<std::string>& arguments) {
  Invocation invocation;
  CLI::App app("Forecasts markets: collects data, trains models, proves which are worth anything.",
               "almanac");
  app.set_version_flag("--version", [] { return "almanac " + ProgramVersion(); });
  app.set_help_flag("--help,-h", "Print this help and exit");
  app.require_subcommand(0, 1);
  AddGlobalFlags(app, invocation);
  RegisterRunCommand(app, invocation);
  RegisterDataCommands(app, invocation);
  RegisterFeatureCommands(app, invocation);
  RegisterModelCommands(app, invocation);
  RegisterGbdtCommand(app, invocation);
  RegisterNetworkCommands(app, invocation);
  RegisterEvaluateCommand(app, invocation);
  RegisterBacktestCommand(app, invocation);
  RegisterDoctorCommand(app, invocation);
  LetGlobalFlagsFollow(app);
  try {
    // CLI11 takes the arguments in reverse order.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    if (!invocation.action) {
      fmt::print("{}", app.help());
      return arguments.empty() ? kWrongUse : kDone;
    }
    return RunAction(invocation);
  } catch (const CLI::Success& request) {  // --help, --version
    return app.exit(request);
  } catch (const CLI::ParseError& error) {
    PrintError(invocation, UsageError(app, error));
    return kWrongUse;
  } catch (const Error& error) {
    PrintError(invocation, error);
    return error.exit_status();
  } catch (const std::exception& error) {
    PrintError(invocation, Error(ErrorCode::kFailed, "internal error", error.what(),
                                 "this is a fault in almanac; please report it"));
    return kFailed;
  }
}

}  // namespace almanac
