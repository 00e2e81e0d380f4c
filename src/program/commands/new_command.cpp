#include "program/commands/new_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>
#include <vector>

#include "program/commands/templates.hpp"
#include "program/runs/text_file.hpp"
#include "shoal/core/error.hpp"
#include "shoal/core/text.hpp"

namespace shoal {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t longest_name = 40;
constexpr char const* list_file = "cmake/Environments.cmake";
constexpr char const* headers = "include/shoal";

/// C++'s keywords and alternative operators.
constexpr std::string_view keywords =
    " alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class "
    "co_await co_return co_yield compl concept const const_cast consteval constexpr constinit continue decltype "
    "default delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline "
    "int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public "
    "register reinterpret_cast requires return short signed sizeof static static_assert static_cast struct switch "
    "template this thread_local throw true try typedef typeid typename union unsigned using virtual void volatile "
    "wchar_t while xor xor_eq ";

[[noreturn]] void refuse(std::string const& name, std::string const& problem) {
  throw InputError(fmt::format("new {}: {}", printable(name, 80), problem));
}

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_in_word(char c) { return is_lower(c) || is_upper(c) || is_digit(c) || c == '_'; }

/// How cmake/Environments.cmake finds the header of a struct.
std::string header_name(std::string const& struct_name) {
  std::string name;
  for (std::size_t i = 0; i < struct_name.size(); ++i) {
    char const c = struct_name[i];
    if (is_upper(c) && i > 0 && !is_upper(struct_name[i - 1])) name += '_';
    name += is_upper(c) ? char(c - 'A' + 'a') : c;
  }
  return name;
}

std::string read_text(fs::path const& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in) throw InputError(fmt::format("{}: cannot read: {}", path.string(), std::strerror(errno)));
  return text;
}

/// The template with the new environment's names.
std::string filled(std::string_view source, std::string const& name) {
  std::string text(source);
  for (auto const& [mark, value] : {std::pair<std::string, std::string>{"@name@", name}, {"@Name@", struct_name(name)}})
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size()))
      text.replace(at, mark.size(), value);
  return text;
}

struct NewFile {
  fs::path path;
  std::string text;
};

std::vector<NewFile> new_files(fs::path const& root, std::string const& name) {
  std::vector<NewFile> files{{fmt::format("{}/envs/{}.hpp", headers, name), filled(templates::environment, name)},
                             {fmt::format("tests/envs/{}_test.cpp", name), filled(templates::environment_test, name)},
                             {fmt::format("experiments/{0}/{0}.toml", name), filled(templates::experiment, name)}};
  for (auto& file : files) file.path = (root / file.path).lexically_normal();
  return files;
}

void check_tree(fs::path const& root) {
  for (char const* part :
       {list_file, "include/shoal/env/contract.hpp", "include/shoal/envs/", "tests/envs/", "experiments/"}) {
    std::error_code error;
    if (!fs::exists(root / part, error))
      throw InputError(fmt::format("--root {}: no {} there; expected the root of shoal's source tree",
                                   printable(root.string()), part));
  }
  for (char const* folder : {"include/shoal/envs", "tests/envs", "experiments", "cmake"})
    if (access((root / folder).c_str(), W_OK | X_OK) != 0)
      throw InputError(
          fmt::format("--root {}: cannot write into {}: {}", printable(root.string()), folder, std::strerror(errno)));
}

bool declares(std::string const& text, std::string const& type) {
  for (std::string const word : {"struct ", "class ", "concept ", "using "})
    for (auto at = text.find(word + type); at != text.npos; at = text.find(word + type, at + 1)) {
      auto const end = at + word.size() + type.size();
      if (end == text.size() || !is_in_word(text[end])) return true;
    }
  return false;
}

/// No file may be there, and the library no type of that name.
void check_unused(fs::path const& root, std::string const& name, std::vector<NewFile> const& files) {
  for (auto const& path : {files[0].path, files[1].path, files[2].path.parent_path()})
    if (fs::symlink_status(path).type() != fs::file_type::not_found)
      refuse(name, fmt::format("taken: {} exists", printable(path.string())));
  for (auto const& entry : fs::recursive_directory_iterator(root / headers))
    if (entry.is_regular_file() && declares(read_text(entry.path()), struct_name(name)))
      refuse(name, fmt::format("taken: {} has a type {}", printable(entry.path().string()), struct_name(name)));
}

/// Removes what was made, unless all was.
class Removal {
 public:
  void add(fs::path const& path) { made_.push_back(path); }
  void cancel() { made_.clear(); }
  Removal() = default;
  Removal(Removal const&) = delete;
  Removal& operator=(Removal const&) = delete;
  ~Removal() {
    std::error_code ignored;
    for (auto path = made_.rbegin(); path != made_.rend(); ++path) fs::remove(*path, ignored);
  }

 private:
  std::vector<fs::path> made_;
};

}  // namespace

std::string struct_name(std::string const& name) {
  bool const fits =
      !name.empty() && name.size() <= longest_name && is_lower(name[0]) &&
      std::all_of(name.begin(), name.end(), [](char c) { return is_lower(c) || is_digit(c) || c == '_'; });
  if (!fits)
    refuse(name, fmt::format("expected a lower-case letter, then lower-case letters, digits and _, at most {} in all",
                             longest_name));
  if (keywords.find(" " + name + " ") != keywords.npos) refuse(name, "a keyword of C++; expected another name");
  std::string result;
  for (std::size_t i = 0; i < name.size(); ++i)
    if (name[i] != '_') result += i == 0 || name[i - 1] == '_' ? char(std::toupper(name[i])) : name[i];
  if (auto const found = header_name(result); found != name)
    refuse(name, fmt::format("its struct is {0}, whose header CMake seeks as {1}.hpp; expected {1}, or longer words",
                             result, found));
  return result;
}

std::string with_environment(std::string const& list, std::string const& struct_name) {
  constexpr std::string_view begin = "set(SHOAL_ENVIRONMENTS ";
  auto const start = list.find(begin), end = list.find(')', start);
  if (start == std::string::npos || end == std::string::npos)
    throw InputError(fmt::format("{}: no list {}...) there; expected the list of environments", list_file, begin));
  for (auto at = start + begin.size(); at < end;) {
    auto word = at;
    while (word < end && !is_in_word(list[word])) ++word;
    at = word;
    while (at < end && is_in_word(list[at])) ++at;
    auto const known = list.substr(word, at - word);
    if (known == struct_name) throw InputError(fmt::format("{}: {} is in its list", list_file, struct_name));
    if (known > struct_name) return list.substr(0, word) + struct_name + " " + list.substr(word);
  }
  return list.substr(0, end) + " " + struct_name + list.substr(end);
}

int new_command(std::string const& name, fs::path const& root) {
  auto const type = struct_name(name);
  check_tree(root);
  auto const files = new_files(root, name);
  check_unused(root, name, files);
  auto const list_path = (root / list_file).lexically_normal();
  auto const list = with_environment(read_text(list_path), type);
  Removal removal;
  auto const folder = files.back().path.parent_path();
  if (!fs::create_directory(folder)) refuse(name, fmt::format("taken: {} exists", printable(folder.string())));
  removal.add(folder);
  for (auto const& file : files) {
    write_text(file.path, file.text);
    removal.add(file.path);
  }
  write_text(list_path, list);
  removal.cancel();
  for (auto const& file : files) fmt::print("wrote    {}\n", printable(file.path.string()));
  fmt::print("changed  {}\n\n", printable(list_path.string()));
  fmt::print(
      "Next, at the root of the tree:\n"
      "  scripts/test -R '{0}|{1}'\n"
      "  scripts/shoal hash {1}\n"
      "  scripts/shoal train experiments/{1}/{1}.toml\n"
      "The test Golden fails until the line that it prints is entered. docs/environment.md explains all.\n",
      type, name);
  return 0;
}

}  // namespace shoal
