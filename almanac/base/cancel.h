// Cancellation: Ctrl-C (or SIGTERM) sets a flag, long work looks at it between steps and stops
// cleanly with Error(kInterrupted). A second signal ends the process at once.
#ifndef ALMANAC_BASE_CANCEL_H_
#define ALMANAC_BASE_CANCEL_H_

#include "almanac/base/time.h"

namespace almanac {

// Called once by the program's main.
void InstallCancelHandlers();

// Asks for a stop, as a signal would. Safe from any thread and from a signal handler.
void RequestCancel();
bool CancelRequested();
// For tests.
void ResetCancel();

// Throws Error(kInterrupted) if a stop was asked for.
void CheckCancel();

// Sleeps, but returns by throwing Error(kInterrupted) soon after a stop was asked for.
void SleepOrCancel(DurationMs duration);

}  // namespace almanac

#endif  // ALMANAC_BASE_CANCEL_H_
