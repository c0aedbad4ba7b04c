#include "almanac/base/cancel.h"
#include "almanac/cli/command.h"

int main(int argc, char** argv) {
  almanac::InstallCancelHandlers();
  return almanac::RunProgram({argv + 1, argv + argc});
}
