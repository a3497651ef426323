/* Answers as NVIDIA's libraries would: built with -DNVML as libnvidia-ml.so.1, with -DCUDA as libcuda.so.1.
 *
 * FAKE_GPUS     one item a GPU, parted by ';': name|major.minor|MiB|mig|device, where mig is none, off, or on:N (N instances),
 *               and device is the PCI device number in hexadecimal. "lost" as name is a GPU that cannot be opened.
 * FAKE_NVML     ok, mismatch, notloaded, nopermission, blocked, abort, segv, hang, noise, stuck (a hang that no alarm ends)
 * FAKE_CUDA     ok, nodevice, unknown, mismatch, abort, segv, hang
 * FAKE_VERSION  what both say of CUDA, 12040
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct { char name[96]; int major, minor; unsigned long long mib; char mig[16]; unsigned device; } gpu_t;

static int read_gpus(gpu_t *out, int max) {
    const char *at = getenv("FAKE_GPUS");
    int count = 0;
    while (at && *at && count < max) {
        gpu_t *g = &out[count];
        memset(g, 0, sizeof *g);
        if (sscanf(at, "%95[^|]|%d.%d|%llu|%15[^|]|%x", g->name, &g->major, &g->minor, &g->mib, g->mig, &g->device) != 6) break;
        count++;
        at = strchr(at, ';');
        if (at) at++;
    }
    return count;
}

static int behave(const char *how) {
    if (!how) return 0;
    if (!strcmp(how, "abort")) abort();
    if (!strcmp(how, "segv")) raise(SIGSEGV);
    if (!strcmp(how, "hang")) for (;;) sleep(1000);
    if (!strcmp(how, "stuck")) { signal(SIGALRM, SIG_IGN); sleep(60); _exit(0); }
    if (!strcmp(how, "noise")) { printf("{noise}\n"); fflush(stdout); fprintf(stderr, "noise\n"); }
    return 0;
}

static int cuda_number(void) { const char *v = getenv("FAKE_VERSION"); return v ? atoi(v) : 12040; }

#ifdef NVML
/* nvml.h: nvmlReturn_t, nvmlPciInfo_t, nvmlMemory_t */
enum { OK = 0, BAD_ARGUMENT = 2, NOT_SUPPORTED = 3, NO_PERMISSION = 4, NOT_FOUND = 6, NOT_LOADED = 9, LOST = 15, BLOCKED = 17, MISMATCH = 18 };
typedef struct { char legacy[16]; unsigned domain, bus, device, id, subsystem; char bus_id[32]; } pci_t;
typedef struct { unsigned long long total, free, used; } memory_t;
/* A handle is the GPU's number + 1; an instance's is 1000 times that, plus its own number. */
static long number(void *handle) { return (long)handle; }
static gpu_t *of(void *handle) {
    static gpu_t gpus[16];
    long n = number(handle) >= 1000 ? number(handle) / 1000 : number(handle);
    read_gpus(gpus, 16);
    return &gpus[n - 1];
}

int nvmlInitWithFlags(unsigned flags) {
    const char *how = getenv("FAKE_NVML");
    (void)flags;
    behave(how);
    if (!how) return OK;
    if (!strcmp(how, "mismatch")) return MISMATCH;
    if (!strcmp(how, "notloaded")) return NOT_LOADED;
    if (!strcmp(how, "nopermission")) return NO_PERMISSION;
    if (!strcmp(how, "blocked")) return BLOCKED;
    return OK;
}
const char *nvmlErrorString(int code) {
    switch (code) {
    case MISMATCH: return "Driver/library version mismatch";
    case NOT_LOADED: return "Driver Not Loaded";
    case NO_PERMISSION: return "Insufficient Permissions";
    case BLOCKED: return "The operating system has blocked the request";
    case LOST: return "GPU is lost";
    case NOT_SUPPORTED: return "Not Supported";
    default: return "Unknown Error";
    }
}
int nvmlSystemGetDriverVersion(char *out, unsigned size) { snprintf(out, size, "%s", getenv("FAKE_RELEASE") ? getenv("FAKE_RELEASE") : "550.54.14"); return OK; }
int nvmlSystemGetCudaDriverVersion_v2(int *out) { *out = cuda_number(); return OK; }
int nvmlDeviceGetCount_v2(unsigned *out) { gpu_t gpus[16]; *out = read_gpus(gpus, 16); return OK; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **out) {
    gpu_t gpus[16];
    if ((int)index >= read_gpus(gpus, 16)) return BAD_ARGUMENT;
    if (!strcmp(gpus[index].name, "lost")) return LOST;
    *out = (void *)(long)(index + 1);
    return OK;
}
int nvmlDeviceGetName(void *handle, char *out, unsigned size) {
    if (number(handle) >= 1000) snprintf(out, size, "%s MIG 1g.10gb", of(handle)->name);
    else snprintf(out, size, "%s", of(handle)->name);
    return OK;
}
int nvmlDeviceGetUUID(void *handle, char *out, unsigned size) { snprintf(out, size, "GPU-%08ld", number(handle)); return OK; }
int nvmlDeviceGetPciInfo_v3(void *handle, pci_t *out) {
    memset(out, 0, sizeof *out);
    out->bus = number(handle);
    out->id = of(handle)->device << 16 | 0x10DE;
    snprintf(out->bus_id, sizeof out->bus_id, "00000000:%02lX:00.0", number(handle));
    return OK;
}
int nvmlDeviceGetMemoryInfo(void *handle, memory_t *out) {
    if (!of(handle)->mib) return NOT_SUPPORTED;
    memset(out, 0, sizeof *out);
    out->total = of(handle)->mib << 20;
    return OK;
}
int nvmlDeviceGetCudaComputeCapability(void *handle, int *major, int *minor) {
    if (!of(handle)->major) return NOT_SUPPORTED;
    *major = of(handle)->major;
    *minor = of(handle)->minor;
    return OK;
}
int nvmlDeviceGetMigMode(void *handle, unsigned *current, unsigned *pending) {
    if (!strcmp(of(handle)->mig, "none")) return NOT_SUPPORTED;
    *current = *pending = !strncmp(of(handle)->mig, "on", 2);
    return OK;
}
int nvmlDeviceGetMaxMigDeviceCount(void *handle, unsigned *out) { (void)handle; *out = 7; return OK; }
int nvmlDeviceGetMigDeviceHandleByIndex(void *handle, unsigned index, void **out) {
    if ((int)index >= atoi(of(handle)->mig + 3)) return NOT_FOUND;
    *out = (void *)(number(handle) * 1000 + index);
    return OK;
}
#endif

#ifdef CUDA
/* cuda.h: CUresult, CUdevice_attribute */
static int visible(gpu_t *gpus) {
    const char *hidden = getenv("CUDA_VISIBLE_DEVICES");
    return hidden && (!*hidden || *hidden == '-') ? 0 : read_gpus(gpus, 16);
}
int cuInit(unsigned flags) {
    const char *how = getenv("FAKE_CUDA");
    gpu_t gpus[16];
    (void)flags;
    behave(how);
    if (how && !strcmp(how, "unknown")) return 999;
    if (how && !strcmp(how, "mismatch")) return 803;
    return (how && !strcmp(how, "nodevice")) || !visible(gpus) ? 100 : 0;
}
int cuGetErrorName(int code, const char **out) {
    *out = code == 999 ? "CUDA_ERROR_UNKNOWN" : code == 100 ? "CUDA_ERROR_NO_DEVICE" : code == 803 ? "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH" : 0;
    return 0;
}
int cuDriverGetVersion(int *out) { *out = cuda_number(); return 0; }
int cuDeviceGetCount(int *out) { gpu_t gpus[16]; *out = visible(gpus); return 0; }
int cuDeviceGet(int *out, int index) { *out = index; return 0; }
int cuDeviceGetName(char *out, int size, int device) { gpu_t gpus[16]; visible(gpus); snprintf(out, size, "%s", gpus[device].name); return 0; }
int cuDeviceTotalMem_v2(size_t *out, int device) { gpu_t gpus[16]; visible(gpus); *out = gpus[device].mib << 20; return 0; }
int cuDeviceGetAttribute(int *out, int attribute, int device) {
    gpu_t gpus[16];
    visible(gpus);
    *out = attribute == 75 ? gpus[device].major : attribute == 76 ? gpus[device].minor : attribute == 33 ? device + 1 : 0;
    return 0;
}
#endif
