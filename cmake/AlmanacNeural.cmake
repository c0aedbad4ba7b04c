# The room neural: what needs LibTorch is a module beside the program (libalmanac_neural.so), opened
# on first use; almanac/neural/host/ is what the program itself consists of.
#
#   almanac_neural         the host's part, a room like any other
#   almanac_neural_torch   everything else of the room; absent without LibTorch
#   almanac_neural_module  the module
#
# The module has no copy of the rooms below it: it takes their functions from the program that opens
# it (almanac_export_rooms), so that a stop, the thread count and the log are the same on both sides.

option(ALMANAC_NEURAL "Build the networks where LibTorch is found" ON)

if(ALMANAC_NEURAL AND ALMANAC_SANITIZE MATCHES "thread")
  # LibTorch's loops run on OpenMP threads of libgomp, whose barriers the sanitizer cannot see: it
  # reports a race in every one of them.
  message(STATUS "no networks: LibTorch cannot be looked at by the thread sanitizer")
  set(ALMANAC_NEURAL OFF)
endif()
if(ALMANAC_NEURAL)
  find_package(Torch QUIET)
  if(NOT Torch_FOUND)
    message(STATUS "no networks: LibTorch was not found (Debian: libtorch-dev)")
    set(ALMANAC_NEURAL OFF)
  endif()
endif()
if(ALMANAC_NEURAL)
  find_package(Onnx REQUIRED)
endif()

# The functions of these rooms are in the program whether it calls them or not, and visible to the
# modules that it opens.
function(almanac_export_rooms program)
  if(NOT ALMANAC_NEURAL)
    return()
  endif()
  foreach(room IN ITEMS forecast dataset target feature lake market base)
    target_link_options(${program} PRIVATE
      "LINKER:--whole-archive,$<TARGET_FILE:almanac_${room}>,--no-whole-archive")
  endforeach()
  target_link_options(${program} PRIVATE
                      "LINKER:--dynamic-list=${CMAKE_SOURCE_DIR}/cmake/exported-symbols.txt")
endfunction()

function(almanac_neural_room)
  set(folder "${CMAKE_SOURCE_DIR}/almanac/neural")
  file(GLOB host CONFIGURE_DEPENDS "${folder}/host/*.cc")
  file(GLOB networks CONFIGURE_DEPENDS "${folder}/*.cc")
  set(host_tests ${host})
  set(tests ${networks})
  list(FILTER host_tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER host EXCLUDE REGEX "_test\\.cc$")
  list(FILTER networks EXCLUDE REGEX "_test\\.cc$")
  set(entry "${folder}/module.cc")
  list(REMOVE_ITEM networks "${entry}")

  add_library(almanac_neural STATIC ${host})
  target_link_libraries(almanac_neural PUBLIC almanac_forecast PRIVATE ${CMAKE_DL_LIBS})
  target_compile_options(almanac_neural PRIVATE ${ALMANAC_QUICK_OPTIONS})
  target_precompile_headers(almanac_neural REUSE_FROM almanac_pch)
  list(APPEND ALMANAC_ROOMS neural)
  set(ALMANAC_ROOMS "${ALMANAC_ROOMS}" PARENT_SCOPE)

  if(ALMANAC_NEURAL)
    # ATen alone (torch/torch.h costs three times as much to read), and once for library and tests:
    # it is the dearest header of the project.
    add_library(almanac_neural_pch OBJECT "${CMAKE_BINARY_DIR}/generated/pch.cc")
    target_compile_options(almanac_neural_pch PRIVATE -fPIC ${ALMANAC_QUICK_OPTIONS})
    target_include_directories(almanac_neural_pch SYSTEM PRIVATE ${TORCH_INCLUDE_DIRS})
    target_link_libraries(almanac_neural_pch PRIVATE ${TORCH_LIBRARIES} fmt::fmt
                          nlohmann_json::nlohmann_json)
    set(headers ${ALMANAC_PCH} <ATen/ATen.h>)
    if(ALMANAC_BUILD_TESTS)
      target_link_libraries(almanac_neural_pch PRIVATE GTest::gtest GTest::gmock)
      list(APPEND headers <gmock/gmock.h> <gtest/gtest.h>)
    endif()
    target_precompile_headers(almanac_neural_pch PRIVATE ${headers})

    add_library(almanac_neural_torch STATIC ${networks})
    target_include_directories(almanac_neural_torch PUBLIC "${CMAKE_SOURCE_DIR}")
    target_include_directories(almanac_neural_torch SYSTEM PUBLIC ${TORCH_INCLUDE_DIRS})
    # Only the recurrent kernels have loops of their own; the rest calls LibTorch.
    target_compile_options(almanac_neural_torch PRIVATE -fPIC)
    foreach(source IN LISTS networks)
      if(source MATCHES "/(recurrent|fused_[a-z]+_kernel)")
        # They know nothing of LibTorch, and GCC 12 crashes at -O3 behind a header precompiled at -O1.
        set_property(SOURCE "${source}" PROPERTY SKIP_PRECOMPILE_HEADERS ON)
      else()
        set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_OPTIONS ${ALMANAC_QUICK_OPTIONS})
      endif()
    endforeach()
    set_property(SOURCE "${folder}/export_onnx.cc" "${folder}/export_test.cc"
                 APPEND PROPERTY COMPILE_DEFINITIONS ${Onnx_DEFINITIONS})
    target_precompile_headers(almanac_neural_torch REUSE_FROM almanac_neural_pch)
    if(ALMANAC_BUILD_TESTS)  # or the precompiled header would not fit
      target_compile_definitions(almanac_neural_torch PUBLIC GTEST_HAS_PTHREAD=1)
    endif()
    target_link_libraries(almanac_neural_torch PUBLIC ${TORCH_LIBRARIES} hwy::hwy fmt::fmt
                          nlohmann_json::nlohmann_json PRIVATE Onnx::proto)

    add_library(almanac_neural_module MODULE "${entry}")
    target_compile_options(almanac_neural_module PRIVATE -fPIC ${ALMANAC_QUICK_OPTIONS})
    target_precompile_headers(almanac_neural_module REUSE_FROM almanac_neural_pch)
    set_target_properties(almanac_neural_module PROPERTIES
      OUTPUT_NAME almanac_neural LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
    target_link_libraries(almanac_neural_module PRIVATE almanac_neural_torch)
  endif()

  if(ALMANAC_BUILD_TESTS)
    if(NOT ALMANAC_NEURAL)
      set(tests "")
    endif()
    add_executable(neural_test ${host_tests} ${tests})
    target_link_libraries(neural_test PRIVATE almanac_neural almanac_places_for_test GTest::gtest
                          GTest::gmock GTest::gtest_main)
    target_compile_options(neural_test PRIVATE ${ALMANAC_QUICK_OPTIONS})
    if(ALMANAC_NEURAL)
      # Before almanac_neural, whose rooms it calls.
      target_link_libraries(neural_test PRIVATE almanac_neural_torch almanac_neural Onnx::onnx)
      target_compile_options(neural_test PRIVATE -fPIC)
      target_precompile_headers(neural_test REUSE_FROM almanac_neural_pch)
    else()
      target_precompile_headers(neural_test REUSE_FROM almanac_test_pch)
    endif()
    gtest_discover_tests(neural_test TEST_PREFIX "neural." DISCOVERY_MODE PRE_TEST
                         WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}" PROPERTIES TIMEOUT 300)
  endif()
endfunction()
