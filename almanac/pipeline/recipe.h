#ifndef X
#define X
#include <string>
namespace almanac {
struct Recipe {};
}  // namespace almanac
#endif
