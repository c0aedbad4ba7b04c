#include "almanac/pipeline/code_version.h"

#include <algorithm>

#include "almanac/base/error.h"
#include "almanac/base/hash.h"

namespace almanac {
namespace {

constexpr size_t kShortDigest = 16;
constexpr size_t kVersionDigest = 12;

}  // namespace

std::string CodeVersionOf(const std::vector<std::string_view>& rooms) {
  const std::vector<RoomDigest>& digests = RoomDigests();
  Hasher hasher;
  for (const std::string_view room : rooms) {
    const auto found = std::find_if(digests.begin(), digests.end(),
                                    [&](const RoomDigest& digest) { return digest.room == room; });
    if (found == digests.end()) {
      throw Error(ErrorCode::kFailed, "code version",
                  "no room \"" + std::string(room) + "\" is built in");
    }
    hasher.Add(found->sha256);
  }
  return hasher.Finish().substr(0, kShortDigest);
}

std::string ProgramVersion() {
  Hasher hasher;
  for (const RoomDigest& digest : RoomDigests()) hasher.Add(digest.sha256);
  return ALMANAC_VERSION "+" + hasher.Finish().substr(0, kVersionDigest);
}

}  // namespace almanac
