// Loops over rows, block by block on several threads. Inside this room.
#ifndef ALMANAC_GBDT_ROW_BLOCKS_H_
#define ALMANAC_GBDT_ROW_BLOCKS_H_

#include <algorithm>
#include <cstddef>

#include "almanac/base/parallel.h"

namespace almanac::gbdt {

inline constexpr size_t kRowsOfBlock = 8192;

// Calls body(begin, end) for blocks of [0, rows).
template <typename Body>
void ForRowBlocks(size_t rows, const Body& body) {
  ParallelFor((rows + kRowsOfBlock - 1) / kRowsOfBlock, [&](size_t block) {
    const size_t begin = block * kRowsOfBlock;
    body(begin, std::min(rows, begin + kRowsOfBlock));
  });
}

// Calls body(i) for every i in [0, rows).
template <typename Body>
void ForRows(size_t rows, const Body& body) {
  ForRowBlocks(rows, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) body(i);
  });
}

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_ROW_BLOCKS_H_
