// almanac doctor: what this installation consists of and whether it works.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/text.h"
#include "almanac/cli/command.h"
#include "almanac/lake/candle_store.h"
#include "almanac/lake/database.h"
#include "almanac/neural/host/module.h"
#include "almanac/pipeline/artifact.h"
#include "almanac/pipeline/code_version.h"
#include "almanac/registry/registry.h"
#include "almanac/report/pictures.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

enum class Health { kGood, kWarning, kBad };

struct Finding {
  std::string subject;
  Health health = Health::kGood;
  std::string text;
};

std::string_view Name(Health health) {
  switch (health) {
    case Health::kGood:
      return "ok";
    case Health::kWarning:
      return "warning";
    case Health::kBad:
      return "BAD";
  }
  return "";
}

// Runs a check; an Error it throws becomes a bad finding.
template <typename Check>
Finding Examine(std::string subject, Check check) {
  try {
    Finding finding = check();
    finding.subject = std::move(subject);
    return finding;
  } catch (const Error& error) {
    return {std::move(subject), Health::kBad, error.what()};
  }
}

Finding CheckHome(const Home& home) {
  if (!fs::exists(home.root)) {
    return {"", Health::kGood, home.root.string() + " (not there yet; made when first needed)"};
  }
  const fs::path probe = home.root / "doctor-probe";
  WriteFileAtomic(probe, "probe");
  fs::remove(probe);
  const fs::space_info space = fs::space(home.root);
  constexpr uintmax_t kLittle = uintmax_t{2} << 30;
  return {"", space.available < kLittle ? Health::kWarning : Health::kGood,
          fmt::format("{} is writable, {} free", home.root.string(),
                      FormatBytes(static_cast<int64_t>(space.available)))};
}

Finding CheckLake(const Home& home) {
  if (!fs::exists(home.lake())) return {"", Health::kGood, "empty"};
  const std::vector<SeriesInfo> all = CandleStore(home).List();
  int64_t bars = 0;
  for (const SeriesInfo& info : all) bars += info.bars;
  return {"", Health::kGood, fmt::format("{} series, {} bars", all.size(), FormatCount(bars))};
}

Finding CheckRegistry(const Home& home) {
  if (!fs::exists(home.registry())) return {"", Health::kGood, "no runs yet"};
  const Registry registry(home.registry());
  return {"", Health::kGood, fmt::format("{} runs", registry.Runs().size())};
}

Finding CheckGnuplot() {
  return HasGnuplot() ? Finding{"", Health::kGood, "found"}
                      : Finding{"", Health::kWarning,
                                "not found: reports go without PNG pictures; install gnuplot-nox"};
}

// Everything but networks works without LibTorch.
Finding CheckNetworks() {
  NeuralLibraries found;
  try {
    found = Networks().Libraries();
  } catch (const Error& error) {
    return {"", Health::kWarning, error.what()};
  }
  return {"", found.blas_is_fast ? Health::kGood : Health::kWarning,
          fmt::format("LibTorch {}, {}{}, {} threads, {} CUDA devices", found.torch, found.blas,
                      found.blas_is_fast ? "" : " (slow: install libopenblas-pthread-dev)",
                      found.threads, found.cuda_devices)};
}

// Reads every artifact again; slow where there are many.
Finding CheckArtifacts(const Home& home) {
  int64_t count = 0;
  std::vector<std::string> problems;
  std::error_code error;
  for (const auto& stage : fs::directory_iterator(home.artifacts(), error)) {
    for (const auto& artifact : fs::directory_iterator(stage.path())) {
      if (artifact.path().extension() == ".tmp") continue;
      ++count;
      for (const std::string& problem : ArtifactStore::Verify(artifact.path())) {
        problems.push_back((artifact.path() / problem).string());
      }
    }
  }
  if (problems.empty()) {
    return {"", Health::kGood, FormatCount(count) + " artifacts are as they were written"};
  }
  return {
      "", Health::kBad,
      fmt::format("{}; delete the folder, the next run makes it again", fmt::join(problems, "; "))};
}

std::vector<Finding> Examine(const Home& home, bool verify) {
  std::vector<Finding> findings = {
      {"program", Health::kGood, "almanac " + ProgramVersion()},
      {"processor", Health::kGood,
       fmt::format("{} hardware threads", std::thread::hardware_concurrency())},
      Examine("DuckDB",
              [] {
                return Finding{"", Health::kGood, DuckDbVersion()};
              }),
      Examine("gnuplot", [] { return CheckGnuplot(); }),
      Examine("networks", [] { return CheckNetworks(); }),
      Examine("home", [&] { return CheckHome(home); }),
      Examine("lake", [&] { return CheckLake(home); }),
      Examine("registry", [&] { return CheckRegistry(home); }),
  };
  if (verify) findings.push_back(Examine("artifacts", [&] { return CheckArtifacts(home); }));
  return findings;
}

int RunDoctor(bool verify, const Invocation& invocation) {
  const std::vector<Finding> findings = Examine(invocation.home(), verify);
  Json document = Json::array();
  TextTable table({"what", "state", "found"});
  bool bad = false;
  for (const Finding& finding : findings) {
    document.push_back(
        {{"subject", finding.subject}, {"state", Name(finding.health)}, {"found", finding.text}});
    table.AddRow({finding.subject, std::string(Name(finding.health)), finding.text});
    bad = bad || finding.health == Health::kBad;
  }
  invocation.PrintJson(document);
  invocation.Say(table.Render());
  return bad ? 1 : 0;
}

}  // namespace

void RegisterDoctorCommand(CLI::App& app, Invocation& invocation) {
  CLI::App* command = app.add_subcommand("doctor", "Check this installation and this home");
  const auto verify = std::make_shared<bool>(false);
  command->add_flag("--verify", *verify, "Read every artifact again and compare its hashes");
  command->callback([verify, &invocation] {
    invocation.action = [verify, &invocation] { return RunDoctor(*verify, invocation); };
  });
}

}  // namespace almanac
