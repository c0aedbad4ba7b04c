// Parallel loops over oneTBB. They nest without more threads than ThreadCount().
#ifndef ALMANAC_BASE_PARALLEL_H_
#define ALMANAC_BASE_PARALLEL_H_

#include <cstddef>
#include <functional>

namespace almanac {

// Calls body(i) once for every i in [0, count), in any order, on several threads; returns when all
// are done. For results that do not depend on the number of threads, body(i) writes to place i of
// an output and sums are made afterwards, in order.
//
// An exception from a body ends the loop (items not yet begun are left out) and is thrown again
// here; if several bodies throw, one of theirs. Bodies under way go on to their end, and a loop
// inside one of them does all its items: a loop that returns has done them all. Between items a
// stop is honoured: Error(kInterrupted). While waiting for a loop, a thread works on that loop
// alone, so a lock held around it cannot be asked for again by the same thread.
void ParallelFor(size_t count, const std::function<void(size_t)>& body);

// The same for bodies that mostly wait (for a disk, a server): on `threads` threads of its own, at
// least 1, however many ThreadCount() says.
void WaitingFor(size_t count, int threads, const std::function<void(size_t)>& body);

// How many threads ParallelFor may use, the calling one included. At first, as many as this process
// may run on.
int ThreadCount();
// For the whole process, from now on; at least 1 (Error(kUsage) otherwise). Not while a loop runs.
void SetThreadCount(int count);

}  // namespace almanac

#endif  // ALMANAC_BASE_PARALLEL_H_
