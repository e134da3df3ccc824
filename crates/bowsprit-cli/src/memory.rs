//! Memory that was freed and will be wanted again.

/// Larger blocks still go back to the system at once.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT: usize = 4 * 1024 * 1024;

/// Lets freed memory stay with the process instead of going back to the system, from which it would come again page
/// by page.
///
/// glibc gives blocks from 128 KiB on back at once, and the end of the heap too. Once a larger block was freed, such
/// blocks stay and of the heap as much as two of them (mallopt(3), `M_MMAP_THRESHOLD`).
pub(crate) fn keep_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // None of it is touched.
    drop(std::hint::black_box(Vec::<u8>::with_capacity(KEPT)));
}
