// Moving averages of any series, by TA-Lib's numbers for their kinds. Inside this room.
#ifndef ALMANAC_FEATURE_FAMILY_TECHNICAL_MOVING_H_
#define ALMANAC_FEATURE_FAMILY_TECHNICAL_MOVING_H_

#include "almanac/feature/family/technical.h"

namespace almanac::technical {

// `signal` without its first `bars` known values.
Signal Skip(KernelGraph& graph, const Signal& signal, int64_t bars);

Signal Wma(KernelGraph& graph, const Signal& signal, int64_t window);
Signal Dema(KernelGraph& graph, const Signal& signal, int64_t window);
Signal Tema(KernelGraph& graph, const Signal& signal, int64_t window);
Signal Trima(KernelGraph& graph, const Signal& signal, int64_t window);
Signal Kama(KernelGraph& graph, const Signal& signal, int64_t window);
// Tillson's, with `factor` in percent.
Signal T3(KernelGraph& graph, const Signal& signal, int64_t window, int64_t factor);

// 0 SMA, 1 EMA, 2 WMA, 3 DEMA, 4 TEMA, 5 TRIMA, 6 KAMA, 7 MAMA (whatever the window is, with limits
// of 50 and 5 percent), 8 T3 (factor 70).
inline constexpr int64_t kLastKind = 8;
Signal MovingAverage(KernelGraph& graph, const Signal& signal, int64_t kind, int64_t window);
// Known values of its input that the average needs, the last included.
int64_t MovingAverageLookBack(int64_t kind, int64_t window);

}  // namespace almanac::technical

#endif  // ALMANAC_FEATURE_FAMILY_TECHNICAL_MOVING_H_
