// How a p-value is written in a sentence.
#ifndef ALMANAC_EVALUATE_P_VALUE_H_
#define ALMANAC_EVALUATE_P_VALUE_H_

#include <string>

namespace almanac {

// "p = 0.41", "p = 0.003", "p < 0.001", "p > 0.99"; four digits near 0.05: "p = 0.0496".
std::string FormatPValue(double p);

}  // namespace almanac

#endif  // ALMANAC_EVALUATE_P_VALUE_H_
