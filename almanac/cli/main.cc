#include <cstdio>

int main() {
  std::puts("almanac 0.1.0");
  return 0;
}
