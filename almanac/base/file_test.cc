#include "almanac/base/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <thread>

#include "almanac/base/error.h"
#include "almanac/base/random.h"
#include "almanac/base/test_folder.h"

namespace almanac {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<std::string> NamesIn(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

std::string MessageOf(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kFailed);
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

// Starts a child that runs `body` for ever, kills it after `delay`, returns its pid.
pid_t KillAfter(std::chrono::microseconds delay, const std::function<void()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    while (true) body();
  }
  std::this_thread::sleep_for(delay);
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";
  return child;
}

TEST(ReadFileTest, GivesEveryByte) {
  const TestFolder folder;
  std::string content;
  for (int i = 0; i < 700'001; ++i) content += static_cast<char>(i % 256);
  WriteFileAtomic(folder / "bytes", content);
  EXPECT_EQ(ReadFile(folder / "bytes"), content);
  // A file whose size the system does not tell.
  EXPECT_THAT(ReadFile("/proc/self/status"), HasSubstr("Pid:"));
}

TEST(ReadFileTest, NamesWhatCannotBeRead) {
  const TestFolder folder;
  const std::string missing = MessageOf([&] { ReadFile(folder / "missing"); });
  EXPECT_EQ(missing, (folder / "missing").string() + ": opening failed: No such file or directory");
  EXPECT_THAT(MessageOf([&] { ReadFile(folder.path()); }), HasSubstr("Is a directory"));
}

TEST(WriteFileAtomicTest, MakesFoldersAndReplaces) {
  const TestFolder folder;
  const fs::path path = folder / "a/b/file";
  WriteFileAtomic(path, "old");
  WriteFileAtomic(path, "new and longer");
  EXPECT_EQ(ReadFile(path), "new and longer");
  WriteFileAtomic(path, "");
  EXPECT_EQ(ReadFile(path), "");
  EXPECT_THAT(NamesIn(folder / "a/b"), UnorderedElementsAre("file"));
}

TEST(WriteFileAtomicTest, AFolderThatCannotBeMadeIsNamed) {
  const TestFolder folder;
  WriteFileAtomic(folder / "file", "x");
  const std::string message = MessageOf([&] { WriteFileAtomic(folder / "file/below", "y"); });
  EXPECT_THAT(message, HasSubstr((folder / "file").string()));
  EXPECT_THAT(message, HasSubstr("cannot be made"));
  EXPECT_EQ(ReadFile(folder / "file"), "x");
}

TEST(WriteFileAtomicTest, AFolderInTheWayStays) {
  const TestFolder folder;
  fs::create_directories(folder / "target/child");
  EXPECT_THAT(MessageOf([&] { WriteFileAtomic(folder / "target", "x"); }),
              HasSubstr("renaming into place failed"));
  EXPECT_TRUE(fs::is_directory(folder / "target/child"));
  EXPECT_THAT(NamesIn(folder.path()), UnorderedElementsAre("target"));
}

// A write that stops in the middle, as on a full disk: here, a limit on the file size.
TEST(WriteFileAtomicTest, AFailedWriteLeavesTheOldContent) {
  const TestFolder folder;
  const fs::path path = folder / "file";
  WriteFileAtomic(path, "old");
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const struct rlimit limit { 4096, 4096 };
    setrlimit(RLIMIT_FSIZE, &limit);
    try {
      WriteFileAtomic(path, std::string(100'000, 'n'));
      _exit(1);
    } catch (const Error& error) {
      _exit(std::string(error.what()).find("writing failed: File too large") != std::string::npos
                ? 0
                : 2);
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(ReadFile(path), "old");
  EXPECT_THAT(NamesIn(folder.path()), UnorderedElementsAre("file"));
}

TEST(WriteFileAtomicTest, AKilledWriterLeavesOneWholeContent) {
  const TestFolder folder;
  const fs::path path = folder / "file";
  const std::string a(300'000, 'a'), b(200'000, 'b');
  WriteFileAtomic(path, a);
  Random random(8);
  for (int i = 0; i < 25; ++i) {
    KillAfter(std::chrono::microseconds(500 + random.Below(8000)), [&] {
      WriteFileAtomic(path, b);
      WriteFileAtomic(path, a);
    });
    const std::string content = ReadFile(path);
    ASSERT_TRUE(content == a || content == b) << "kill " << i << ": " << content.size();
  }
  RemoveStaleTemporaries(folder.path());
  EXPECT_THAT(NamesIn(folder.path()), UnorderedElementsAre("file"));
}

TEST(CommitRenameTest, MovesAFileAndAFolder) {
  const TestFolder folder;
  WriteFileAtomic(folder / "staged", "new");
  WriteFileAtomic(folder / "target", "old");
  CommitRename(folder / "staged", folder / "target");
  EXPECT_EQ(ReadFile(folder / "target"), "new");
  EXPECT_FALSE(fs::exists(folder / "staged"));

  WriteFileAtomic(folder / "many/one/file", "x");
  CommitRename(folder / "many", folder / "moved");
  EXPECT_EQ(ReadFile(folder / "moved/one/file"), "x");
  EXPECT_THAT(MessageOf([&] { CommitRename(folder / "missing", folder / "moved2"); }),
              HasSubstr("missing"));
}

TEST(TemporaryBesideTest, NamesAreOfThisProcessAndDiffer) {
  const fs::path first = TemporaryBeside("/data/file.csv");
  const fs::path second = TemporaryBeside("/data/file.csv");
  EXPECT_NE(first, second);
  EXPECT_EQ(first.parent_path(), "/data");
  EXPECT_THAT(first.string(), HasSubstr("file.csv." + std::to_string(getpid()) + "-"));
  EXPECT_EQ(first.extension(), ".tmp");
  EXPECT_EQ(TemporaryBeside("/data/folder/").parent_path(), "/data");
}

TEST(RemoveStaleTemporariesTest, TakesThoseOfTheDeadAlone) {
  const TestFolder folder;
  const pid_t dead = fork();
  if (dead == 0) _exit(0);
  waitpid(dead, nullptr, 0);
  const std::string corpse = "." + std::to_string(dead) + "-3.tmp";
  WriteFileAtomic(folder / ("a.csv" + corpse), "x");
  WriteFileAtomic(folder / ("deep/folder" + corpse) / "file", "x");
  WriteFileAtomic(folder / "deep/kept.csv", "x");
  WriteFileAtomic(folder / "users.tmp", "not named as ours are");
  WriteFileAtomic(folder / "a.12x.tmp", "nor this");
  WriteFileAtomic(TemporaryBeside(folder / "alive"), "x");
  WriteFileAtomic(folder / "init.1-0.tmp", "of a living process that is not ours");
  EXPECT_EQ(RemoveStaleTemporaries(folder.path()), 2);
  EXPECT_EQ(RemoveStaleTemporaries(folder.path()), 0);
  EXPECT_FALSE(fs::exists(folder / ("a.csv" + corpse)));
  EXPECT_THAT(NamesIn(folder / "deep"), UnorderedElementsAre("kept.csv"));
  EXPECT_EQ(NamesIn(folder.path()).size(), 5u);
  EXPECT_EQ(RemoveStaleTemporaries(folder / "missing"), 0);
}

TEST(AtomicFolderTest, AppearsAtCommit) {
  const TestFolder folder;
  const fs::path path = folder / "runs/one";
  AtomicFolder made(path);
  WriteFileAtomic(made.staging() / "file", "x");
  EXPECT_FALSE(fs::exists(path));
  made.Commit();
  EXPECT_EQ(ReadFile(path / "file"), "x");
  EXPECT_THAT(NamesIn(folder / "runs"), UnorderedElementsAre("one"));
}

TEST(AtomicFolderTest, ReplacesAFolder) {
  const TestFolder folder;
  const fs::path path = folder / "one";
  WriteFileAtomic(path / "old", "x");
  {
    AtomicFolder made(path / "");  // "one/" means the same
    WriteFileAtomic(made.staging() / "new", "y");
    made.Commit();
  }
  EXPECT_THAT(NamesIn(path), UnorderedElementsAre("new"));
  EXPECT_THAT(NamesIn(folder.path()), UnorderedElementsAre("one"));
}

TEST(AtomicFolderTest, WithoutCommitNothingStays) {
  const TestFolder folder;
  {
    const AtomicFolder made(folder / "one");
    WriteFileAtomic(made.staging() / "file", "x");
  }
  EXPECT_THAT(NamesIn(folder.path()), IsEmpty());
}

TEST(AtomicFolderTest, AKilledWriterLeavesAWholeFolder) {
  const TestFolder folder;
  const fs::path path = folder / "one";
  const auto write = [&](const std::string& text) {
    AtomicFolder made(path);
    WriteFileAtomic(made.staging() / "a", text);
    WriteFileAtomic(made.staging() / "b", text);
    made.Commit();
  };
  write("first");
  Random random(9);
  for (int i = 0; i < 25; ++i) {
    KillAfter(std::chrono::microseconds(500 + random.Below(8000)), [&] {
      write("second");
      write("first");
    });
    ASSERT_THAT(NamesIn(path), UnorderedElementsAre("a", "b"));
    ASSERT_EQ(ReadFile(path / "a"), ReadFile(path / "b")) << "kill " << i;
  }
  RemoveStaleTemporaries(folder.path());
  EXPECT_THAT(NamesIn(folder.path()), UnorderedElementsAre("one"));
}

TEST(MappedFileTest, ShowsTheContentAndMoves) {
  const TestFolder folder;
  WriteFileAtomic(folder / "file", "content");
  MappedFile first(folder / "file");
  EXPECT_EQ(first.text(), "content");
  MappedFile second(std::move(first));
  EXPECT_EQ(second.text(), "content");
  WriteFileAtomic(folder / "empty", "");
  MappedFile empty(folder / "empty");
  EXPECT_EQ(empty.size(), 0u);
  empty = std::move(second);
  EXPECT_EQ(empty.text(), "content");
  // What is mapped stays when the file is replaced.
  WriteFileAtomic(folder / "file", "other");
  EXPECT_EQ(empty.text(), "content");
  EXPECT_THAT(MessageOf([&] { MappedFile(folder / "missing"); }), HasSubstr("missing"));
}

TEST(SyncPathTest, NamesWhatIsMissing) {
  const TestFolder folder;
  EXPECT_NO_THROW(SyncPath(folder.path()));
  EXPECT_THAT(MessageOf([&] { SyncPath(folder / "missing"); }), HasSubstr("missing"));
}

}  // namespace
}  // namespace almanac
