// An order of tasks that a library keeps and the thread sanitizer cannot see.
#ifndef ALMANAC_BASE_TASK_ORDER_H_
#define ALMANAC_BASE_TASK_ORDER_H_

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace almanac {

// While one exists, this thread is the only one that has to do with `object`, because a library
// that was not compiled with the sanitizer (oneTBB) hands it from task to task: what the holder
// before did comes first. Only for what the library does promise. Nothing in other builds.
class TaskOrder {
 public:
#if defined(__SANITIZE_THREAD__)
  explicit TaskOrder(const void* object) : object_(const_cast<void*>(object)) {
    __tsan_acquire(object_);
  }
  ~TaskOrder() { __tsan_release(object_); }
#else
  explicit TaskOrder(const void* /*object*/) {}
  ~TaskOrder() {}  // not trivial, or a holder that nobody reads would be an unused variable
#endif
  TaskOrder(const TaskOrder&) = delete;
  TaskOrder& operator=(const TaskOrder&) = delete;

 private:
#if defined(__SANITIZE_THREAD__)
  void* object_;
#endif
};

}  // namespace almanac

#endif  // ALMANAC_BASE_TASK_ORDER_H_
