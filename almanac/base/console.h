// stderr, shared by log lines and a status line (the progress bar) that is redrawn in place.
#ifndef ALMANAC_BASE_CONSOLE_H_
#define ALMANAC_BASE_CONSOLE_H_

#include <string_view>

namespace almanac {

// True if stderr is a terminal that can redraw a line.
bool StderrIsTerminal();
// Characters a line on that terminal; 80 if it does not say.
int TerminalWidth();

// Writes one line (its line end is added) above the status line. Safe from any thread.
void PrintErrorLine(std::string_view line);
// Shows `text` in place on the last line; "" takes it away. Only where StderrIsTerminal().
void ShowStatusLine(std::string_view text);

}  // namespace almanac

#endif  // ALMANAC_BASE_CONSOLE_H_
