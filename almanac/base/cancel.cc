#include "almanac/base/cancel.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "almanac/base/error.h"

namespace almanac {
namespace {

std::atomic<bool> cancel_requested{false};
std::atomic<int> signals_seen{0};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free,
              "a signal handler may touch lock-free atomics only");

void OnSignal(int) {
  if (signals_seen.fetch_add(1) > 0) _exit(static_cast<int>(ErrorCode::kInterrupted));
  RequestCancel();
}

void Install(int signal_number) {
  struct sigaction old {};
  sigaction(signal_number, nullptr, &old);
  // Whoever started this process with the signal ignored (nohup, a shell's background job) meant
  // it.
  if (old.sa_handler == SIG_IGN) return;
  struct sigaction action {};
  action.sa_handler = &OnSignal;
  // Libraries that do not expect EINTR keep working; long work looks at the flag anyway.
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(signal_number, &action, nullptr);
}

}  // namespace

void InstallCancelHandlers() {
  Install(SIGINT);
  Install(SIGTERM);
}

void RequestCancel() { cancel_requested.store(true); }

bool CancelRequested() { return cancel_requested.load(); }

void ResetCancel() {
  cancel_requested.store(false);
  signals_seen.store(0);
}

void CheckCancel() {
  if (CancelRequested()) throw Error(ErrorCode::kInterrupted, "", "interrupted");
}

void SleepOrCancel(DurationMs duration) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kLookEvery(20);
  // A day at most at a time: the clock's own range would overflow on kMaxTime.
  DurationMs left = duration;
  while (left > 0) {
    const DurationMs part = std::min(left, kMsPerDay);
    left -= part;
    const Clock::time_point end = Clock::now() + std::chrono::milliseconds(part);
    for (Clock::time_point now = Clock::now(); now < end; now = Clock::now()) {
      CheckCancel();
      std::this_thread::sleep_for(std::min<Clock::duration>(kLookEvery, end - now));
    }
  }
  CheckCancel();
}

}  // namespace almanac
