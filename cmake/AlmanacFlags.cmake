# Compiler flags shared by every target.

# Contraction into fused multiply-add would make a value depend on how the compiler happened to
# inline a loop: batch and live would differ in the last bit.
add_compile_options(-ffp-contract=off)
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                    -Wimplicit-fallthrough)
# GCC 12 reports overlaps and overflows inside std::string that cannot happen (its bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wno-restrict -Wno-array-bounds -Wno-stringop-overflow)
endif()
if(ALMANAC_WERROR)
  add_compile_options(-Werror)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-g1)
endif()

# For tests and for rooms without loops of their own: half of a compilation at -O3 is optimising. No
# value changes: without contraction and -ffast-math every level computes the same IEEE operations.
# (At -O1 GCC 12 takes much for uninitialized that -O3 sees through.)
set(ALMANAC_QUICK_OPTIONS $<$<CONFIG:Release>:-O1> $<$<CONFIG:Release>:-Wno-maybe-uninitialized>)

set(ALMANAC_TEST_TIMEOUT 300)
set(ALMANAC_TEST_ENVIRONMENT "")
if(ALMANAC_SANITIZE)
  set(ALMANAC_TEST_TIMEOUT 1500)
  set(ALMANAC_TEST_ENVIRONMENT
      # DuckDB locks in its own code, which is not looked at, and now and then unlocks through a copy
      # of std::unique_lock that is: no reports of mutexes that nobody locked.
      "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/cmake/tsan.supp history_size=4 report_mutex_bugs=0"
      "UBSAN_OPTIONS=print_stacktrace=1")
  add_compile_options(-fsanitize=${ALMANAC_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer -O1 -g1)
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
  # Instrumented code confuses GCC 12's flow analysis (std::regex is one victim).
  add_compile_options(-Wno-maybe-uninitialized)
  add_link_options(-fsanitize=${ALMANAC_SANITIZE})
endif()

# Paths in messages and debug lines do not depend on where the checkout lies.
add_compile_options("-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
