#include "almanac/base/parallel.h"

#include <fmt/format.h>
#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "almanac/base/cancel.h"
#include "almanac/base/error.h"

namespace almanac {

namespace tbb = oneapi::tbb;

void ParallelFor(size_t count, const std::function<void(size_t)>& body) {
#if defined(__SANITIZE_THREAD__)
  // The thread sanitizer cannot see how oneTBB's own library, which it did not compile, orders its
  // tasks: it would report every one of them, or, told not to, none. Threads it does see.
  WaitingFor(count, ThreadCount(), body);
#else
  // A failure of a loop would cancel the loops inside its other bodies: they would return as if all
  // their items were done. Bound to nothing, a loop does all of them or throws.
  tbb::task_group_context alone(tbb::task_group_context::isolated);
  tbb::this_task_arena::isolate([&] {
    tbb::parallel_for(
        tbb::blocked_range<size_t>(0, count),
        [&](const tbb::blocked_range<size_t>& items) {
          for (size_t i = items.begin(); i != items.end(); ++i) {
            CheckCancel();
            body(i);
          }
        },
        alone);
  });
#endif
}

void WaitingFor(size_t count, int threads, const std::function<void(size_t)>& body) {
  std::atomic<size_t> next{0};
  std::vector<std::exception_ptr> failures(
      std::min(count, static_cast<size_t>(std::max(threads, 1))));
  const auto work = [&](std::exception_ptr& failure) {
    try {
      for (size_t i = next++; i < count; i = next++) {
        CheckCancel();
        body(i);
      }
    } catch (...) {
      failure = std::current_exception();
      next = count;
    }
  };
  {
    std::vector<std::jthread> workers;
    workers.reserve(failures.size());
    for (std::exception_ptr& failure : failures) workers.emplace_back(work, std::ref(failure));
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

int ThreadCount() {
  return static_cast<int>(
      tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism));
}

void SetThreadCount(int count) {
  if (count < 1) {
    throw Error(ErrorCode::kUsage, "threads", fmt::format("is {}", count), "at least 1 is needed");
  }
  static std::mutex mutex;
  static std::unique_ptr<tbb::global_control> limit;
  const std::lock_guard<std::mutex> hold(mutex);
  // Of several limits the smallest would win: the old one goes first.
  limit.reset();
  limit = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism,
                                                static_cast<size_t>(count));
}

}  // namespace almanac
