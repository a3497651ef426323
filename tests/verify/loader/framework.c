/* What libtensorflow_framework exports to open the CUDA libraries, with the real names, the real return convention (a status and a handle
   in memory) and a RUNPATH of its own. */
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  uint64_t status;
  uint64_t value;
  uint64_t room[6]; /* more than 16 bytes, so that it is returned in memory, as a StatusOr is */
} result;

static result open_library(const char *name) {
  result r;
  memset(&r, 0x5a, sizeof r); /* what a failed StatusOr holds as its value is not defined */
  void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  r.status = handle ? 1 : 0x1000;
  if (handle) r.value = (uint64_t)handle;
  return r;
}

#define GET(length, kind, soname) \
  result _ZN3tsl8internal9DsoLoader##length##Get##kind##DsoHandleEv(void) { return open_library(soname); }
/* The cached variants are not to be called: they keep a failure. */
#define CACHED(length, kind) \
  result _ZN3tsl8internal15CachedDsoLoader##length##Get##kind##DsoHandleEv(void) { abort(); }

GET(23, CudaRuntime, "libcudart.so.12")
GET(18, Cublas, "libcublas.so.12")
GET(20, CublasLt, "libcublasLt.so.12")
GET(17, Cudnn, "libcudnn.so.9")
GET(20, Cusolver, "libcusolver.so.11")
GET(22, CudaDriver, "libcuda.so.1")
GET(19, Nvshmem, "libnvshmem_host.so.3")
CACHED(17, Cudnn)
result _ZN3tsl8internal9DsoLoader15GetHipDsoHandleEv(void) { abort(); }

result _ZN3tsl8internal9DsoLoader22TryDlopenCUDALibrariesEv(void) {
  const char *names[] = {"libcudart.so.12", "libcublas.so.12", "libcublasLt.so.12", "libcusolver.so.11", "libcudnn.so.9"};
  result r;
  memset(&r, 0, sizeof r);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) r = open_library(names[i]);
  return r;
}
