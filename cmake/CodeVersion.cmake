# Run at build time: cmake -DROOMS=a;b -DSOURCE=... -DOUTPUT=... -P CodeVersion.cmake
# Writes a table of the hash of every room's sources (tests left out), so that an artifact's name
# changes when, and only when, code that could have made it changed.
set(table "")
foreach(room IN LISTS ROOMS)
  file(GLOB_RECURSE files "${SOURCE}/almanac/${room}/*.cc" "${SOURCE}/almanac/${room}/*.h"
       "${SOURCE}/almanac/${room}/*.S" "${SOURCE}/almanac/${room}/assets/*")
  list(FILTER files EXCLUDE REGEX "_test\\.cc$")
  list(SORT files)
  set(digests "")
  foreach(file IN LISTS files)
    file(SHA256 "${file}" digest)
    cmake_path(RELATIVE_PATH file BASE_DIRECTORY "${SOURCE}")
    string(APPEND digests "${file} ${digest}\n")
  endforeach()
  string(SHA256 digest "${digests}")
  string(APPEND table "    {\"${room}\", \"${digest}\"},\n")
endforeach()
set(content "// Written by cmake/CodeVersion.cmake.
#include \"almanac/pipeline/code_version.h\"

namespace almanac {

const std::vector<RoomDigest>& RoomDigests() {
  static const std::vector<RoomDigest> kDigests = {
${table}  };
  return kDigests;
}

}  // namespace almanac
")
set(previous "")
if(EXISTS "${OUTPUT}")
  file(READ "${OUTPUT}" previous)
endif()
if(NOT previous STREQUAL content)
  file(WRITE "${OUTPUT}" "${content}")
endif()
