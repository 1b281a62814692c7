// measure FILE COMMAND...: runs the command and writes into FILE what the kernel says of it and all it waited for:
// start and end (CLOCK_MONOTONIC, seconds), CPU seconds (user and system), the peak memory of its largest process in
// bytes, and the exit code. A small program of its own, because a child's peak begins with that of whoever forked it.

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}

static double seconds(struct timeval time)
{
    return time.tv_sec + time.tv_usec / 1e6;
}

static pid_t child;

static void pass_on(int signal)
{
    if (child > 0)
        kill(child, signal);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: measure FILE COMMAND...\n");
        return 64;
    }
    double started = now();
    child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    signal(SIGTERM, pass_on);
    signal(SIGINT, pass_on);
    int status;
    struct rusage used;
    while (wait4(child, &status, 0, &used) < 0)
        if (errno != EINTR)
            return 70;
    double ended = now();
    FILE *out = fopen(argv[1], "w");
    if (!out)
        return 74;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    fprintf(out, "{\"started\": %.6f, \"ended\": %.6f, \"cpu\": %.6f, \"peak\": %ld, \"code\": %d}\n", started, ended,
            seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss * 1024, code);
    return fclose(out) ? 74 : code;
}
