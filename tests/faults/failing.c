/* Lets the n-th system call of a kind fail on files below a folder: FAIL_BELOW, FAIL_CALL, FAIL_AT, FAIL_WITH.
   FAIL_COUNT names a file that tells at the end how many calls of each kind there were. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static const char *kinds[] = {"write", "pwrite", "fsync", "ftruncate", "fallocate", "rename", "open"};
enum { KINDS = sizeof kinds / sizeof *kinds };
static atomic_int counts[KINDS];
static const char *below, *call;
static int at, with;

__attribute__((constructor)) static void begin(void) {
  below = getenv("FAIL_BELOW");
  call = getenv("FAIL_CALL");
  const char *number = getenv("FAIL_AT"), *error = getenv("FAIL_WITH");
  at = number ? atoi(number) : 0;
  with = error ? atoi(error) : EIO;
}

__attribute__((destructor)) static void end(void) {
  const char *place = getenv("FAIL_COUNT");
  FILE *file = place ? fopen(place, "w") : NULL;
  if (file) {
    for (int kind = 0; kind < KINDS; kind++) fprintf(file, "%s %d\n", kinds[kind], atomic_load(&counts[kind]));
    fclose(file);
  }
}

static int is_below(const char *path) { return below && path && strncmp(path, below, strlen(below)) == 0; }

static int handle_is_below(int handle) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return is_below(path);
}

/* Whether this call is the one that fails. */
static int fails(const char *name, int counted) {
  if (!counted) return 0;
  int kind = 0;
  while (strcmp(kinds[kind], name) != 0) kind++;
  if (atomic_fetch_add(&counts[kind], 1) + 1 != at || !call || strcmp(call, name) != 0) return 0;
  errno = with;
  return 1;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int handle, const void *data, size_t size) {
  return fails("write", handle_is_below(handle)) ? -1 : NEXT(write)(handle, data, size);
}
ssize_t pwrite(int handle, const void *data, size_t size, off_t place) {
  return fails("pwrite", handle_is_below(handle)) ? -1 : NEXT(pwrite)(handle, data, size, place);
}
ssize_t pwrite64(int handle, const void *data, size_t size, off64_t place) {
  return fails("pwrite", handle_is_below(handle)) ? -1 : NEXT(pwrite64)(handle, data, size, place);
}
int fsync(int handle) { return fails("fsync", handle_is_below(handle)) ? -1 : NEXT(fsync)(handle); }
int fdatasync(int handle) { return fails("fsync", handle_is_below(handle)) ? -1 : NEXT(fdatasync)(handle); }
int ftruncate(int handle, off_t size) {
  return fails("ftruncate", handle_is_below(handle)) ? -1 : NEXT(ftruncate)(handle, size);
}
int ftruncate64(int handle, off64_t size) {
  return fails("ftruncate", handle_is_below(handle)) ? -1 : NEXT(ftruncate64)(handle, size);
}
int posix_fallocate(int handle, off_t place, off_t size) {
  return fails("fallocate", handle_is_below(handle)) ? with : NEXT(posix_fallocate)(handle, place, size);
}
int posix_fallocate64(int handle, off64_t place, off64_t size) {
  return fails("fallocate", handle_is_below(handle)) ? with : NEXT(posix_fallocate64)(handle, place, size);
}
int rename(const char *from, const char *to) {
  return fails("rename", is_below(to)) ? -1 : NEXT(rename)(from, to);
}
int renameat(int one, const char *from, int other, const char *to) {
  return fails("rename", is_below(to)) ? -1 : NEXT(renameat)(one, from, other, to);
}
int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return fails("open", (flags & O_CREAT) && is_below(path)) ? -1 : NEXT(open)(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return fails("open", (flags & O_CREAT) && is_below(path)) ? -1 : NEXT(open64)(path, flags, mode);
}
int openat(int folder, const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return fails("open", (flags & O_CREAT) && is_below(path)) ? -1 : NEXT(openat)(folder, path, flags, mode);
}
