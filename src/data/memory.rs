//! The limit of the memory for data: the size that a file claims is checked against it before anything is allocated.

use std::fs;
use std::path::Path;

use candle_core::Tensor;

use crate::refusal;

const MIB: u64 = 1 << 20;
/// The bytes assumed to be free if the system does not report them.
const ASSUMED_FREE: u64 = 1 << 33;

/// The most bytes that the rows of a data set may take in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryLimit {
    bytes: u64,
    origin: LimitOrigin,
}

/// The origin of a limit, for its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LimitOrigin {
    /// `data.memory`.
    Given,
    /// Half of the free memory; `data.memory` sets another.
    Free,
    /// Half of the free memory; there is no config to set another in.
    FreeAlone,
}

impl MemoryLimit {
    /// `data.memory` in MiB; left out, half of the memory that is free.
    pub fn new(mib: Option<u64>) -> Self {
        match mib {
            Some(mib) => Self { bytes: mib.saturating_mul(MIB), origin: LimitOrigin::Given },
            None => Self { bytes: free() / 2, origin: LimitOrigin::Free },
        }
    }

    /// Half of the memory that is free, for files that no config describes.
    pub fn of_free() -> Self {
        Self { bytes: free() / 2, origin: LimitOrigin::FreeAlone }
    }

    /// The limit in bytes.
    pub fn bytes(self) -> u64 {
        self.bytes
    }

    /// The rest of the limit with a tensor in memory.
    pub(super) fn less(self, tensor: &Tensor) -> Self {
        let taken = tensor.elem_count().saturating_mul(tensor.dtype().size_in_bytes());
        Self { bytes: self.bytes.saturating_sub(taken as u64), ..self }
    }

    /// Checks that `bytes` bytes fit.
    ///
    /// # Errors
    /// A sentence without its subject: "takes 3.7 GiB, …".
    pub fn check(self, bytes: Option<u64>) -> Result<(), String> {
        match bytes {
            Some(bytes) if bytes <= self.bytes => Ok(()),
            bytes => Err(self.exceeded(bytes)),
        }
    }

    fn exceeded(self, bytes: Option<u64>) -> String {
        let takes = bytes.map_or("takes more than memory can hold".to_owned(), |bytes| {
            format!("takes {} of memory", size(bytes))
        });
        let limit = size(self.bytes);
        match self.origin {
            LimitOrigin::Given => format!("{takes}; `data.memory` allows {limit}"),
            LimitOrigin::Free => format!(
                "{takes}, and {limit} is half of what is free; free some, or allow more with `data.memory` (in MiB)"
            ),
            LimitOrigin::FreeAlone => {
                format!("{takes}, and {limit} is half of what is free; free some, or split the file")
            }
        }
    }

    /// An empty vector with room for `count` values.
    ///
    /// # Errors
    /// As [`Self::check`], and where the system refuses the memory.
    pub fn reserve<T>(self, count: usize) -> Result<Vec<T>, String> {
        let bytes = count.checked_mul(size_of::<T>());
        self.check(bytes.map(|bytes| bytes as u64))?;
        refusal::try_reserve(count).map_err(|_| {
            let bytes = size(bytes.unwrap_or(usize::MAX) as u64);
            format!("takes {bytes} of memory, which the system refuses")
        })
    }
}

/// A number of bytes for people.
#[allow(clippy::cast_precision_loss, reason = "shown to two digits")]
fn size(bytes: u64) -> String {
    const GIB: u64 = 1 << 30;
    match bytes {
        bytes if bytes >= GIB => format!("{:.1} GiB", bytes as f64 / GIB as f64),
        bytes if bytes >= MIB => format!("{:.1} MiB", bytes as f64 / MIB as f64),
        bytes => format!("{bytes} bytes"),
    }
}

/// The bytes of memory that are free: the least of the system's, and of the rest of the limits of this process and its
/// control group.
fn free() -> u64 {
    let system = fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text));
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let left = groups.lines().filter_map(left_to_group);
    system.into_iter().chain(left_to_process()).chain(left).min().unwrap_or(ASSUMED_FREE)
}

/// The rest of the address space that `ulimit -v` allows.
fn left_to_process() -> Option<u64> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::As).current?;
    let used = fs::read_to_string("/proc/self/status").ok().and_then(|text| used_space(&text));
    Some(limit.saturating_sub(used.unwrap_or(0)))
}

/// The address space in use by /proc/self/status. What the allocator has reserved and not used yet, a GiB at a time, is
/// free.
fn used_space(status: &str) -> Option<u64> {
    let [all, data, resident] = ["VmSize:", "VmData:", "RssAnon:"].map(|name| number(status, name));
    let reserved = data.zip(resident).map_or(0, |(data, resident)| data.saturating_sub(resident));
    Some(all?.saturating_sub(reserved))
}

/// `MemAvailable` of /proc/meminfo.
fn available(meminfo: &str) -> Option<u64> {
    number(meminfo, "MemAvailable:")
}

/// A number of bytes in a file of /proc that has kilobytes.
fn number(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// The files of a control group.
struct GroupFiles {
    root: &'static str,
    limit: &'static str,
    used: &'static str,
    /// In `memory.stat`: the memory that the kernel can drop, such as files that were read.
    inactive: &'static str,
}

const VERSION_1: GroupFiles = GroupFiles {
    root: "/sys/fs/cgroup/memory",
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    inactive: "total_inactive_file",
};

const VERSION_2: GroupFiles = GroupFiles {
    root: "/sys/fs/cgroup",
    limit: "memory.max",
    used: "memory.current",
    inactive: "inactive_file",
};

/// The rest of the limit of a control group, of version 1 or 2, named by a line of /proc/self/cgroup, and of its
/// parents. Within a container the group may be mounted as the root.
fn left_to_group(line: &str) -> Option<u64> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (controllers, path) = (fields.next()?, fields.next()?);
    let files = match controllers {
        "" => VERSION_2,
        _ if controllers.split(',').any(|name| name == "memory") => VERSION_1,
        _ => return None,
    };
    let groups = Path::new(path).ancestors();
    let folders = groups.map(|group| Path::new(files.root).join(group.strip_prefix("/").unwrap_or(group)));
    folders.filter_map(|folder| files.left(&folder)).min()
}

impl GroupFiles {
    fn left(&self, folder: &Path) -> Option<u64> {
        let read = |file: &str| fs::read_to_string(folder.join(file)).ok();
        let number = |file: &str| -> Option<u64> { read(file)?.trim().parse().ok() };
        let inactive = read("memory.stat").and_then(|text| self.inactive(&text));
        let used = number(self.used)?.saturating_sub(inactive.unwrap_or(0));
        Some(number(self.limit)?.saturating_sub(used))
    }

    fn inactive(&self, stat: &str) -> Option<u64> {
        stat.lines().find_map(|line| line.strip_prefix(self.inactive)?.trim().parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_were_read_are_free_memory_of_a_group() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("memory.max", "1000\n");
        write("memory.current", "900\n");
        write("memory.stat", "anon 200\nfile 700\nactive_file 100\ninactive_file 600\n");
        assert_eq!(VERSION_2.left(folder.path()), Some(700));
        write("memory.max", "max\n");
        assert_eq!(VERSION_2.left(folder.path()), None);
    }

    #[test]
    fn a_limit_is_checked_before_memory_is_reserved() {
        let limit = MemoryLimit::new(Some(1));
        assert_eq!(limit.reserve::<u64>(1 << 17).unwrap().capacity(), 1 << 17);
        assert!(limit.reserve::<u64>((1 << 17) + 1).unwrap_err().contains("`data.memory` allows 1.0 MiB"));
        assert!(limit.reserve::<u64>(usize::MAX).unwrap_err().contains("more than memory can hold"));
        assert!(limit.check(None).is_err());
        // More than any machine has: the reservation fails, and the process goes on.
        assert!(MemoryLimit::new(Some(u64::MAX)).reserve::<u8>(1 << 62).is_err());
        assert!(MemoryLimit::of_free().bytes() > 0);
    }

    #[test]
    fn address_space_that_the_allocator_holds_for_later_is_free() {
        let text = "VmSize:\t 1144832 kB\nVmRSS:\t 46344 kB\nRssAnon:\t 31368 kB\nVmData:\t 1053480 kB\n";
        assert_eq!(used_space(text), Some((1_144_832 - 1_053_480 + 31_368) << 10));
        assert_eq!(used_space("VmSize: 100 kB\n"), Some(100 << 10));
        assert_eq!(used_space(""), None);
    }

    #[test]
    fn the_free_memory_is_read_as_the_system_writes_it() {
        let text = "MemTotal:       16303428 kB\nMemFree:         1000 kB\nMemAvailable:    2048 kB\n";
        assert_eq!(available(text), Some(2 << 20));
        assert_eq!(available("MemTotal: 1 kB\n"), None);
    }
}
