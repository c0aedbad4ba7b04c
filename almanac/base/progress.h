// Progress of long work. Rooms below cli report to this interface and never print.
#ifndef ALMANAC_BASE_PROGRESS_H_
#define ALMANAC_BASE_PROGRESS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace almanac {

class Progress {
 public:
  virtual ~Progress() = default;
  // A new step begins: its name and how many units it has (0: not known). Ends the step before.
  virtual void Begin(std::string_view step, int64_t total) = 0;
  // Units done so far; may be called from several threads.
  virtual void Advance(int64_t units) = 0;
  // What the step is doing now, such as the symbol at hand; shown beside the bar on a terminal.
  virtual void Note(std::string_view text) = 0;
  // The step is done; `result` is one short line, such as "87,602 bars".
  virtual void End(std::string_view result) = 0;
};

// Says nothing.
Progress& NoProgress();

// A bar redrawn in place with rate and time left where stderr is a terminal, otherwise a line at
// the end of each step, and the latest note every ten seconds. `quiet`: says nothing.
std::unique_ptr<Progress> MakeConsoleProgress(bool quiet);

// What a console progress writes to; tests and other front ends give their own.
struct ProgressOutput {
  bool bar = false;                                   // false: only whole lines
  std::function<void(std::string_view)> print_line;   // a whole line, without its line end
  std::function<void(std::string_view)> show_status;  // replaces the text in place; "": none
  std::function<int64_t()> now_ms;                    // a clock that never goes back
  std::function<int()> width = [] { return 80; };     // of the terminal, in characters
};
std::unique_ptr<Progress> MakeProgress(ProgressOutput output);

}  // namespace almanac

#endif  // ALMANAC_BASE_PROGRESS_H_
