// An order of tasks that a library keeps and the thread sanitizer cannot see.
#ifndef ALMANAC_BASE_TASK_ORDER_H_
#define ALMANAC_BASE_TASK_ORDER_H_

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace almanac {

#if defined(__SANITIZE_THREAD__)
inline void SeeBefore(const void* object) { __tsan_acquire(const_cast<void*>(object)); }
inline void SeeAfter(const void* object) { __tsan_release(const_cast<void*>(object)); }
#else
inline void SeeBefore(const void* /*object*/) {}
inline void SeeAfter(const void* /*object*/) {}
#endif

// While one exists, this thread is the only one that has to do with `object`, because a library
// that was not compiled with the sanitizer (oneTBB) hands it from task to task: what the holder
// before did comes first. Only for what the library does promise. Nothing in other builds.
class TaskOrder {
 public:
  explicit TaskOrder(const void* object) : object_(object) { SeeBefore(object_); }
  ~TaskOrder() { SeeAfter(object_); }
  TaskOrder(const TaskOrder&) = delete;
  TaskOrder& operator=(const TaskOrder&) = delete;

 private:
  const void* object_;
};

// Around the call that runs such tasks: what was done to `object` before it comes before them, and
// when it ends, be it by an exception, they are done.
class TasksWithin {
 public:
  explicit TasksWithin(const void* object) : object_(object) { SeeAfter(object_); }
  ~TasksWithin() { SeeBefore(object_); }
  TasksWithin(const TasksWithin&) = delete;
  TasksWithin& operator=(const TasksWithin&) = delete;

 private:
  const void* object_;
};

}  // namespace almanac

#endif  // ALMANAC_BASE_TASK_ORDER_H_
