// Scalars as TensorBoard reads them: a file of TFRecords, each an Event in protocol buffers' wire format.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>

namespace shoal {

class TensorBoardWriter {
 public:
  /// Begins a new file in `folder`, after those of earlier parts of the run.
  /// @param first_step  of a resumed run: TensorBoard drops what earlier files hold from this step on. 0: a new run
  /// @throws Error naming the file, as all functions do when it cannot be written
  explicit TensorBoardWriter(std::string const& folder, std::int64_t first_step = 0);

  /// @param tag  "policy/kl": what stands before the slash groups the charts
  void scalar(std::string const& tag, std::int64_t step, double value);

  /// Hands everything to the system.
  void flush();

  std::string const& path() const { return path_; }

 private:
  void write_event(std::string const& fields);
  [[noreturn]] void fail() const;

  std::string path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

/// One TFRecord: length, masked checksum of the length, data, masked checksum of the data; little-endian.
std::string tf_record(std::string const& data);

/// CRC-32C (Castagnoli), as in RFC 3720.
std::uint32_t crc32c(std::string const& data);

}  // namespace shoal
