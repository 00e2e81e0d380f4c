#include "program/reports/tensorboard.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "program/helpers.hpp"

namespace shoal {
namespace {

std::string hex(std::string const& bytes) {
  std::string text;
  for (unsigned char const c : bytes) {
    text += "0123456789abcdef"[c / 16];
    text += "0123456789abcdef"[c % 16];
  }
  return text;
}

/// The events in a file, each without its wall time. Checks the framing.
std::vector<std::string> events(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  std::string const bytes{std::istreambuf_iterator<char>(in), {}};
  std::vector<std::string> result;
  for (std::size_t at = 0; at < bytes.size();) {
    std::uint64_t length = 0;
    std::memcpy(&length, &bytes[at], 8);
    auto const data = bytes.substr(at + 12, length);
    EXPECT_EQ(bytes.substr(at, length + 16), tf_record(data));
    result.push_back(hex(data.substr(9)));
    at += length + 16;
  }
  return result;
}

TEST(TensorBoard, Checksum) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);            // RFC 3720's polynomial, the usual check value
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720, B.4
}

// Expected bytes: tensorboard 2.21's RecordWriter and protocol buffers.
TEST(TensorBoard, WritesTheBytesOfTensorBoardsOwnWriter) {
  EXPECT_EQ(hex(tf_record("shoal")), "0500000000000000eab2043e73686f616ca5cd0ac4");
  TemporaryFolder const folder;
  TensorBoardWriter writer(folder.path());
  writer.scalar("policy/kl", 300, 0.25);
  writer.flush();
  EXPECT_THAT(events(writer.path()),
              testing::ElementsAre("1a0d627261696e2e4576656e743a32",  // file_version "brain.Event:2"
                                   "10ac022a120a100a09706f6c6963792f6b6c150000803e"));
}

TEST(TensorBoard, AResumedRunHasAFileOfItsOwn) {
  TemporaryFolder const folder;
  TensorBoardWriter const first(folder.path()), second(folder.path(), 7);
  EXPECT_LT(first.path(), second.path());  // TensorBoard reads them in this order
  EXPECT_EQ(events(first.path()).size(), 1u);
  EXPECT_THAT(events(second.path()),
              testing::ElementsAre("1a0d627261696e2e4576656e743a32", "10073a020801"));  // session START
}

TEST(TensorBoard, NamesAFileThatCannotBeWritten) {
  try {
    TensorBoardWriter const writer("/nonexistent/folder");
    FAIL();
  } catch (Error const& error) {
    EXPECT_THAT(error.what(), testing::StartsWith("/nonexistent/folder/events.out.tfevents."));
    EXPECT_THAT(error.what(), testing::EndsWith(": cannot be written: No such file or directory"));
  }
}

TEST(TensorBoard, AFullDiskIsAnError) {
  TemporaryFolder const folder;
  TensorBoardWriter writer(folder.path());
  // A limit on the size of files fails a write as a full disk does.
  auto* const old_handler = signal(SIGXFSZ, SIG_IGN);
  rlimit limit;
  getrlimit(RLIMIT_FSIZE, &limit);
  auto const old_limit = limit.rlim_cur;
  limit.rlim_cur = 1024;
  setrlimit(RLIMIT_FSIZE, &limit);
  std::string message;
  try {
    for (int i = 0; i < 1000; ++i) writer.scalar("policy/kl", i, 0);
    writer.flush();
  } catch (Error const& error) {
    message = error.what();
  }
  limit.rlim_cur = old_limit;
  setrlimit(RLIMIT_FSIZE, &limit);
  signal(SIGXFSZ, old_handler);
  EXPECT_EQ(message, writer.path() + ": cannot be written: File too large");
}

}  // namespace
}  // namespace shoal
