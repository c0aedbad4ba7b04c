// Batches of windows, gathered by a background thread while the network works on the one before, so
// that it need not wait for data.
#ifndef ALMANAC_NEURAL_BATCH_FEED_H_
#define ALMANAC_NEURAL_BATCH_FEED_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "almanac/neural/window_source.h"

namespace almanac::neural {

class BatchFeed {
 public:
  // Hands out `order` (numbers of windows) in batches of `size`, from place `first` of it on; the
  // last batch may be smaller. `source` must outlive this.
  BatchFeed(const WindowSource& source, std::vector<size_t> order, size_t size, size_t first = 0);
  ~BatchFeed();
  BatchFeed(const BatchFeed&) = delete;
  BatchFeed& operator=(const BatchFeed&) = delete;

  // False after the last. Throws what gathering threw.
  bool Next(Batch* batch);
  double waited_seconds() const { return waited_; }  // inside Next

 private:
  void Gather();

  const WindowSource& source_;
  std::vector<size_t> order_;
  size_t size_, first_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> ready_;
  std::exception_ptr failure_;
  bool finished_ = false, stopped_ = false;
  double waited_ = 0;
  std::thread thread_;
};

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_BATCH_FEED_H_
