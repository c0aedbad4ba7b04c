// For the tests of the command line: runs the built program as a process of its own, as a user
// does, and keeps what it printed and how it ended.
#ifndef ALMANAC_CLI_PROGRAM_FOR_TEST_H_
#define ALMANAC_CLI_PROGRAM_FOR_TEST_H_

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/base/test_folder.h"

namespace almanac {

struct ProgramEnd {
  int status = -1;  // exit status; -1 if a signal ended it
  int signal = 0;   // the signal that ended it
  std::string out, err;
  double seconds = 0;

  Json json() const;  // of `out`; a discarded value if it is none
};

// A folder with a home in it, in which the program is run. The program sees the test's environment
// without ALMANAC_*, the vendors' keys and proxies.
class ProgramFolder {
 public:
  const std::filesystem::path& path() const { return folder_.path(); }
  std::filesystem::path home() const { return folder_ / "home"; }

  // A file below the folder; its own folders are made.
  std::filesystem::path Write(const std::string& name, const std::string& content) const;
  void SetEnvironment(const std::string& name, const std::string& value);

  // "--home" is given unless `arguments` have it.
  ProgramEnd Run(const std::vector<std::string>& arguments) const;
  // Starts it; the caller ends it by Wait.
  pid_t Start(const std::vector<std::string>& arguments) const;
  ProgramEnd Wait(pid_t pid) const;
  // Sends `signal` once `due` says so, or after so many seconds, unless it has ended by itself
  // before.
  ProgramEnd RunAndSignal(const std::vector<std::string>& arguments, int signal,
                          const std::function<bool()>& due) const;
  ProgramEnd RunAndSignal(const std::vector<std::string>& arguments, int signal,
                          double after_seconds) const;

  // Files below the home's parts (such as "artifacts"), as relative path -> SHA-256.
  std::map<std::string, std::string> Digests(const std::vector<std::string>& parts) const;
  // Files and folders of the home that only an unfinished write leaves.
  std::vector<std::string> Leftovers() const;

 private:
  TestFolder folder_;
  std::map<std::string, std::string> environment_;
};

// Where real data of the project's neighbours lies; empty where it is absent.
std::filesystem::path SharedDataFolder();

// A small recipe on the simulator that runs in well under a second; line 1 is "name: small".
std::string SmallRecipe();

// A CSV file of `bars` good 30-minute bars from 2024-01-01 on, header in line 1.
std::string GoodCsv(int bars);

}  // namespace almanac

#endif  // ALMANAC_CLI_PROGRAM_FOR_TEST_H_
