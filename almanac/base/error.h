// The one error type: a code that becomes the exit status, and a message that names what was wrong,
// where, and what would be right.
#ifndef ALMANAC_BASE_ERROR_H_
#define ALMANAC_BASE_ERROR_H_

#include <exception>
#include <string>
#include <string_view>

namespace almanac {

// The values are exit statuses.
enum class ErrorCode {
  kFailed = 1,        // the work could not be done
  kUsage = 2,         // wrong use: a flag, a recipe, a configuration value
  kBadData = 3,       // data that contradicts itself or its format
  kUnavailable = 4,   // a service could not be reached
  kInterrupted = 130  // stopped by the user
};

// what() reads "WHERE: WHAT; REMEDY"; parts that were not given are left out.
class Error : public std::exception {
 public:
  // `where` is a file:line, a configuration key, or a symbol and time. `remedy` says what would be
  // right, as a clause without a final full stop.
  Error(ErrorCode code, std::string where, std::string what, std::string remedy = "");

  const char* what() const noexcept override { return message_.c_str(); }
  ErrorCode code() const { return code_; }
  int exit_status() const { return static_cast<int>(code_); }
  const std::string& where() const { return where_; }
  const std::string& problem() const { return problem_; }
  const std::string& remedy() const { return remedy_; }

  // The same error with `outer` before its place: "outer: where: what; remedy".
  Error Within(std::string_view outer) const;

 private:
  ErrorCode code_;
  std::string where_, problem_, remedy_, message_;
};

}  // namespace almanac

#endif  // ALMANAC_BASE_ERROR_H_
