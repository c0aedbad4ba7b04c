// What a Temporal Fusion Transformer looked at, as numbers for people.
#ifndef ALMANAC_NEURAL_IMPORTANCE_H_
#define ALMANAC_NEURAL_IMPORTANCE_H_

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/neural/network.h"
#include "almanac/neural/window_source.h"

namespace almanac::neural {

// {"past": {feature: share}, "future": {known input: share}, "attention": [[share of each step, the
// oldest first, then the horizons] of each horizon]}: means over at most a few hundred windows,
// evenly chosen. Shares of one kind add up to 1.
Json ImportanceOf(Network& network, const WindowSource& source, at::Device device,
                  const std::vector<std::string>& features);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_IMPORTANCE_H_
