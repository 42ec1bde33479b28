#include "gesso/training/mpi_group.h"

#include <cstdlib>
#include <limits>
#include <utility>

#include "gesso/core/error.h"

#ifdef GESSO_HAS_MPI
#define OMPI_SKIP_MPICXX 1  // the C++ bindings, which MPI 3 has dropped
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>
#endif

namespace gesso {

#ifdef GESSO_HAS_MPI

namespace {

void check(int status, const char* call) {
  if (status == MPI_SUCCESS) {
    return;
  }
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(status, text, &length);
  throw Error(concat_text("MPI: ", call, " failed: ", text));
}

int count_of(std::size_t bytes) {
  require(bytes <= static_cast<std::size_t>(std::numeric_limits<int>::max()), "MPI: a message of ", bytes,
          " bytes is too long");
  return static_cast<int>(bytes);
}

class MpiExchange : public Exchange {
 public:
  explicit MpiExchange(std::vector<MPI_Request> requests) : requests_(std::move(requests)) {}

  bool arrived() override {
    int all = 0;
    check(MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &all, MPI_STATUSES_IGNORE),
          "MPI_Testall");
    return all != 0;
  }
  void wait() override {
    check(MPI_Waitall(static_cast<int>(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE),
          "MPI_Waitall");
  }

 private:
  std::vector<MPI_Request> requests_;  // completed ones become MPI_REQUEST_NULL
};

class MpiWorld : public ProcessGroup {
 public:
  MpiWorld() {
    int thread_support = 0;
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &thread_support), "MPI_Init_thread");
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    check(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI_Comm_size");
  }
  ~MpiWorld() override { MPI_Finalize(); }

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  std::unique_ptr<Exchange> exchange(const std::vector<ConstBytes>& to_each,
                                     const std::vector<Bytes>& from_each, int tag) override {
    std::vector<MPI_Request> requests;
    for (int step = 1; step < size_; ++step) {
      // Each rank begins with its neighbour, so that not all speak to one at a time.
      const int to = (rank_ + step) % size_, from = (rank_ + size_ - step) % size_;
      const ConstBytes sent = to_each[static_cast<std::size_t>(to)];
      const Bytes received = from_each[static_cast<std::size_t>(from)];
      if (!received.empty()) {
        check(MPI_Irecv(received.data(), count_of(received.size()), MPI_BYTE, from, tag, MPI_COMM_WORLD,
                        &requests.emplace_back()),
              "MPI_Irecv");
      }
      if (!sent.empty()) {
        check(MPI_Isend(sent.data(), count_of(sent.size()), MPI_BYTE, to, tag, MPI_COMM_WORLD,
                        &requests.emplace_back()),
              "MPI_Isend");
      }
    }
    return std::make_unique<MpiExchange>(std::move(requests));
  }

 private:
  int rank_ = 0, size_ = 1;
};

}  // namespace

bool has_mpi() { return true; }

ProcessGroup& mpi_world() {
  static MpiWorld world;
  return world;
}

void abort_mpi_world(int code) {
  MPI_Abort(MPI_COMM_WORLD, code);
  std::_Exit(code);  // where MPI_Abort returns
}

#else

bool has_mpi() { return false; }

ProcessGroup& mpi_world() {
  throw Error("this build has no MPI: install one (Debian: libopenmpi-dev), and configure and build again");
}

void abort_mpi_world(int code) { std::_Exit(code); }

#endif

}  // namespace gesso
