# Precompiled headers: what nearly every file includes is parsed once, not once a file. Two of them:
# almanac_pch for the libraries, almanac_test_pch (with GoogleTest) for the tests. Only headers
# in angle brackets stand here, so that every checkout's is the same and ccache shares them.
# A file still includes what it uses: script/lint reads it without these.
set(ALMANAC_PCH
  <algorithm> <array> <chrono> <cmath> <cstdint> <filesystem> <functional> <limits> <map> <memory>
  <mutex> <numeric> <optional> <set> <span> <string> <string_view> <thread> <utility> <vector>)
# Without optimisation fmt sets GCC's level for itself and takes it back, of which a precompiled
# header forgets the second half: intrinsics would then be functions that want constants.
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  list(APPEND ALMANAC_PCH <fmt/format.h>)
endif()
list(APPEND ALMANAC_PCH <nlohmann/json.hpp>)

file(WRITE "${CMAKE_BINARY_DIR}/generated/pch.cc.new" "// Owns the precompiled headers.\n")
file(COPY_FILE "${CMAKE_BINARY_DIR}/generated/pch.cc.new"
     "${CMAKE_BINARY_DIR}/generated/pch.cc" ONLY_IF_DIFFERENT)

add_library(almanac_pch OBJECT "${CMAKE_BINARY_DIR}/generated/pch.cc")
target_link_libraries(almanac_pch PRIVATE fmt::fmt nlohmann_json::nlohmann_json)
target_precompile_headers(almanac_pch PRIVATE ${ALMANAC_PCH})

if(ALMANAC_BUILD_TESTS)
  add_library(almanac_test_pch OBJECT "${CMAKE_BINARY_DIR}/generated/pch.cc")
  target_link_libraries(almanac_test_pch PRIVATE fmt::fmt nlohmann_json::nlohmann_json
                        GTest::gtest GTest::gmock)
  target_compile_options(almanac_test_pch PRIVATE ${ALMANAC_QUICK_OPTIONS})
  target_precompile_headers(almanac_test_pch PRIVATE ${ALMANAC_PCH} <gmock/gmock.h> <gtest/gtest.h>)
endif()
