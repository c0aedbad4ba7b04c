// The JSON type of the project: keys keep the order in which they were set, so that what we write
// is the same bytes every time. Include this in headers, <nlohmann/json.hpp> where it is used.
#ifndef ALMANAC_BASE_JSON_H_
#define ALMANAC_BASE_JSON_H_

#include <nlohmann/json_fwd.hpp>

namespace almanac {

using Json = nlohmann::ordered_json;

}  // namespace almanac

#endif  // ALMANAC_BASE_JSON_H_
