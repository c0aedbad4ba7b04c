// Ehlers' dominant cycle of a price by a Hilbert transform, and what is made of it, as TA-Lib
// starts and smooths them (Ehlers 2001, Rocket Science for Traders). Inside this room.
#ifndef ALMANAC_FEATURE_FAMILY_TECHNICAL_HILBERT_H_
#define ALMANAC_FEATURE_FAMILY_TECHNICAL_HILBERT_H_

#include "almanac/feature/family/technical.h"

namespace almanac::technical {

// Bars that a value needs: of the cycle's period and phasor, and of what is measured with it.
inline constexpr int64_t kCycleLookBack = 33, kPhaseLookBack = 64;

// The smoothed price, the components of its phasor, and the length of its cycle in bars.
struct Cycle {
  Signal smooth, in_phase, quadrature, period;
};
// Its filters begin, from zeros, after `before` values.
Cycle DominantCycle(KernelGraph& graph, const Signal& price, int64_t before);

// The MESA adaptive average and the one that follows it; limits of their weights in percent.
Signals<2> Mesa(KernelGraph& graph, const Signal& price, int64_t fast, int64_t slow);

}  // namespace almanac::technical

#endif  // ALMANAC_FEATURE_FAMILY_TECHNICAL_HILBERT_H_
