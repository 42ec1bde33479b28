// Other programs, run as children: without a shell, so that names of files are what they are.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace gesso {

/// Whether there is a program of this name on PATH.
bool on_path(const std::string& program);

/// A running program, one end of whose standard input or output is ours. Ctrl-C at the terminal does not reach it: whoever
/// runs it decides what becomes of it. Its standard error is kept, for the error that says that it failed.
class Subprocess {
 public:
  enum class Stream { reads, writes };  ///< what we do: write what it reads, or read what it writes

  /// Starts words[0], found on PATH, with the other words as they are. The stream that is not ours is /dev/null. Throws
  /// FileError if it cannot be started.
  Subprocess(const std::vector<std::string>& words, Stream stream);
  /// Ends the program if it still runs.
  ~Subprocess();
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  std::FILE* stream() const { return stream_; }

  /// Closes the stream and waits for the program's end. Throws FileError, with the last line that it said, if it fails.
  void finish();
  /// The last line that it has written to standard error so far; empty if none.
  std::string last_words() const;

 private:
  std::string name_;
  std::FILE *stream_ = nullptr, *errors_ = nullptr;
  int process_ = -1;  // a pid_t
};

/// What a program writes to standard output. Throws as Subprocess does.
std::string output_of(const std::vector<std::string>& words);

}  // namespace gesso
