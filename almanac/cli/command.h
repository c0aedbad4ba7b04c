// What the commands of the program share: the global flags, and how a command is registered.
#ifndef ALMANAC_CLI_COMMAND_H_
#define ALMANAC_CLI_COMMAND_H_

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/home.h"
#include "almanac/base/json.h"
#include "almanac/base/progress.h"

namespace CLI {
class App;
}

namespace almanac {

// What one call of the program works with. Commands print through this alone: results to stdout,
// progress and messages to stderr.
class Invocation {
 public:
  std::filesystem::path home_flag;
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  int threads = 0;  // 0: one a core

  bool uses_home = true;  // false: the command leaves no trace there, not even a log

  // Set by the subcommand that was named; run once the flags are read. Returns the exit status.
  std::function<int()> action;

  Home home() const { return ResolveHome(home_flag); }
  Progress& progress();
  // A line of the result; not printed in --json and --quiet.
  void Say(std::string_view line) const;
  // The result of --json, printed as one document.
  void PrintJson(const Json& document) const;
  // To stderr unless --quiet.
  void Warn(std::string_view line) const;

 private:
  std::unique_ptr<Progress> progress_;
};

// Each adds its commands to the program.
void RegisterRunCommand(CLI::App& app, Invocation& invocation);
void RegisterDataCommands(CLI::App& app, Invocation& invocation);
void RegisterFeatureCommands(CLI::App& app, Invocation& invocation);
void RegisterModelCommands(CLI::App& app, Invocation& invocation);
void RegisterGbdtCommand(CLI::App& app, Invocation& invocation);
void RegisterNetworkCommands(CLI::App& app, Invocation& invocation);
void RegisterEvaluateCommand(CLI::App& app, Invocation& invocation);
void RegisterBacktestCommand(CLI::App& app, Invocation& invocation);
void RegisterDoctorCommand(CLI::App& app, Invocation& invocation);

// A table of left-aligned text and right-aligned numbers, as wide as its cells.
class TextTable {
 public:
  // A heading that begins with '>' is right-aligned.
  explicit TextTable(std::vector<std::string> headings);
  void AddRow(std::vector<std::string> cells);
  std::string Render() const;

 private:
  std::vector<std::string> headings_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

// The whole program: reads `arguments` (without the program's name), runs the command, prints
// errors, returns the exit status.
int RunProgram(const std::vector<std::string>& arguments);

}  // namespace almanac

#endif  // ALMANAC_CLI_COMMAND_H_
