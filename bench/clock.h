// Clocks of the benches.
#ifndef ALMANAC_BENCH_CLOCK_H_
#define ALMANAC_BENCH_CLOCK_H_

#include <sys/resource.h>

#include <chrono>

namespace almanac::bench {

inline double WallSeconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

// Of all threads of this process, in it and in the kernel.
inline double CpuSeconds() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

}  // namespace almanac::bench

#endif  // ALMANAC_BENCH_CLOCK_H_
