// Contestants that take turns: each is a process of its own, so that memory and threads are its
// own, and waits between its steps. What disturbs the machine for a while then disturbs all of
// them, not the one that happens to run.
#ifndef ALMANAC_BENCH_TURNS_H_
#define ALMANAC_BENCH_TURNS_H_

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <thread>

#include "clock.h"

namespace almanac::bench {

struct Time {
  double wall = 0, cpu = 0;
};

inline Time operator*(Time time, double factor) { return {time.wall * factor, time.cpu * factor}; }
inline Time operator+(Time a, Time b) { return {a.wall + b.wall, a.cpu + b.cpu}; }
inline Time operator-(Time a, Time b) { return {a.wall - b.wall, a.cpu - b.cpu}; }

inline Time Now() { return {WallSeconds(), CpuSeconds()}; }

// The contestant's side.
class Turns {
 public:
  Turns(int from, int to) : from_(from), to_(to) { WaitForTurn(); }

  // A step is done: its time since the last, or the start, goes to the parent. Comes back with the
  // next turn.
  void Done() {
    const Time took = Now() - begun_;
    Send(took);
    WaitForTurn();
  }
  template <typename Value>
  void Send(const Value& value) const {
    if (write(to_, &value, sizeof(value)) != sizeof(value)) _exit(1);
  }

 private:
  void WaitForTurn() {
    char go = 0;
    if (read(from_, &go, 1) != 1) _exit(1);
    begun_ = Now();
  }

  int from_, to_;
  Time begun_;
};

// The parent's side. `Report` is what the contestant returns at its end, a plain structure.
template <typename Report>
class Contestant {
 public:
  explicit Contestant(const std::function<Report(Turns&)>& run)
      : Contestant([&](int from, int to) { Play(run, from, to); }) {}
  // Plays in another program, to which it gives the ends of the pipes: there Play is to be called.
  explicit Contestant(const std::function<void(int from, int to)>& play) {
    int down[2], up[2];
    if (pipe(down) != 0 || pipe(up) != 0) throw std::runtime_error("no pipe");
    std::fflush(stdout);
    child_ = fork();
    if (child_ == 0) {
      close(down[1]);
      close(up[0]);
      play(down[0], up[1]);
      _exit(1);
    }
    close(down[0]);
    close(up[1]);
    to_ = down[1];
    from_ = up[0];
  }
  Contestant(Contestant&& other) noexcept
      : child_(other.child_), to_(other.to_), from_(other.from_) {
    other.child_ = 0;
  }
  Contestant(const Contestant&) = delete;
  Contestant& operator=(const Contestant&) = delete;
  Contestant& operator=(Contestant&&) = delete;
  ~Contestant() {
    if (child_ <= 0) return;
    close(to_);
    close(from_);
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }

  // The time of its next step; nothing if it failed.
  std::optional<Time> Step() const {
    Begin();
    return End();
  }
  // The two halves of a step.
  void Begin() const {
    // Threads of the one before may still spin.
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const char go = 1;
    static_cast<void>(write(to_, &go, 1));  // of one that failed End says so
  }
  std::optional<Time> End() const { return Read<Time>(); }
  // What it returned, after its last step.
  std::optional<Report> Finish() const {
    Begin();
    return Read<Report>();
  }

  // The contestant itself.
  [[noreturn]] static void Play(const std::function<Report(Turns&)>& run, int from, int to) {
    try {
      Turns turns(from, to);
      turns.Send(run(turns));
      _exit(0);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "  %s\n", error.what());
      _exit(1);
    }
  }

 private:
  template <typename Value>
  std::optional<Value> Read() const {
    Value value;
    if (read(from_, &value, sizeof(value)) != sizeof(value)) return std::nullopt;
    return value;
  }

  pid_t child_ = 0;
  int to_ = -1, from_ = -1;
};

}  // namespace almanac::bench

#endif  // ALMANAC_BENCH_TURNS_H_
