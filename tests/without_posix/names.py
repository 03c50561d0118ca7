"""Names of the standard library that Linux has and Windows lacks, as typeshed tells them."""

from __future__ import annotations

MODULES = ("crypt", "fcntl", "grp", "nis", "pty", "pwd", "resource", "spwd", "syslog", "termios")
"""Not there at all."""
OF_OS = """
chown chroot confstr copy_file_range ctermid environb eventfd fchdir fchmod fchown fdatasync fork
forkpty fpathconf fstatvfs fwalk get_blocking getegid getenvb geteuid getgid getgrouplist
getgroups getloadavg getpgid getpgrp getpriority getrandom getresgid getresuid getsid getuid
getxattr initgroups killpg lchown listxattr lockf login_tty major makedev memfd_create minor
mkfifo mknod nice openpty pathconf pidfd_open pipe2 posix_fadvise posix_fallocate posix_spawn
posix_spawnp pread preadv pwrite pwritev readv register_at_fork removexattr sched_getaffinity
sched_setaffinity sched_yield sendfile set_blocking setegid seteuid setgid setgroups setpgid
setpgrp setpriority setregid setreuid setsid setuid setxattr spawnlp spawnlpe spawnvp spawnvpe
splice statvfs sync sysconf tcgetpgrp tcsetpgrp ttyname uname wait wait3 wait4 waitid writev
"""
OF_SIGNAL = """
alarm getitimer pause pidfd_send_signal pthread_kill pthread_sigmask setitimer siginterrupt
sigpending sigtimedwait sigwait sigwaitinfo
"""
ABSENT = {
    "os": frozenset(OF_OS.split()),
    "signal": frozenset(OF_SIGNAL.split()),
    "select": frozenset(["epoll", "poll"]),
    "time": frozenset(["clock_getres", "clock_gettime", "clock_settime", "tzset"]),
}
KEPT = {
    "os": ("O_", {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_APPEND", "O_CREAT", "O_EXCL", "O_TRUNC"}),
    "signal": (
        "SIG",
        {"SIGABRT", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM", "SIG_DFL", "SIG_IGN"},
    ),
}
"""Of the names that begin so, Windows has these."""


def is_absent(module: str, name: str) -> bool:
    """Return whether a name of a module is not there under Windows."""
    beginning, kept = KEPT.get(module, ("", {name}))
    return name in ABSENT.get(module, ()) or (name.startswith(beginning) and name not in kept)
