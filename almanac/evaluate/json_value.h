// Numbers in JSON: what is not finite has no JSON number and becomes null.
#ifndef ALMANAC_EVALUATE_JSON_VALUE_H_
#define ALMANAC_EVALUATE_JSON_VALUE_H_

#include "almanac/base/json.h"

namespace almanac {

Json NumberOrNull(double value);

}  // namespace almanac

#endif  // ALMANAC_EVALUATE_JSON_VALUE_H_
