# almanac_room(NAME [LINKS room...] [LIBRARIES target...] [TEST_LIBRARIES target...])
#
# One folder below almanac/ becomes the static library almanac_NAME (every .cc and .S that is not a
# test, not main.cc) and, if it has tests, the test program NAME_test.
function(almanac_room name)
  cmake_parse_arguments(ROOM "" "" "LINKS;LIBRARIES;TEST_LIBRARIES" ${ARGN})
  set(folder "${CMAKE_SOURCE_DIR}/almanac/${name}")
  list(APPEND ALMANAC_ROOMS ${name})
  set(ALMANAC_ROOMS "${ALMANAC_ROOMS}" PARENT_SCOPE)
  file(GLOB sources CONFIGURE_DEPENDS "${folder}/*.cc" "${folder}/*.S" "${folder}/*/*.cc")
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cc$")
  list(TRANSFORM ROOM_LINKS PREPEND "almanac_")

  if(sources)
    add_library(almanac_${name} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(almanac_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(almanac_${name} ${scope} "${CMAKE_SOURCE_DIR}")
  target_link_libraries(almanac_${name} ${scope} ${ROOM_LINKS} ${ROOM_LIBRARIES})
  if(sources)
    target_precompile_headers(almanac_${name} REUSE_FROM almanac_pch)
  endif()

  if(ALMANAC_BUILD_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE almanac_${name} ${ROOM_TEST_LIBRARIES}
                          almanac_places_for_test GTest::gtest GTest::gmock GTest::gtest_main)
    target_compile_options(${name}_test PRIVATE ${ALMANAC_QUICK_OPTIONS})
    target_precompile_headers(${name}_test REUSE_FROM almanac_test_pch)
    gtest_discover_tests(${name}_test TEST_PREFIX "${name}." DISCOVERY_MODE PRE_TEST
                         WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}"
                         PROPERTIES TIMEOUT ${ALMANAC_TEST_TIMEOUT}
                                    ENVIRONMENT "${ALMANAC_TEST_ENVIRONMENT}")
  endif()
endfunction()
