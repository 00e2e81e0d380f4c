#include "program/reports/tensorboard.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "shoal/core/error.hpp"

namespace shoal {

namespace {

// Fields of tensorflow/core/util/event.proto and framework/summary.proto.
enum EventField { wall_time = 1, step = 2, file_version = 3, summary = 5, session_log = 7 };
enum SummaryField { value = 1 };
enum ValueField { tag = 1, simple_value = 2 };
enum SessionLogField { status = 1 };
constexpr int session_start = 1;

// ---- Wire format: a field's number and kind, then its content ------------------------------------------------------

std::string varint(std::uint64_t x) {
  std::string bytes;
  for (; x >= 128; x >>= 7) bytes += char(x | 128);
  return bytes + char(x);
}

template <class Word>
std::string little_endian(Word x) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof x; ++i) bytes += char(x >> (8 * i));
  return bytes;
}

std::string key(int field, int kind) { return varint(std::uint64_t(field) << 3 | std::uint64_t(kind)); }
std::string integer_field(int field, std::int64_t x) { return key(field, 0) + varint(std::uint64_t(x)); }
std::string double_field(int field, double x) { return key(field, 1) + little_endian(std::bit_cast<std::uint64_t>(x)); }
std::string float_field(int field, float x) { return key(field, 5) + little_endian(std::bit_cast<std::uint32_t>(x)); }
std::string bytes_field(int field, std::string const& x) { return key(field, 2) + varint(x.size()) + x; }

// --------------------------------------------------------------------------------------------------------------------

constexpr std::array<std::uint32_t, 256> crc_table = [] {
  std::array<std::uint32_t, 256> table = {};
  for (std::uint32_t i = 0; i < 256; ++i) {
    table[i] = i;
    for (int bit = 0; bit < 8; ++bit) table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0x82f63b78u : 0);
  }
  return table;
}();

// TFRecord's mask: a checksum of data that hold checksums would be weak.
std::uint32_t masked(std::uint32_t crc) { return (crc >> 15 | crc << 17) + 0xa282ead8u; }

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

}  // namespace

std::uint32_t crc32c(std::string const& data) {
  std::uint32_t crc = ~0u;
  for (char const c : data) crc = crc >> 8 ^ crc_table[(crc ^ static_cast<unsigned char>(c)) & 255];
  return ~crc;
}

std::string tf_record(std::string const& data) {
  auto const length = little_endian(std::uint64_t(data.size()));
  return length + little_endian(masked(crc32c(length))) + data + little_endian(masked(crc32c(data)));
}

TensorBoardWriter::TensorBoardWriter(std::string const& folder, std::int64_t first_step) : file_(nullptr, std::fclose) {
  // TensorBoard reads a folder's files in the order of their names: the time first, then a number for files of one
  // second.
  auto const seconds = std::int64_t(seconds_since_1970());
  for (int number = 0; !file_; ++number) {
    path_ = fmt::format("{}/events.out.tfevents.{:010}.{:03}.{}", folder, seconds, number, host_name());
    file_.reset(std::fopen(path_.c_str(), "wbx"));
    if (!file_ && errno != EEXIST) fail();
  }
  write_event(bytes_field(file_version, "brain.Event:2"));
  if (first_step > 0)
    write_event(integer_field(step, first_step) + bytes_field(session_log, integer_field(status, session_start)));
  flush();
}

void TensorBoardWriter::scalar(std::string const& name, std::int64_t at, double x) {
  auto const entry = bytes_field(tag, name) + float_field(simple_value, float(x));
  write_event(integer_field(step, at) + bytes_field(summary, bytes_field(value, entry)));
}

void TensorBoardWriter::flush() {
  if (std::fflush(file_.get()) != 0) fail();
}

void TensorBoardWriter::write_event(std::string const& fields) {
  auto const record = tf_record(double_field(wall_time, seconds_since_1970()) + fields);
  if (std::fwrite(record.data(), 1, record.size(), file_.get()) != record.size()) fail();
}

void TensorBoardWriter::fail() const {
  throw Error(fmt::format("{}: cannot be written: {}", path_, std::strerror(errno)));
}

}  // namespace shoal
