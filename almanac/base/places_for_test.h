// Where this build's sources and programs lie, for tests and benches. Functions, not macros on the
// command line: an absolute path there would keep checkouts from sharing their compilations.
#ifndef ALMANAC_BASE_PLACES_FOR_TEST_H_
#define ALMANAC_BASE_PLACES_FOR_TEST_H_

#include <filesystem>

namespace almanac {

// The root of the checkout.
std::filesystem::path SourceFolder();

// The program almanac of this build.
std::filesystem::path ProgramFile();

}  // namespace almanac

#endif  // ALMANAC_BASE_PLACES_FOR_TEST_H_
