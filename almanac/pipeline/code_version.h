// Which code made an artifact: a digest of the sources of the rooms that took part, so that an
// artifact is made again exactly when code that could change it has changed.
#ifndef ALMANAC_PIPELINE_CODE_VERSION_H_
#define ALMANAC_PIPELINE_CODE_VERSION_H_

#include <string>
#include <string_view>
#include <vector>

namespace almanac {

struct RoomDigest {
  std::string_view room;
  std::string_view sha256;  // of the names and contents of its sources, tests left out
};

// Every room that is built in. (Its definition is generated when the program is built.)
const std::vector<RoomDigest>& RoomDigests();

// A digest over the given rooms, 16 hexadecimal digits. Throws Error(kFailed) for an unknown room.
std::string CodeVersionOf(const std::vector<std::string_view>& rooms);

// The released version and the digest over all rooms, such as "0.1.0+1f3a90c2b7d4".
std::string ProgramVersion();

}  // namespace almanac

#endif  // ALMANAC_PIPELINE_CODE_VERSION_H_
