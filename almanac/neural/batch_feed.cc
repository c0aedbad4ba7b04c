#include "almanac/neural/batch_feed.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace almanac::neural {
namespace {
constexpr size_t kReadyAtOnce = 4;
}

BatchFeed::BatchFeed(const WindowSource& source, std::vector<size_t> order, size_t size,
                     size_t first)
    : source_(source), order_(std::move(order)), size_(size), first_(first), thread_([this] {
        Gather();
      }) {}

BatchFeed::~BatchFeed() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void BatchFeed::Gather() {
  try {
    for (size_t begin = first_; begin < order_.size(); begin += size_) {
      const size_t rows = std::min(size_, order_.size() - begin);
      Batch batch;
      source_.Gather(std::span(order_).subspan(begin, rows), &batch);
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopped_ || ready_.size() < kReadyAtOnce; });
      if (stopped_) return;
      ready_.push_back(std::move(batch));
      changed_.notify_all();
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  finished_ = true;
  changed_.notify_all();
}

bool BatchFeed::Next(Batch* batch) {
  const auto begin = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return finished_ || !ready_.empty(); });
  waited_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (ready_.empty()) {
    if (failure_) std::rethrow_exception(failure_);
    return false;
  }
  *batch = std::move(ready_.front());
  ready_.pop_front();
  changed_.notify_all();
  return true;
}

}  // namespace almanac::neural
