// Memory that is written whole as soon as it is had: in large pages the system hands it out in a
// few pieces instead of thousands, which for an account's curves is more than half of the time that
// a simulation takes. Inside this room.
#ifndef ALMANAC_BACKTEST_LARGE_PAGES_H_
#define ALMANAC_BACKTEST_LARGE_PAGES_H_

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>

namespace almanac {

// Reserves `count` items, where they are many in large pages if the system has any: a hint, whose
// refusal changes nothing.
template <typename Vector>
void ReserveLarge(Vector& vector, size_t count) {
  constexpr size_t kLarge = size_t{1} << 21, kSmall = 4096;
  vector.reserve(count);
  const size_t bytes = count * sizeof(typename Vector::value_type);
  if (bytes < kLarge) return;
#ifdef MADV_HUGEPAGE
  const auto begin = reinterpret_cast<uintptr_t>(vector.data());
  const uintptr_t first = (begin + kSmall - 1) / kSmall * kSmall;
  const size_t length = (begin + bytes - first) / kSmall * kSmall;
  static_cast<void>(madvise(reinterpret_cast<void*>(first), length, MADV_HUGEPAGE));
#endif
}

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_LARGE_PAGES_H_
