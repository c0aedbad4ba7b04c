// For tests: what an action that must fail says.
#ifndef ALMANAC_BASE_ERROR_FOR_TEST_H_
#define ALMANAC_BASE_ERROR_FOR_TEST_H_

#include <functional>
#include <string>

#include "almanac/base/error.h"

namespace almanac {

// The message of the Error that `action` throws; "no error" if it throws nothing.
inline std::string MessageOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace almanac

#endif  // ALMANAC_BASE_ERROR_FOR_TEST_H_
